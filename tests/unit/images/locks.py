"""What the tests of the lock share: a clock that only moves when told, a volume here, and locks of others on it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from reconciler.actuators.ssh.images import lock as locks
from reconciler.actuators.ssh.images.lock import VolumeLock, volume_lock
from reconciler.actuators.ssh.images.owner import Clock, machine, process_start
from reconciler.actuators.ssh.images.runner import HereRunner
from reconciler.transports.shell import Piece

FULL = (
    "mkdir() { echo \"mkdir: can't create directory '$*': No space left on device\" >&2; return 1; }; "
    'printf() { if [ -f /proc/self/fd/1 ]; then return 1; fi; command printf "$@"; }; '
)
READ_ONLY = "".join(
    f'{tool}() {{ echo "{tool}: Read-only file system" >&2; return 1; }}; '
    for tool in ("mkdir", "mv", "rmdir", "rm")
)
"""On a disk that is full no folder is made, and no byte is written."""


class Time:
    """A clock by which waiting takes no time. What is due meanwhile happens at its second."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._due: list[tuple[float, float, Callable[[], object]]] = []

    def clock(self) -> Clock:
        """Its holders do not beat by themselves."""
        return Clock(lambda: self.seconds, self.pause, lambda event, seconds: True)

    def every(self, seconds: float, act: Callable[[], object], first: float | None = None) -> None:
        self._due.append((self.seconds + (seconds if first is None else first), seconds, act))

    def quiet(self) -> None:
        """Whoever acted does so no more."""
        self._due.clear()

    def pause(self, seconds: float) -> None:
        end = self.seconds + seconds
        while due := [it for it in self._due if it[0] <= end]:
            first = min(due, key=lambda it: it[0])
            self._due.remove(first)
            self._due.append((first[0] + first[1], first[1], first[2]))
            self.seconds = first[0]
            first[2]()
        self.seconds = end


class Volume(HereRunner):
    """A folder here as a volume. `before` happens before a command that fits such a pattern, once."""

    def __init__(self, folder: Path, time: Time) -> None:
        self.folder, self.time = folder, time
        self.before: dict[str, Callable[[], object]] = {}
        self.full = self.read_only = False

    def ask(self, command: str, limit: float = 300.0, *, urgent: bool = False) -> Piece:
        for pattern in [pattern for pattern in self.before if re.search(pattern, command)]:
            self.before.pop(pattern)()
        first = (FULL if self.full else "") + (READ_ONLY if self.read_only else "")
        return super().ask(first + command, limit)

    @property
    def lock(self) -> Path:
        return self.folder / locks.FOLDER

    @property
    def owners(self) -> list[str]:
        return sorted(it.name.removeprefix("owner-") for it in self.lock.glob("owner-*"))

    def new(self, doing: str = "copy win") -> VolumeLock:
        return VolumeLock(self, str(self.folder), doing, self.time.clock())

    def held(self, doing: str = "copy win") -> AbstractContextManager[VolumeLock]:
        """A context in which we hold it, as the product does."""
        return volume_lock(self, str(self.folder), doing, lambda: False, self.time.clock())

    def waited(self, lock: VolumeLock | None = None) -> float:
        """Seconds until we have it."""
        began = self.time.seconds
        (lock or self.new()).acquire(lambda: False)
        return self.time.seconds - began

    def lay(self, said: Mapping[str, str] | bytes | None = b"") -> Foreign:
        """The lock of somebody else, and what it says of itself."""
        folder = self.lock / "owner-other"
        (folder / "beat-7").mkdir(parents=True)
        if isinstance(said, Mapping):
            said = "".join(f"{key} {value}\n" for key, value in said.items()).encode()
        if said is not None:
            (folder / "who").write_bytes(said)
        return Foreign(folder, 7)


class Foreign:
    """Somebody else's lock, which goes on when told."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number = folder, number

    def beat(self) -> None:
        self.number += 1
        (self.folder / f"beat-{self.number - 1}").rename(self.folder / f"beat-{self.number}")


def of(pid: int, start: str | None = None, **more: str) -> dict[str, str]:
    """What a process of this machine says of itself."""
    began = process_start(str(pid)) if start is None else start
    said = {"who": "jane@there", "machine": machine(), "pid": str(pid), "start": began or "1"}
    return {**said, "since": "2026-03-01 08:00:00 UTC", "doing": "copy linux", **more}


def ended_process() -> tuple[int, str]:
    """Number and start of a process that is gone."""
    with running() as pid:
        start = process_start(str(pid))
    assert start
    return pid, start


@contextmanager
def running() -> Iterator[int]:
    """A process that waits, until the end."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process.pid


@contextmanager
def zombie() -> Iterator[tuple[int, str]]:
    """A process that has ended, and whose parent has not taken notice."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    start = _field_22(pid)
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        yield pid, start
    finally:
        os.waitpid(pid, 0)


def _field_22(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
