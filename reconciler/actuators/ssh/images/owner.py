"""Who has the lock of a volume, as its folder tells, and whether they are still there."""

from __future__ import annotations

import getpass
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import field
from pathlib import Path

from reconciler.records import record

BEAT_SECONDS = 5.0
DEAD_SECONDS = 20.0
SHOWN = 200
"""So many characters of what an owner says are shown."""
OURS: set[str] = set()
"""Tokens of the locks that this process holds: another one of its own was left when a link was lost."""
LIST = (
    'for o in {lock}/owner-*; do [ -d "$o" ] || continue; printf \'\\036%s\\n\' "${{o##*/}}"; ls "$o"; '
    "printf '\\037'; dd if=\"$o/who\" bs=4096 count=1 2>/dev/null; done; true"
)
"""Prints each owner: its folder's name, what lies in that, and only then what may be garbled."""


@record
class Pace:
    """Seconds: from beat to beat, without one until it is dead, between two looks at a lock that somebody has, and for
    which a lock that is alive is waited for, all in all."""

    beat: float = BEAT_SECONDS
    dead: float = DEAD_SECONDS
    look: float = 2.0
    patience: float = 60.0


PACE = Pace()


@record
class Clock:
    """Seconds that only go forward, and waiting: for a while, or until something is done (True when it is)."""

    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait
    pace: Pace = field(default_factory=lambda: PACE)


@record
class Owner:
    """Who has the lock. A token of "": nobody, there is only the folder."""

    token: str
    beats: tuple[str, ...]
    who: dict[str, str]

    @property
    def described(self) -> str:
        who, doing = self._says("who", "somebody"), self._says("doing", "something")
        return f"{who} has the volume's lock since {self._says('since', 'a while')} for: {doing}"

    def _says(self, key: str, otherwise: str) -> str:
        said = self.who.get(key, otherwise)[:SHOWN]
        return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in said)

    def is_gone(self) -> bool:
        """Whether it names this machine and a process that is not there any more, or has let go of it."""
        pid, start = self.who.get("pid"), self.who.get("start")
        if not pid or not start or not self.who.get("machine") or self.who["machine"] != machine():
            return False
        if not is_running(pid, start):
            return True
        return pid == str(os.getpid()) and self.token not in OURS


def owner_in(listing: str) -> Owner:
    """The owner in what LIST printed. Of several the first: one after the other is found dead, or alive."""
    first = listing.split("\x1e")[1:2]
    if not first:
        return Owner("", (), {})
    head, _, told = first[0].partition("\x1f")
    name, *inside = head.split("\n")
    # the last line may be torn
    who = dict(line.partition(" ")[::2] for line in told.split("\n")[:-1])
    beats = tuple(line for line in inside if re.fullmatch(r"beat-[0-9]+", line))
    return Owner(name.removeprefix("owner-"), beats, who)


def introduction(doing: str) -> str:
    """What an owner says of itself: this process."""
    lines = {
        "who": f"{_user()}@{socket.gethostname()}",
        "machine": machine(),
        "pid": str(os.getpid()),
        "start": process_start(str(os.getpid())) or "",
        "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "doing": doing,
    }
    return "".join(f"{key} {' '.join(value.split())}\n" for key, value in lines.items())


def _user() -> str:
    """A container may run as a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


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


def is_running(pid: str, start: str) -> bool:
    """Whether there is such a process that began then. What can't be told counts as running."""
    try:
        # other people's processes can be hidden in /proc, but not from this
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError, OverflowError):
        pass
    return process_start(pid) in (start, None)


def process_start(pid: str) -> str | None:
    """When a process began, in ticks since the boot (field 22 of /proc/PID/stat). None: it can't be seen; "": it has
    ended, and its parent has not taken notice."""
    try:
        stat = Path(f"/proc/{int(pid)}/stat").read_text()
    except (OSError, ValueError):
        return None
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]


class Watch:
    """Watches whether a lock's beat goes on, by its own clock: no time of another machine counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._since = clock, clock.now()
        self._last: tuple[str, tuple[str, ...]] | None = None

    def sees_life(self, owner: Owner) -> bool:
        """Whether something has moved between the look before and this one: there is somebody."""
        before, self._last = self._last, (owner.token, owner.beats)
        if before != self._last:
            self._since = self._clock.now()
        return before not in (None, self._last)

    @property
    def is_dead(self) -> bool:
        """Whether nothing has moved for so long that nobody can be there."""
        return self._clock.now() - self._since >= self._clock.pace.dead
