"""The copy that a deletion relies on, looked at to its ground: the tables of its sparse extents must point to nothing
that is not there. A look from outside sees only that the files are there, and a copy that was broken off has them too.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from reconciler.actuators.ssh.images.files import fetch_all
from reconciler.actuators.ssh.images.runner import HostRunner
from reconciler.disks.descriptors import BadDisk
from reconciler.disks.headers import check_sparse
from reconciler.disks.sources import open_source
from reconciler.image_verbs import Copy
from reconciler.transports.shell import quote

BLOCK, TOGETHER, KEPT = 4096, 64, 8
"""Bytes that are read at once: a block, or so many where tables lie together; and how many such windows are kept."""
READ_SECONDS = 300.0
SEVERAL_FILES, ONE_FILE = "twoGbMaxExtentSparse", ("monolithicSparse", "streamOptimized")
SCATTERED = "streamOptimized"
"""A form whose tables lie among the data."""
PUT_TOGETHER = ("qcow2", "vdi")


def objection(runner: HostRunner, copy: Copy, spool: Path, passing: Callable[[int], None]) -> str | None:
    """Why the copy is no whole one; None when it is. One on this machine was read to its ground when it was looked at.

    A qcow2 or vdi on the host comes here for it; `passing` hears of its bytes, and may raise to end it.
    Raises Stumbled, OSError, MissingTool, faults.Unreachable.
    """
    if copy.here:
        return None
    try:
        if copy.form in PUT_TOGETHER:
            _fetched(runner, copy, spool, passing)
        for name, size in _sparse(copy):
            blocks = 1 if copy.form == SCATTERED else TOGETHER
            check_sparse(_Reader(runner, f"{copy.folder}/{name}", blocks), size)
    except BadDisk as bad:
        return f"the copy in {copy.folder}, on which that relies, is no whole one: {bad}"
    return None


def _sparse(copy: Copy) -> tuple[tuple[str, int], ...]:
    """The sparse extents, with their sizes in bytes. Flat ones were seen in full size."""
    if copy.form == SEVERAL_FILES:
        return copy.files[1:]
    return copy.files if copy.form in ONE_FILE else ()


def _fetched(runner: HostRunner, copy: Copy, spool: Path, passing: Callable[[int], None]) -> None:
    stem = copy.files[0][0].rpartition(".")[0]
    place = spool / hashlib.sha256(f"copy {copy.folder}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    # what was cut off on its way stays, for the next run to go on with
    fetch_all(runner, copy.folder, stem, place, passing)
    try:
        open_source(place, stem, copy.form).close()
    finally:
        shutil.rmtree(place, ignore_errors=True)


class _Reader:
    """Reads a file on the host at any place, in windows of so many blocks; the last ones are at hand."""

    def __init__(self, runner: HostRunner, path: str, blocks: int) -> None:
        self._runner, self._path, self._blocks = runner, quote(path), blocks
        self._seen: dict[int, bytes] = {}

    def __call__(self, offset: int, length: int) -> bytes:
        size = BLOCK * self._blocks
        first, last = offset // size, (offset + max(1, length) - 1) // size
        whole = b"".join(self._window(number) for number in range(first, last + 1))
        return whole[offset - first * size :][:length]

    def _window(self, number: int) -> bytes:
        if number not in self._seen:
            found = bytearray()
            where = f"bs={BLOCK} skip={number * self._blocks} count={self._blocks}"
            command = f"dd if={self._path} {where} 2>/dev/null"
            self._runner.session.receive(command, found.extend, limit=READ_SECONDS)
            while len(self._seen) >= KEPT:
                del self._seen[next(iter(self._seen))]
            self._seen[number] = bytes(found)
        return self._seen[number]
