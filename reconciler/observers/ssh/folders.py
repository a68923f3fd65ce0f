"""What lies in a folder of a volume: one compact script for each folder, however many are asked for in one look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from reconciler.facts import Place
from reconciler.image_facts import DiskFile
from reconciler.observers.ssh import files
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.frames import Frames
from reconciler.observers.ssh.locations import VOLUMES
from reconciler.observers.ssh.search import BUSY
from reconciler.records import record
from reconciler.transports.shell import Piece, quote

BLOCK = 4096
DESCRIPTOR, HEADER = 16 * BLOCK, BLOCK
"""How much of a file is read (bytes). A descriptor is never longer; one inside a disk lies near its beginning."""
STAT = re.compile(r"([0-7]{1,5}) (\d{1,19}) (\d{1,19}) (\d{1,6}|%?B) (-?\d{1,19}) (\S.*)", re.ASCII)
KINDS = {
    "regular file": "-",
    "regular empty file": "-",
    "directory": "d",
    "symbolic link": "l",
    "fifo": "p",
    "socket": "s",
    "character special file": "c",
    "block special file": "b",
}
MACHINES = (".vmx", ".vmtx")
NO_DESCRIPTORS = (
    "*-flat.vmdk|*-delta.vmdk|*-sesparse.vmdk|*-rdm.vmdk|*-rdmp.vmdk|*-ctk.vmdk|*-[sf][0-9][0-9][0-9].vmdk"
)

# What ls says of the folder $1, and, only when it is not there, of the volume $2 below it. Then into it, unless it is
# none: a link is not followed.
ENTER = """reconciler_enter() {
l=$(ls -ldn "$1" 2>&1); s=$?; printf '%s\\0%s\\0' $s "$l"
[ $s = 0 ] || { l=$(ls -ldn "$2/." 2>&1); printf '%s\\0%s\\0' $? "$l"; exit 0; }
[ -d "$1" ] && [ ! -L "$1" ] || exit 0
cd "$1" || exit 8
}"""

# The contents of the folder $1 on the volume $2: names; what stat prints, a line for each name in their order (where it
# has no such option, ls tells of each name on its own); names of configuration files at any depth; files that a running
# machine holds alone, for these can't be opened; the first $4 blocks of the file $3, and with more than one block of
# whatever may be a descriptor.
LOOK_INTO = f"""reconciler_look_into() {{
reconciler_enter "$1" "$2"; d=$3; b=$4; m=; set --
for i in * .[!.]* ..?*; do
[ -e "./$i" ] || [ -L "./$i" ] || continue
set -- "$@" "./$i"; if [ -d "./$i" ]; then m=1; fi
done
printf '%s\\0' $# "$@"; [ $# != 0 ] || exit 0
if l=$(stat -c '%a %s %b %B %Y %F' "$@" 2>/dev/null); then printf 'stat\\0%s\\0' "$l"
else printf 'ls\\0'; for i in "$@"; do printf '%s\\0' "$(ls -ldn "$i" 2>&1)"; done; fi
s=0; l=; if [ -n "$m" ]; then l=$(find . -name '*.vm*x' 2>&1); s=$?; fi; printf '%s\\0%s\\0' $s "$l"
for i in "$@"; do
[ -f "$i" ] && [ ! -L "$i" ] || continue
case $i in *-flat.vmdk) dd if="$i" of=/dev/null bs=512 count=1;; *) true <"$i";; esac >/dev/null 2>&1 ||
l=$(dd if="$i" of=/dev/null bs=512 count=1 2>&1) || printf 'lock\\0%s\\0%s\\0' "$i" "$l"
case $i in "$d") ;; {NO_DESCRIPTORS}) continue;; *.vmdk) [ $b != 1 ] || continue;; *) continue;; esac
printf 'head\\0%s\\0' "$i"; dd if="$i" bs={BLOCK} count=$b 2>/dev/null; printf '\\0%s\\0' $?
done
}}"""


def volume_root(path: str) -> str:
    """The root of the volume on which an absolute path lies; `/` for a path elsewhere on the host."""
    if not path.startswith(VOLUMES):
        return "/"
    return VOLUMES + path.removeprefix(VOLUMES).partition("/")[0]


def enter(path: str) -> str:
    """The beginning of a script that works in the folder `path`, and says beforehand what stands there."""
    return f"reconciler_enter {quote(path)} {quote(volume_root(path))}\n"


def look_into(path: str, file: str, length: int) -> str:
    """The contents of a folder, with the first `length` bytes of `file`: DESCRIPTOR, then all descriptors are read as
    far, or HEADER."""
    words = (path, volume_root(path), f"./{file}", str(length // BLOCK))
    return " ".join(["reconciler_look_into", *map(quote, words)])


@record
class Contents:
    """What lies in a folder whose own mode is `mode`.

    `heads` are the first bytes of what may be a descriptor (None: they can't be read), `locked` are the files that a
    running machine holds alone, `machines` configuration files at any depth.
    """

    mode: int
    files: tuple[DiskFile, ...] = ()
    machines: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    heads: Mapping[str, bytes | None] = field(default_factory=dict)


def entered(piece: Piece) -> tuple[files.Listing, Frames]:
    """What stands at the path that a script enters, and what the script printed then.

    Raises Unreadable also when the volume below it is not there: then it can't be told.
    """
    frames = Frames(piece.out)
    listing = _stands(frames)
    if piece.status != 0:
        raise Unreadable("a folder could not be looked into", piece.said)
    return listing, frames


def _stands(frames: Frames) -> files.Listing:
    status, text = frames.number(), frames.text()
    found = files.listed(status, text, text)
    if status != 0:
        status, text = frames.number(), frames.text()
        if files.listed(status, text, text).place is not Place.FOLDER:
            raise Unreadable("the volume is not there", text)
    return found


def contents(listing: files.Listing, frames: Frames, length: int) -> Contents:
    """What lies in a folder, from what a script printed after `entered`; `length` is how much of a head was read."""
    names = [frames.text().removeprefix("./") for _ in range(frames.number())]
    if not names:
        return Contents(listing.bits)
    found = _stat(names, frames) if frames.text() == "stat" else _ls(names, frames)
    status, text = frames.number(), frames.text()
    if status != 0:
        raise Unreadable("a folder could not be searched", text)
    deep = [line.removeprefix("./") for line in text.split("\n")]
    machines = {name for name in (*names, *deep) if name.endswith(MACHINES)}
    sizes = {file.name: min(file.size, length) for file in found}
    locked, heads = _rest(frames, sizes)
    return Contents(listing.bits, tuple(found), tuple(sorted(machines)), locked, heads)


def _stat(names: list[str], frames: Frames) -> list[DiskFile]:
    lines = frames.text().split("\n")
    if len(lines) != len(names):
        raise Unreadable("not every file was listed", "\n".join(lines))
    return [_stat_line(name, line) for name, line in zip(names, lines, strict=True)]


def _stat_line(name: str, line: str) -> DiskFile:
    match = STAT.fullmatch(line)
    if match is None or match[6] not in KINDS:
        raise Unreadable(f"stat does not tell what {name!r} is", line)
    # A stat that does not know the size of its blocks counts those of POSIX.
    allocated = int(match[3]) * (int(match[4]) if match[4].isdigit() else 512)
    return DiskFile(name, int(match[2]), int(match[1], 8), KINDS[match[6]], allocated, int(match[5]))


def _ls(names: list[str], frames: Frames) -> list[DiskFile]:
    return [_ls_line(name, frames.text()) for name in names]


def _ls_line(name: str, line: str) -> DiskFile:
    listing = files.listed(0, line, "")
    if listing.size is None:
        raise Unreadable(f"ls does not tell the size of {name!r}", line)
    return DiskFile(name, listing.size, listing.bits, listing.mode[0])


def _rest(frames: Frames, sizes: Mapping[str, int]) -> tuple[tuple[str, ...], dict[str, bytes | None]]:
    locked: list[str] = []
    heads: dict[str, bytes | None] = {}
    while frames.more:
        kind, name = frames.text(), frames.text().removeprefix("./")
        if kind == "lock":
            _is_busy(name, frames.text())
            locked.append(name)
        else:
            heads[name] = _head(frames, sizes[name])
    return tuple(locked), heads


def _is_busy(name: str, said: str) -> None:
    if not said.lower().rstrip().endswith(BUSY):
        raise Unreadable(f"{name!r} could not be read", said)


def _head(frames: Frames, length: int) -> bytes | None:
    """The length is known beforehand, so that nothing in the file can look like its end."""
    head = frames.raw(length)
    if head is None and (frames.piece() or frames.number() == 0):
        raise Unreadable("a file has changed while it was read", frames.rest())
    return head
