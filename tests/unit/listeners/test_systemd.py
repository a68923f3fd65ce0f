"""What systemd hears, on a real socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler import secrets
from reconciler.listeners.systemd import Systemd
from tests.unit.listeners.sink import PATIENCE, until


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        yield manager


def systemd(tmp_path: Path, **variables: str) -> Systemd:
    return Systemd({"NOTIFY_SOCKET": str(tmp_path / "notify"), **variables})


def heard(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


def silent(manager: socket.socket) -> bool:
    manager.setblocking(False)
    try:
        manager.recv(4096)
    except BlockingIOError:
        return True
    return False


def test_start_reload_and_stop_are_told(tmp_path: Path, manager: socket.socket) -> None:
    told = systemd(tmp_path)
    told.ready()
    assert heard(manager) == "READY=1"
    before = time.monotonic_ns() // 1000
    told.reloading()
    reloading, since = heard(manager).split("\n")
    assert reloading == "RELOADING=1"
    assert before <= int(since.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    told.stopping()
    assert heard(manager) == "STOPPING=1"


def test_the_status_is_one_line_without_secrets(
    tmp_path: Path, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_VAULT", secrets._Vault())
    secrets.conceal("hunter2")
    systemd(tmp_path).status("3 hosts\nREADY=1 hunter2")
    assert heard(manager) == r"STATUS=3 hosts\nREADY=1 ***"


def test_an_abstract_socket_is_reached() -> None:
    name = f"reconciler-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(PATIENCE)
        Systemd({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert heard(manager) == "READY=1"


def test_the_watchdog_is_fed_by_turns_of_the_loop_and_not_by_each(
    tmp_path: Path, manager: socket.socket
) -> None:
    told = systemd(tmp_path, WATCHDOG_USEC="3600000000", WATCHDOG_PID=str(os.getpid()))
    told.turned()
    told.turned()
    told.ready()
    assert [heard(manager), heard(manager)] == ["WATCHDOG=1", "READY=1"]
    quick = systemd(tmp_path, WATCHDOG_USEC="30000")
    fed: list[str] = []

    def twice() -> bool:
        quick.turned()
        if not silent(manager):
            fed.append("fed")
        return len(fed) == 2

    until(twice)


@pytest.mark.parametrize(
    "variables", [{}, {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}]
)
def test_no_watchdog_of_ours_is_not_fed(
    tmp_path: Path, manager: socket.socket, variables: dict[str, str]
) -> None:
    systemd(tmp_path, **variables).turned()
    assert silent(manager)


def test_children_do_not_inherit_the_variables(tmp_path: Path) -> None:
    script = (
        "import subprocess\n"
        "from reconciler.listeners.systemd import Systemd\n"
        "Systemd().ready()\n"
        "print(subprocess.run(['env'], capture_output=True, text=True).stdout)"
    )
    names = {"NOTIFY_SOCKET": str(tmp_path / "x"), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **names},
    )
    assert "PATH=" in done.stdout
    assert not [name for name in names if name in done.stdout]


def test_a_full_queue_does_not_stop_the_loop(tmp_path: Path, manager: socket.socket) -> None:
    told = systemd(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                filler.sendto(b"x", str(tmp_path / "notify"))
    told.ready()


@pytest.mark.parametrize(
    "address", ["", "/nowhere/notify", "relative", "vsock:2:1", "/x\0y", "@" + "x" * 200]
)
def test_without_systemd_nothing_happens(address: str) -> None:
    told = Systemd({"NOTIFY_SOCKET": address} if address else {})
    for tell in (told.ready, told.reloading, told.stopping, told.turned):
        tell()
    told.status("fine")
