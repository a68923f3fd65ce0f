"""A clone of a disk: it takes time, tells how far it is, holds locks, and ended early leaves a partial disk behind."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Iterator

from reconciler.simulator import locks
from reconciler.simulator.disks import (
    GRAIN,
    SECTOR,
    SPARSE_SECTORS,
    Disk,
    descriptor,
    sparse_begin,
    sparse_write,
)
from reconciler.simulator.nodes import Node
from reconciler.simulator.tools.call import Call, Usage

STEP = 1 << 20
Refusal = Callable[[Call, str, int], str]


class Cloning:
    """One `vmkfstools -i`."""

    def __init__(self, call: Call, form: str, refusal: Refusal) -> None:
        self._call, self._form, self._refusal = call, form, refusal
        self._host = call.host
        self._owner = f"clone {call.host.new_pid()} on {call.host.name} {id(call.host):x}"

    def may_read(self, disk: Disk) -> None:
        """2gbsparse needs the module multiextent on 5.1 to 6.0; from 6.5 on only what the model says is read."""
        if disk.create_type == "twoGbMaxExtentSparse":
            self._sparse_or_refuse()
        elif disk.sparse or disk.create_type in ("monolithicSparse", "streamOptimized"):
            raise Usage(self._refusal(self._call, "clone", 15))

    def may_write_sparse(self) -> None:
        self._sparse_or_refuse()

    def _sparse_or_refuse(self) -> None:
        release, model = self._host.release, self._host.model
        if release.since(6, 5):
            if not model.reads_2gbsparse:
                raise Usage(self._refusal(self._call, "clone", model.refuses_2gbsparse_with))
        elif release.since(5, 1) and "multiextent" not in self._host.modules:
            raise Usage(self._refusal(self._call, "clone", 25))

    async def run(self, disk: Disk, target: Node, name: str) -> None:
        """Copy all that may hold something. Raises Usage; whatever ends it, a partial disk stays."""
        pid = self._call.shell.pid
        self._host.running[pid] = self._call.argv
        try:
            for extent in disk.extents:
                if extent.node is not None:
                    locks.hold(extent.node, "shared", self._owner)
            if self._form == "2gbsparse":
                await self._to_sparse(disk, target, name)
            else:
                await self._to_flat(disk, target, name)
        except OSError as problem:
            code = {errno.ENOSPC: 13, errno.EBUSY: 16392}.get(problem.errno or 0, 25)
            raise Usage(self._refusal(self._call, "clone", code)) from problem
        finally:
            self._host.running.pop(pid, None)
            locks.release(self._owner)
        await self._call.out("Clone: 100% done.\n")

    async def _to_flat(self, disk: Disk, target: Node, name: str) -> None:
        from reconciler.simulator.esx.vmkfstools import new_flat

        flat = new_flat(self._call, target, name, disk.capacity, self._form, "clone")
        locks.hold(flat, "exclusive", self._owner)
        async for offset, data in self._steps(disk):
            flat.put(offset, data, self._host.now())

    async def _to_sparse(self, disk: Disk, target: Node, name: str) -> None:
        from reconciler.simulator.esx.vmkfstools import new_file

        stem, now, left, lines = name.removesuffix(".vmdk"), self._host.now(), disk.capacity // SECTOR, []
        extents: list[Node] = []
        while left:
            sectors = min(left, SPARSE_SECTORS)
            file = f"{stem}-s{len(extents) + 1:03d}.vmdk"
            extents.append(new_file(self._call, target, file, 0o600))
            sparse_begin(extents[-1], sectors, now)
            lines.append(f'RW {sectors} SPARSE "{file}"')
            left -= sectors
        new_file(self._call, target, name, 0o600).put(
            0,
            descriptor(stem, "twoGbMaxExtentSparse", lines, disk.capacity).encode("utf-8", "surrogateescape"),
            now,
        )
        async for offset, data in self._steps(disk):
            for at in range(0, len(data), GRAIN):
                number, within = divmod(offset + at, SPARSE_SECTORS * SECTOR)
                sparse_write(extents[number], within // GRAIN, data[at : at + GRAIN], self._host.now())

    async def _steps(self, disk: Disk) -> AsyncIterator[tuple[int, bytes]]:
        """What holds something, grain-aligned and without grains of zeros, at the model's pace, with progress told."""
        regions = disk.regions()
        total, done, told, rate = sum(size for _, size in regions), 0, -1, self._host.model.clone_rate
        for start, size in regions:
            for offset in range(start, start + size, STEP):
                length = min(STEP, start + size - offset)
                for piece in _filled(offset, disk.read(offset, length)):
                    yield piece
                done += length
                percent = done * 100 // max(1, total)
                if percent not in (told, 100):
                    told = percent
                    await self._call.out(f"Clone: {percent}% done.\r")
                await asyncio.sleep(length / rate if rate else 0)


def _filled(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Runs of grains that are not all zeros."""
    run: list[bytes] = []
    start = offset
    for at in range(0, len(data), GRAIN):
        grain = data[at : at + GRAIN]
        if grain.count(0) == len(grain):
            if run:
                yield start, b"".join(run)
            run = []
            continue
        start = offset + at if not run else start
        run.append(grain)
    if run:
        yield start, b"".join(run)
