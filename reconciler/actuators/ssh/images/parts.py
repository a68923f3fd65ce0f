"""The commands that write a chunk to a disk's flat file, and that read one back. Pure.

Old hosts' `dd` has bs, seek, skip, count and conv=notrunc only, and reads short from a pipe: a chunk arrives in a file
beside the disk, from which it never reads short.
"""

from __future__ import annotations

import zlib

from reconciler.disks.chunks import BLOCK, Chunk, Run

GZIP = 16 + zlib.MAX_WBITS
SAMPLE = 256 * 1024
PAYS = 0.8
"""Compressed to more than this it is not worth the trouble."""
SLOW_LINK = 25 << 20
"""Bytes per second: a faster link carries the data sooner than it is compressed."""


def write_commands(chunk: Chunk, part: str, flat: str) -> str:
    """Copy the runs of a chunk from its file (both quoted) to their places."""
    return " && ".join(
        f"dd if={part} of={flat} bs={BLOCK} skip={at // BLOCK} seek={run.offset // BLOCK} "
        f"count={-(-run.length // BLOCK)} conv=notrunc"
        for run, at in layout(chunk)
    )


def read_commands(chunk: Chunk, flat: str) -> str:
    """Print what the disk holds at a chunk's places."""
    reads = (
        f"dd if={flat} bs={BLOCK} skip={run.offset // BLOCK} count={-(-run.length // BLOCK)} 2>/dev/null"
        for run in chunk.runs
    )
    return f"{{ {'; '.join(reads)}; }}"


def size_of(path: str) -> str:
    """A command that prints the size of a file (`path` is quoted), in bytes: where stat has no such option, ls tells it
    (field guide: of 4.1 it is not known)."""
    return f'{{ stat -c %s {path} 2>/dev/null || ls -lnd {path} | {{ read -r _ _ _ _ s _ && echo "$s"; }}; }}'


def holds(chunk: Chunk, flat: str, digest: str) -> str:
    """Whether the disk holds what was sent."""
    return f"[ \"$({read_commands(chunk, flat)} | md5sum)\" = '{digest}  -' ]"


def layout(chunk: Chunk) -> tuple[tuple[Run, int], ...]:
    """Where each run stands in the chunk's file: one after the other, each from a whole block on."""
    found, at = [], 0
    for run in chunk.runs:
        found.append((run, at))
        at += -(-run.length // BLOCK) * BLOCK
    return tuple(found)


def worth_packing(data: bytes | memoryview, link: float | None) -> bool:
    """Whether to compress a chunk: only on a link that is known to be slow (bytes per second), and if it helps."""
    if link is None or link > SLOW_LINK:
        return False
    sample = data[:SAMPLE]
    return len(zlib.compress(sample, 1)) < PAYS * len(sample)


def packed(data: bytes | memoryview) -> bytes:
    """As `gunzip` reads it."""
    packing = zlib.compressobj(1, wbits=GZIP)
    return packing.compress(data) + packing.flush()


def noted(journal: tuple[str, ...], chunks: tuple[Chunk, ...]) -> dict[int, str]:
    """The chunks that a journal says are there, with their digests; what makes no sense is left out."""
    found: dict[int, str] = {}
    for line in journal:
        number, _, digest = line.partition(" ")
        if number.isdigit() and int(number) < len(chunks) and len(digest) == 32:
            found[int(number)] = digest
    return found
