"""What a script prints, and when its client hears it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from reconciler.simulator import Farm, HostHandle, HostModel
from reconciler.simulator.host import REMEMBERED
from tests.simulator.client import connected, run, tool


@pytest.fixture(scope="module")
def host(keys: Path) -> Iterator[HostHandle]:
    model = HostModel(name="h", version="7.0", authorized_keys=(keys / "rsa.pub").read_bytes())
    with Farm.start([model]) as farm:
        yield farm.host("h")


@pytest.fixture(scope="module")
def client(host: HostHandle, keys: Path) -> Iterator[paramiko.SSHClient]:
    with connected(host, keys / "rsa") as opened:
        yield opened


def test_what_was_printed_is_heard_while_the_script_goes_on(client: paramiko.SSHClient) -> None:
    _, out, _ = client.exec_command("printf one; printf two; sleep 3600", timeout=10)
    assert out.read(6) == b"onetwo"
    out.channel.close()


def test_what_was_printed_is_heard_before_a_script_waits_for_its_client(client: paramiko.SSHClient) -> None:
    stdin, out, _ = client.exec_command('for i in 1 2 3; do printf "$i?"; read answer; done', timeout=10)
    for number in (b"1?", b"2?", b"3?"):
        assert out.read(2) == number
        stdin.write(b"yes\n")
    assert out.read() == b""


def test_what_a_process_in_the_background_prints_last_is_heard(client: paramiko.SSHClient) -> None:
    assert run(client, "(sleep 0.2; printf last) & printf first").out == "firstlast"


def test_both_streams_are_whole_and_in_order(client: paramiko.SSHClient) -> None:
    counting = "i=0; while [ $i -lt 3000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done"
    done = run(client, counting)
    assert done.out == "".join(f"out {number}\n" for number in range(3000))
    assert done.err == "".join(f"err {number}\n" for number in range(3000))


def test_a_script_waits_for_a_client_that_does_not_read(host: HostHandle, client: paramiko.SSHClient) -> None:
    script = "i=0; while [ $i -lt 100 ]; do printf %65536s .; i=$((i+1)); done; touch /tmp/done"
    _, out, _ = client.exec_command(script, timeout=10)
    assert out.read(1) == b" "
    assert not host.files.exists("/tmp/done")
    assert len(out.read()) == 100 * 65536 - 1
    assert host.files.exists("/tmp/done")


def test_a_server_sends_no_packets_that_mean_nothing(host: HostHandle, keys: Path) -> None:
    options = ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-F", "none"]
    command = [tool("ssh"), "-vvv", *options, "-i", str(keys / "rsa"), "-p", str(host.port)]
    done = subprocess.run([*command, f"root@{host.address}", "vmware -v"], capture_output=True, timeout=30)
    assert done.stdout.startswith(b"VMware ESXi 7.0")
    assert b"Received SSH2_MSG_IGNORE" not in done.stderr


def test_a_host_remembers_its_last_commands_only(host: HostHandle, client: paramiko.SSHClient) -> None:
    script = f"i=0; while [ $i -lt {REMEMBERED} ]; do ls /tmp; i=$((i+1)); done; ls /last"
    run(client, script)
    assert len(host.executed) == REMEMBERED
    assert host.executed[-1].argv == ("ls", "/last")
