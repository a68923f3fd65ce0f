"""What stands at a path, as `ls -ldn PATH` tells it."""

from __future__ import annotations

import re

from reconciler.facts import Place
from reconciler.observers.ssh.errors import Unreadable
from reconciler.records import record

MODE = re.compile(r"[-bcdlps](?:[-r][-w][-xsStT]){3}(?=[\s.+@])")
SIZE = re.compile(r"\S+ +\d+ +\S+ +\S+ +(\d{1,19}) ", re.ASCII)
KINDS = {
    "-": "a file",
    "d": "a folder",
    "l": "a link",
    "b": "a device",
    "c": "a device",
    "p": "a pipe",
    "s": "a socket",
}


@record
class Listing:
    """What `ls -ldn` shows: `mode` has ten characters (`-rw------T`), or none when nothing stands there.

    `size` is in bytes, None where it is not told.
    """

    place: Place
    mode: str = ""
    size: int | None = None

    @property
    def sticky(self) -> bool:
        """The sticky bit, which visorfs shows for a file that the configuration backup takes along."""
        return self.mode[-1:] in ("t", "T")

    @property
    def loose(self) -> bool:
        """Whether the group or everybody may write there."""
        return "w" in (self.mode[5:6] + self.mode[8:9])

    @property
    def bits(self) -> int:
        """The permissions as a number: `rwxr-xr-x` is 0o755."""
        return sum(1 << (8 - at) for at, letter in enumerate(self.mode[1:]) if letter in "rwxst")

    @property
    def kind(self) -> str:
        """For people: `a file`, `a folder`, `a link`."""
        return KINDS.get(self.mode[:1], self.place.value)


def listed(status: int, out: str, err: str) -> Listing:
    """Read exit status and both streams of `ls -ldn PATH`.

    A path below something that is no folder has `a file` in its way. Raises Unreadable for every other error
    (a dead NFS server's, say).
    """
    if status == 0:
        return _present(out)
    said = (err.strip() or out.strip()).lower()
    if said.startswith("ls: ") and said.endswith(": no such file or directory"):
        return Listing(Place.ABSENT)
    if said.startswith("ls: ") and said.endswith(": not a directory"):
        return Listing(Place.OTHER)
    raise Unreadable(f"ls failed (exit status {status})", err.strip() or out)


def _present(out: str) -> Listing:
    match = MODE.match(out)
    if match is None:
        raise Unreadable("no listing of a file", out)
    size = SIZE.match(out)
    place = Place.FOLDER if match[0][0] == "d" else Place.OTHER
    return Listing(place, match[0], int(size[1]) if size is not None else None)
