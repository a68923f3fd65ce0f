"""Chunks of a disk as they travel, each read while the one before it is on its way."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

from reconciler.actuators.ssh.images import parts
from reconciler.disks.chunks import Chunk
from reconciler.disks.sources import Source
from reconciler.records import record


@record
class Load:
    """What a chunk's file holds, and its MD5."""

    chunk: Chunk
    content: memoryview
    digest: str


def loads(source: Source, chunks: Sequence[Chunk]) -> Generator[Load, None, None]:
    """The chunks in order; a load is good until the next but one is asked for. Raises OSError, QemuFailed.

    Three pieces of memory take turns: a fresh one for each chunk costs as much time as reading it.
    """
    largest = max((_size(chunk) for chunk in chunks), default=0)
    rooms = [memoryview(bytearray(largest)) for _ in range(3)]
    with ThreadPoolExecutor(max_workers=1) as reading:
        ahead = [reading.submit(_read, source, chunk, rooms[0]) for chunk in chunks[:1]]
        for number, _ in enumerate(chunks, 1):
            load = ahead.pop().result()
            if number < len(chunks):
                ahead.append(reading.submit(_read, source, chunks[number], rooms[number % 3]))
            yield load


def _size(chunk: Chunk) -> int:
    run, at = parts.layout(chunk)[-1]
    return at + run.length


def _read(source: Source, chunk: Chunk, room: memoryview) -> Load:
    content, end = room[: _size(chunk)], 0
    for run, at in parts.layout(chunk):
        content[end:at] = bytes(at - end)
        end = at + run.length
        source.read_into(run.offset, content[at:end])
    return Load(chunk, content, md5_of(content))


def md5_of(data: bytes | memoryview) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
