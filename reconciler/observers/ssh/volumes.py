"""Volumes: the folders on them, half copies of ours, the size of file blocks; and modules of the VMkernel."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from reconciler.facts import Place
from reconciler.image_facts import FileBlock, HalfCopies, HalfCopy, Library, TopDisk, TopDisks
from reconciler.observers.ssh import vmx
from reconciler.observers.ssh.answers import text_of
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.folders import enter, entered
from reconciler.observers.ssh.frames import Frames
from reconciler.transports.shell import Piece, quote

Pieces = Sequence[Piece]
JOB = "reconciler job 1"
MODULES = "vmkload_mod -l"
BLOCKS = re.compile(r"\(\d+ file blocks \* (\d{1,12})\)|file block size (\d{1,6}) (B|KB|MB)\b", re.ASCII)
UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20}

_FOLDERS = """for i in *; do
if [ -d "$i" ] && [ ! -L "$i" ]; then printf '%s\\0' "$i"; fi
done"""
_JOBS = """for i in .reconciler-*; do
case $i in .reconciler-lock) continue;; esac
[ -d "$i" ] && [ ! -L "$i" ] || continue
s=0; l=; if [ -e "$i/job" ]; then l=$(dd if="$i/job" bs=4096 count=16 2>/dev/null); s=$?; fi
printf '%s\\0%s\\0%s\\0%s\\0' "$i" $s "$l" "$(du -sk "$i" 2>/dev/null)"
done"""
_READ = 'dd if="$i" bs=4096 count=17'
_CONFIGS = f"""do if l=$({_READ} 2>/dev/null); then printf '0\\0%s\\0' "$l"
else printf '1\\0%s\\0' "$({_READ} 2>&1 >/dev/null)"; fi
done"""


def library_script(question: Library) -> str:
    return enter(f"{question.base}/.") + _FOLDERS


def library(pieces: Pieces) -> tuple[str, ...] | None:
    """The names of folders, from `library_script`; None when there is no folder that could hold any."""
    listing, frames = entered(pieces[0])
    if listing.place is Place.ABSENT:
        return None
    if listing.place is not Place.FOLDER:
        raise Unreadable("no folder stands there", listing.kind)
    names = []
    while frames.more:
        names.append(frames.text())
    return tuple(names)


def half_copies_script(question: HalfCopies) -> str:
    return enter(f"{question.volume}/.") + _JOBS


def half_copies(pieces: Pieces) -> tuple[HalfCopy, ...]:
    """Our jobs at the root of a volume, from `half_copies_script`.

    One that does not say what it is to become has no image, and stands as its own target.
    """
    listing, frames = entered(pieces[0])
    if listing.place is not Place.FOLDER:
        raise Unreadable("the volume is not there", listing.kind)
    found = []
    while frames.more:
        found.append(_half_copy(frames.text(), frames.number(), frames.text(), frames.text()))
    return tuple(found)


def _half_copy(folder: str, status: int, job: str, usage: str) -> HalfCopy:
    if status != 0:
        raise Unreadable("what is being copied could not be read", folder)
    used = re.match(r"(\d{1,15})\s", usage, re.ASCII)
    if used is None:
        raise Unreadable("du does not tell the size of a half copy", usage)
    head, *lines = job.split("\n")
    said = dict(line.split(" ", 1) for line in lines if " " in line) if head == JOB else {}
    return HalfCopy(folder, said.get("image", ""), said.get("target", folder), 1024 * int(used[1]))


def file_block_script(question: FileBlock) -> str:
    return f"vmkfstools -P {quote(question.volume)}"


def file_block(pieces: Pieces) -> int:
    """The size of a volume's file blocks, from `vmkfstools -P` (field captures: vfat of 5.0 and 7.0, VMFS-6)."""
    text = text_of(pieces[0])
    match = BLOCKS.search(text)
    size = 0 if match is None else int(match[1] or int(match[2]) * UNITS[match[3]])
    if size == 0:
        raise Unreadable("vmkfstools does not tell the size of file blocks", text)
    return size


def top_disks_script(question: TopDisks) -> str:
    names = " ".join(quote(config) for config in question.configs)
    return f"for i in {names}; {_CONFIGS}" if names else ":"


def top_disks(configs: Sequence[str]) -> Callable[[Pieces], tuple[TopDisk, ...]]:
    """Read the configuration files that `top_disks_script` printed. Raises Unreadable when one can't be read."""

    def read(pieces: Pieces) -> tuple[TopDisk, ...]:
        frames = Frames(pieces[0].out)
        return tuple(disk for config in configs for disk in _top_disks(config, frames))

    return read


def _top_disks(config: str, frames: Frames) -> list[TopDisk]:
    status, content = frames.number(), frames.piece()
    if status != 0:
        raise Unreadable(f"{config} could not be read", content.decode("utf-8", "replace"))
    return vmx.top_disks(config, content)


def module_loaded(module: str) -> Callable[[Pieces], bool]:
    """Whether `vmkload_mod -l` lists a module: the first word of a line. Some are always loaded."""

    def read(pieces: Pieces) -> bool:
        rows = [line.split() for line in text_of(pieces[0]).split("\n") if line.strip()]
        if not rows:
            raise Unreadable("no list of VMkernel modules", "")
        return module in {row[0] for row in rows}

    return read


def seconds(pieces: Pieces) -> int:
    """What `date +%s` printed. Raises Unreadable."""
    text = text_of(pieces[0]).strip()
    if not text.isdecimal():
        raise Unreadable("the host does not tell its time", text)
    return int(text)
