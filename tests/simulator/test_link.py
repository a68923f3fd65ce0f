"""Links that break, services that go, and what is left of a script then."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from reconciler.simulator import FAULTS, BootFailure, Farm, HostHandle, HostModel, SimulatorError, Storage
from tests.simulator.client import connected, run

SCRIPT = b"mkdir /etc/one\nmkdir /etc/two\nmkdir /etc/three\n"


@pytest.fixture
def host(keys: Path) -> Iterator[HostHandle]:
    model = HostModel(name="h", version="6.7", authorized_keys=(keys / "rsa.pub").read_bytes())
    with Farm.start([model], Storage({"filer": ("/a",)})) as farm:
        yield farm.host("h")


def eventually(check: Callable[[], bool]) -> None:
    """Wait until something that another thread does has happened."""
    end = time.monotonic() + 20
    while not check():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def made(host: HostHandle) -> list[str]:
    return [name for name in ("one", "two", "three") if host.files.exists(f"/etc/{name}")]


def cut(host: HostHandle, keys: Path, script: bytes) -> None:
    with connected(host, keys / "rsa") as client:
        assert run(client, "sh", script).status == -1


def test_a_link_cut_before_a_command_leaves_what_was_done(host: HostHandle, keys: Path) -> None:
    host.fault("cut-before", count=2)
    cut(host, keys, SCRIPT)
    assert made(host) == ["one"]


def test_a_link_cut_after_a_command_loses_the_reply_only(host: HostHandle, keys: Path) -> None:
    host.fault("cut-after", count=2)
    cut(host, keys, SCRIPT.replace(b"\n", b"; echo done\n"))
    eventually(lambda: made(host) == ["one", "two"])


def test_a_script_that_ignores_the_cut_goes_on(host: HostHandle, keys: Path) -> None:
    host.fault("cut-after", count=1)
    whole = b"f() {\ntrap '' HUP PIPE\n" + SCRIPT.replace(b"\n", b"; echo done\n") + b"}\nf\n"
    cut(host, keys, whole)
    eventually(lambda: made(host) == ["one", "two", "three"])


def test_power_is_lost_after_a_command(host: HostHandle, keys: Path) -> None:
    host.fault("power-loss", count=2)
    cut(host, keys, SCRIPT)
    eventually(lambda: host.up)
    assert made(host) == []
    with connected(host, keys / "rsa") as client:
        assert run(client, "true").status == 0


def test_a_client_that_goes_away_cuts_the_script_short(host: HostHandle, keys: Path) -> None:
    with connected(host, keys / "rsa") as client:
        stdin, _, _ = client.exec_command("sh")
        stdin.write(b"mkdir /etc/one\nf() {\nmkdir /etc/two\n")
        stdin.flush()
        eventually(lambda: made(host) == ["one"])
    eventually(lambda: bool(host.executed) and host.executed[-1].argv == ("sh",))
    assert made(host) == ["one"]


@pytest.mark.parametrize("name", ["hang", "garbage"])
def test_a_host_that_does_not_speak_ssh(host: HostHandle, keys: Path, name: str) -> None:
    host.fault(name)
    with socket.create_connection((host.address, host.port), timeout=5) as line:
        line.settimeout(0.2 if name == "hang" else 5)
        if name == "hang":
            with pytest.raises(TimeoutError):
                line.recv(1)
        else:
            assert line.recv(4) == b"HTTP"


def test_a_closed_port_refuses_and_opens_again(host: HostHandle, keys: Path) -> None:
    host.fault("refuse")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host.address, host.port), timeout=5)
    host.clear_faults()
    with connected(host, keys / "rsa"):
        pass


def test_cut_now_ends_open_connections(host: HostHandle, keys: Path) -> None:
    with connected(host, keys / "rsa") as client:
        host.fault("cut-now")
        with pytest.raises((paramiko.SSHException, EOFError, ConnectionResetError, OSError)):
            run(client, "sleep 30")


def test_a_flood_goes_on_until_the_client_leaves(host: HostHandle, keys: Path) -> None:
    host.fault("flood")
    with connected(host, keys / "rsa") as client:
        _, stdout, _ = client.exec_command("true")
        assert len(stdout.read(1 << 20)) == 1 << 20
    host.clear_faults()
    with connected(host, keys / "rsa") as client:
        assert run(client, "echo ok").out == "ok\n"


def test_stopping_ssh_closes_the_port_and_leaves_the_session(host: HostHandle, keys: Path) -> None:
    with connected(host, keys / "rsa") as client:
        assert run(client, "vim-cmd hostsvc/disable_ssh; /etc/init.d/SSH stop").out == "SSH login disabled\n"
        assert host.ssh == (False, False)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.address, host.port), timeout=5)
        assert (
            run(client, "chkconfig --list SSH; /etc/init.d/SSH start").out
            == f"{'SSH':<24}off\nSSH login enabled\n"
        )
    with connected(host, keys / "rsa"):
        pass


def test_ssh_that_does_not_start_with_the_host_is_gone_after_a_boot(host: HostHandle, keys: Path) -> None:
    host.set_ssh(policy=False)
    host.reboot()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host.address, host.port), timeout=5)


def test_a_host_that_does_not_boot_has_a_closed_port_and_a_reason(keys: Path) -> None:
    with Farm.start([HostModel(name="h", version="4.1")]) as farm:
        host = farm.host("h")
        host.files.write("/bootbank/boot.cfg", b"modules=k.z --- nosuch.tgz\nbuild=1\nupdated=1\n")
        with pytest.raises(BootFailure):
            host.reboot(power_loss=True)
        assert "nosuch.tgz" in host.down_reason
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.address, host.port), timeout=5)


def test_faults_and_hosts_that_are_none_are_named(host: HostHandle) -> None:
    with pytest.raises(SimulatorError, match="would be right: cut-before"):
        host.fault("nosuch")
    assert all(FAULTS.values())
    with pytest.raises(SimulatorError, match=r"would be right: 4\.1"):
        Farm.start([HostModel(name="x", version="3.5")])


def test_bytes_pass_unharmed_in_both_directions(host: HostHandle, keys: Path) -> None:
    data = bytes(range(256)) * 300
    with connected(host, keys / "rsa") as client:
        stdin, stdout, _ = client.exec_command("cat > /tmp/f; cat /tmp/f")
        stdin.write(data)
        stdin.channel.shutdown_write()
        assert stdout.read() == data


def test_what_hosts_have_done_is_recorded(host: HostHandle, keys: Path) -> None:
    with connected(host, keys / "rsa") as client:
        run(client, "mkdir /etc/one; ls /nosuch; vmware -v")
    ran = [(each.argv[0], each.changing, each.status) for each in host.executed]
    assert ran == [("mkdir", True, 0), ("ls", False, 1), ("vmware", False, 0)]
    assert (host.execs, host.logins) == (1, [("publickey", True)])
    host.forget()
    assert (host.executed, host.execs, host.logins) == ([], 0, [])


def test_a_reboot_command_cuts_the_link_and_forgets(host: HostHandle, keys: Path) -> None:
    with connected(host, keys / "rsa") as client:
        before = run(client, "vim-cmd hostsvc/runtimeinfo | grep bootTime").out
        refused = run(client, "esxcli system shutdown reboot -r test")
        assert (refused.status, "maintenance mode" in refused.out) == (1, True)
        run(
            client,
            "touch /tmp/x; esxcli system maintenanceMode set -e true; esxcli system shutdown reboot -r test",
        )
        eventually(lambda: not host.files.exists("/tmp/x"))
    with connected(host, keys / "rsa") as client:
        assert run(client, "vim-cmd hostsvc/runtimeinfo | grep bootTime").out != before
