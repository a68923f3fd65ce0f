"""A disk's data in parts that travel: runs of bytes, and chunks of runs. Pure.

A chunk is what is sent, read back, compared and noted at once; all offsets are whole blocks of 64 KiB.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from reconciler.records import record

BLOCK = 64 * 1024
CHUNK = 8 << 20
SLACK = 50
"""Gaps are filled up to one part in so many of the data, since every run costs the host two processes."""


@record
class Run:
    """A stretch of a disk, in bytes."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


@record
class Chunk:
    """Runs that travel together; `number` counts from 0."""

    number: int
    runs: tuple[Run, ...]

    @property
    def size(self) -> int:
        return sum(run.length for run in self.runs)


def aligned(runs: Iterable[Run], capacity: int) -> tuple[Run, ...]:
    """The same stretches in whole blocks, in order, joined where they touch; the last block may be cut by the end."""
    result: list[Run] = []
    for run in sorted(runs, key=lambda it: it.offset):
        start = run.offset // BLOCK * BLOCK
        end = min(-(-run.end // BLOCK) * BLOCK, capacity)
        if start >= end:
            continue
        if result and start <= result[-1].end:
            start, end = result[-1].offset, max(result[-1].end, end)
            result.pop()
        result.append(Run(start, end - start))
    return tuple(result)


def joined(runs: Sequence[Run]) -> tuple[Run, ...]:
    """With the smallest gaps filled, as long as all fillings together stay below the slack."""
    gaps = [
        (after.offset - before.end, number) for number, (before, after) in enumerate(itertools.pairwise(runs))
    ]
    budget, filled = sum(run.length for run in runs) // SLACK, set[int]()
    for gap, number in sorted(gaps):
        if gap > budget:
            break
        budget -= gap
        filled.add(number)
    result: list[Run] = []
    for number, run in enumerate(runs):
        if number - 1 in filled:
            result[-1] = Run(result[-1].offset, run.end - result[-1].offset)
        else:
            result.append(run)
    return tuple(result)


def taken(runs: Iterable[Run], block: int) -> int:
    """What a thin disk takes that holds these runs (in order): every file block of `block` bytes that one touches."""
    blocks = end = 0
    for run in runs:
        first, last = run.offset // block, -(-run.end // block)
        blocks += max(0, last - max(first, end))
        end = max(end, last)
    return blocks * block


def chunks(runs: Sequence[Run], size: int = CHUNK) -> tuple[Chunk, ...]:
    """The runs in chunks of at most `size` bytes (a multiple of the block), in order, each byte once."""
    whole: list[tuple[Run, ...]] = []
    chunk: list[Run] = []
    room = size
    for piece in _pieces(runs, size):
        while piece.length > room:
            if room:
                chunk.append(Run(piece.offset, room))
                piece = Run(piece.offset + room, piece.length - room)
            whole.append(tuple(chunk))
            chunk, room = [], size
        chunk.append(piece)
        room -= piece.length
    if chunk:
        whole.append(tuple(chunk))
    return tuple(Chunk(number, parts) for number, parts in enumerate(whole))


def _pieces(runs: Sequence[Run], size: int) -> Iterator[Run]:
    for run in runs:
        for offset in range(run.offset, run.end, size):
            yield Run(offset, min(size, run.end - offset))
