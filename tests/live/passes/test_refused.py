"""What was refused is not sent again in a hurry: counted on the host's side."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from reconciler.desired import load
from reconciler.fleet import Fleet, Options
from reconciler.report import HostReport, Status
from reconciler.state.refusals import Refusals
from tests.live.passes.world import World, world

LAB: dict[str, Any] = {"portGroups": {"Lab": {"vswitch": "vSwitch0", "vlan": 10}}}


@pytest.fixture(autouse=True)
def no_keys_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def restarted(there: World) -> HostReport:
    """The first pass of a loop that was started again."""
    hosts = load([there.write()]).hosts
    options = Options(False, None, (), 50, there.folder / "state")
    options.state_dir.mkdir(exist_ok=True)
    refusals = Refusals(options.state_dir / "refusals.json", pytest.fail)
    fleet = Fleet(hosts, options, there.events.append, Event(), refusals=refusals, idle=600.0)
    try:
        return fleet.pass_over(hosts[0])
    finally:
        fleet.close()


def failures(logins: list[tuple[str, bool]]) -> int:
    return sum(not right for _, right in logins)


def test_a_password_that_ssh_refused_is_sent_once_and_the_corrected_one_at_once(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    with world(tmp_path, "6.7", LAB) as there:
        there.spec["access"] = {"ssh": {"key": None, "password": {"file": str(secret)}}}
        for _ in range(8):
            fault = restarted(there).fault
            assert fault is not None
            assert fault.kind.value == "login"
        assert fault is not None
        assert "it is tried again at" in fault.message
        assert "wrong" not in fault.message
        assert failures(there.host.logins) == 1
        secret.write_text("VMware1!")
        assert restarted(there).status is Status.CONVERGED


def test_a_password_that_the_sdk_refused_is_sent_once_and_ssh_does_the_work(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    with world(tmp_path, "6.7", LAB, sdk=True) as there:
        there.spec["access"] = {"sdk": {"password": {"file": str(secret)}}}
        for _ in range(4):
            report = restarted(there)
            assert report.transport == "ssh"
            assert "the SDK was not used" in report.findings[0].why
        assert failures(there.host.sdk_logins) == 1
        secret.write_text("VMware1!")
        assert restarted(there).transport == "sdk"


def test_a_key_that_was_refused_is_tried_again_once_it_was_installed_over_the_sdk(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True, authorized_keys=b"") as there:
        there.spec = {"ssh": {"authorizedKeys": [there.keys.public("root")], "persistKeys": True}}
        first = restarted(there)
        assert (first.status, first.transport) == (Status.CONVERGED, "sdk+ssh")
        assert failures(there.host.logins) == 1


@contextmanager
def resetting(address: str) -> Iterator[tuple[int, list[int]]]:
    """Somebody at a port of that address who resets each connection; one entry for each."""
    door, seen = socket.create_server((address, 0)), list[int]()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection = door.accept()[0]
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                seen.append(1)
                connection.close()

    thread = Thread(target=serve)
    thread.start()
    try:
        yield door.getsockname()[1], seen
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join(10)


@pytest.mark.parametrize("way", ["ssh", "sdk"])
def test_a_connection_that_is_reset_is_not_tried_again_within_a_pass(tmp_path: Path, way: str) -> None:
    with world(tmp_path, "6.7", LAB, sdk=True) as there, resetting(there.host.address) as (port, seen):
        there.spec["access"] = {"prefer": way, way: {"port": port}}
        assert restarted(there).status is Status.UNREACHABLE
        assert seen == [1]


def test_a_host_that_is_only_asked_for_another_is_behind_the_same_gate(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there:
        there.spec["access"] = {"ssh": {"key": str(there.keys.private("second"))}}
        hosts = load([there.write()]).hosts
        options = Options(False, None, (), 50, tmp_path / "state")
        fleet = Fleet(hosts, options, there.events.append, Event())
        assert fleet.pass_over(hosts[0]).status is Status.FAILED
        neighbour = fleet.neighbours._known["esx"]
        assert "refused" in neighbour._mounted(None).why  # type: ignore[arg-type, union-attr]
        fleet.close()
        assert failures(there.host.logins) == 1
