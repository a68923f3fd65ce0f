"""The lock of a volume: `.reconciler-lock` at its root, made of folders, with an owner and a heartbeat.

Making, removing and renaming folders is atomic on VMFS, on NFS and here, and fails when what it builds on is gone. So a
holder that slept learns at its next beat that the lock was taken away, and no clock is ever compared with another.
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.actuators.ssh.images.runner import Runner, Stumbled, is_full
from reconciler.faults import Fault
from reconciler.transports.shell import Piece, quote

BEAT_SECONDS = 5.0
DEAD_SECONDS = 20.0
WATCH_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
"""So long a lock that is alive is waited for, all in all."""
FOLDER = ".reconciler-lock"
LOST = 97
_OURS: set[str] = set()
"""Tokens of the locks that this process holds: another one of its own was left when a link was lost."""


class LockTaken(Exception):
    """Somebody else who is alive has the lock; the text says who."""


class LockLost(Exception):
    """The lock was taken away while we slept, or the link did."""


class Stopped(Exception):
    """A person wants it to end."""


@dataclass(frozen=True)
class Clock:
    """Seconds that only go forward, and waiting."""

    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Owner:
    """Who has the lock, as its folder tells."""

    token: str
    beat: str
    who: dict[str, str]

    @property
    def described(self) -> str:
        who, doing = self.who.get("who", "somebody"), self.who.get("doing", "something")
        return f"{who} has the volume's lock since {self.who.get('since', 'a while')} for: {doing}"

    def is_gone(self) -> bool:
        """Whether it names this machine and a process that is not there any more, or has let go of it."""
        if not self.who.get("machine") or self.who["machine"] != machine():
            return False
        if process_start(self.who.get("pid", "")) != self.who.get("start"):
            return True
        return self.who.get("pid") == str(os.getpid()) and self.token not in _OURS


def machine() -> str:
    """This machine, this boot, and the process numbers that are seen here: containers do not see each other's."""
    parts = []
    for path in ("/etc/machine-id", "/proc/sys/kernel/random/boot_id"):
        try:
            parts.append(Path(path).read_text().strip())
        except OSError:
            return ""
    try:
        return "/".join([*parts, os.readlink("/proc/self/ns/pid")])
    except OSError:
        return ""


def process_start(pid: str) -> str | None:
    """When a process began, in ticks since the boot (field 22 of /proc/PID/stat); None: there is none."""
    try:
        stat = Path(f"/proc/{int(pid)}/stat").read_text()
    except (OSError, ValueError):
        return None
    return stat.rpartition(")")[2].split()[19]


class VolumeLock:
    """One holding of a volume's lock."""

    def __init__(self, runner: Runner, volume: str, doing: str, clock: Clock) -> None:
        self._runner, self.volume, self._doing, self._clock = runner, volume, doing, clock
        self.token = secrets.token_hex(8)
        self._beaten, self._number, self._lost = 0.0, 0, False
        self.waited = False
        """Whether somebody else had it: what was decided before may not hold any more."""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    @property
    def _owner(self) -> str:
        return quote(f"{self.volume}/{FOLDER}/owner-{self.token}")

    @property
    def guard(self) -> str:
        """Begins a command that must not run without the lock."""
        return f"[ -d {self._owner} ] || {{ echo 'the lock on the volume was taken away'; exit {LOST}; }}; "

    def check(self) -> None:
        """Raises LockLost when the lock is not ours any more, or could be taken for dead."""
        if self._lost or self._clock.now() - self._beaten > DEAD_SECONDS - BEAT_SECONDS:
            raise LockLost("the lock on the volume was lost: another run may have taken it")

    # -- taking ----------------------------------------------------------------------------------------------

    def acquire(self, stopping: Callable[[], bool]) -> None:
        """Raises LockTaken, Stopped, Stumbled (the volume can't be written), faults.Unreachable."""
        watch, began = _Watch(self._clock), self._clock.now()
        while True:
            if stopping():
                raise Stopped
            owner = self._try()
            if owner is None:
                self._begin()
                return
            self.waited = True
            if (owner.token and owner.is_gone()) or watch.is_dead(owner):
                if self._take_over(owner):
                    self._begin()
                    return
                watch = _Watch(self._clock)
            elif watch.alive and self._clock.now() - began >= PATIENCE_SECONDS:
                raise LockTaken(owner.described)
            else:
                self._clock.pause(WATCH_SECONDS)

    def _begin(self) -> None:
        self._beaten = self._clock.now()
        self._thread.start()

    def _settle(self) -> str:
        """The commands that make us the owner of a lock folder that is ours to take."""
        begun = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        who = f"{getpass.getuser()}@{socket.gethostname()}"
        lines = {
            "who": who, "machine": machine(), "pid": str(os.getpid()), "start": process_start(str(os.getpid())) or "",
            "since": begun, "doing": self._doing,
        }  # fmt: skip
        text = "".join(f"{key} {' '.join(value.split())}\n" for key, value in lines.items())
        # on a full disk the owner has no name, and holds the lock all the same
        named = f"{{ printf '%s' {quote(text)} > {self._owner}/who || true; }}"
        return f"mkdir {self._owner} && {named} && mkdir {self._owner}/beat-0"

    def _try(self) -> Owner | None:
        """Take a lock that nobody has; else who has it (a token of "": a folder without an owner)."""
        lock = quote(f"{self.volume}/{FOLDER}")
        undo = f"{{ s=$?; rm -rf {self._owner}; rmdir {lock}; exit $s; }}"
        take = (
            f"if mkdir {lock} 2>/dev/null; then {{ {self._settle()}; }} || {undo}; echo taken; exit 0; fi; "
        )
        missing = f"[ -d {lock} ] || {{ mkdir {lock} && rmdir {lock} && exit 0; exit 98; }}; "
        piece = self._runner.ask(f"{take}{missing}{_LIST.format(lock=lock)}")
        if piece.text.strip() == "taken":
            return None
        if piece.status != 0:
            raise Stumbled(piece.said or "the lock can't be made")
        return _owner(piece)

    def _take_over(self, dead: Owner) -> bool:
        """Only one can rename a dead owner's folder, or remove an empty lock."""
        lock = quote(f"{self.volume}/{FOLDER}")
        if not dead.token:
            piece = self._runner.ask(
                f"rm -rf {lock}/dead-*; rmdir {lock} && mkdir {lock} && {self._settle()}"
            )
            return piece.status == 0
        old, aside = (
            quote(f"{self.volume}/{FOLDER}/{name}") for name in (f"owner-{dead.token}", f"dead-{self.token}")
        )
        piece = self._runner.ask(f"mv {old} {aside} && {self._settle()} && rm -rf {lock}/dead-*")
        return piece.status == 0

    # -- holding ---------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        while not self._done.wait(BEAT_SECONDS):
            old, new = (f"{self._owner}/beat-{number}" for number in (self._number, self._number + 1))
            try:
                piece = self._runner.ask(f"mkdir {new} && rmdir {old}", urgent=True)
            except (Fault, Stumbled):
                # the link is gone: whoever works over it learns it too
                return
            if piece.status != 0 and not is_full(piece.said):
                self._lost = True
                return
            self._number, self._beaten = self._number + 1, self._clock.now()

    def release(self) -> None:
        """Let go; never raises."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
        lock = quote(f"{self.volume}/{FOLDER}")
        try:
            self._runner.ask(f"rm -rf {self._owner} && rmdir {lock}")
        except (Fault, Stumbled):
            return


_LIST = (
    'for o in {lock}/owner-*; do [ -d "$o" ] || continue; printf \'\\036%s\\n\' "${{o##*/}}"; '
    'cat "$o/who" 2>/dev/null; ls "$o"; done; true'
)


def _owner(piece: Piece) -> Owner:
    """The owner in a listing; several are one that is alive."""
    parts = piece.text.split("\x1e")[1:]
    if not parts:
        return Owner("", "", {})
    name, _, rest = parts[0].partition("\n")
    lines = rest.splitlines()
    who = dict(line.partition(" ")[::2] for line in lines if " " in line)
    beat = " ".join(line for line in lines if re.fullmatch(r"beat-[0-9]+", line))
    return Owner(name.removeprefix("owner-"), beat, who)


class _Watch:
    """Watches whether a lock's beat goes on, by its own clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._last = clock, ("?", "?")
        self._since, self.alive = clock.now(), False

    def is_dead(self, owner: Owner) -> bool:
        """Whether nothing has moved for so long that nobody can be there."""
        now = owner.token, owner.beat
        if now != self._last:
            self.alive = self._last[0] == owner.token and bool(owner.token)
            self._last, self._since = now, self._clock.now()
        return self._clock.now() - self._since >= DEAD_SECONDS


@contextmanager
def volume_lock(
    runner: Runner, volume: str, doing: str, stopping: Callable[[], bool], clock: Clock
) -> Iterator[VolumeLock]:
    """Hold the lock. Raises LockTaken, Stopped, Stumbled, faults.Unreachable."""
    lock = VolumeLock(runner, volume, doing, clock)
    _OURS.add(lock.token)
    try:
        lock.acquire(stopping)
        try:
            yield lock
        finally:
            lock.release()
    finally:
        _OURS.discard(lock.token)
