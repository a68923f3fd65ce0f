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
from reconciler.disks.nbd import MissingTool
from reconciler.disks.sources import open_source
from reconciler.image_verbs import Copy
from reconciler.transports.shell import quote

BLOCK, WINDOW = 65536, 4
"""What is read at once: so many blocks of so many bytes."""
READ_SECONDS = 300.0
SEVERAL_FILES, ONE_FILE = "twoGbMaxExtentSparse", ("monolithicSparse", "streamOptimized")
PUT_TOGETHER = ("qcow2", "vdi")


def objection(runner: HostRunner, copy: Copy, spool: Path, passing: Callable[[int], None]) -> str | None:
    """Why the copy is no whole one; None when it is. One on this machine was read to its ground when it was looked at.

    A qcow2 or vdi on the host comes here for it; `passing` hears of its bytes, and may raise to end it.
    Raises Stumbled, OSError, faults.Unreachable.
    """
    if copy.here:
        return None
    try:
        if copy.form in PUT_TOGETHER:
            _fetched(runner, copy, spool, passing)
        for name, size in _sparse(copy):
            check_sparse(_Reader(runner, f"{copy.folder}/{name}"), size)
    except (BadDisk, MissingTool) as bad:
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
    fetch_all(runner, copy.folder, stem, place, passing)
    open_source(place, stem, copy.form).close()
    shutil.rmtree(place, ignore_errors=True)


class _Reader:
    """Reads a file on the host at any place; what was read before is at hand."""

    def __init__(self, runner: HostRunner, path: str) -> None:
        self._runner, self._path = runner, quote(path)
        self._seen: dict[int, bytes] = {}

    def __call__(self, offset: int, length: int) -> bytes:
        size = BLOCK * WINDOW
        first, last = offset // size, (offset + max(1, length) - 1) // size
        whole = b"".join(self._window(number) for number in range(first, last + 1))
        return whole[offset - first * size :][:length]

    def _window(self, number: int) -> bytes:
        if number not in self._seen:
            found = bytearray()
            command = f"dd if={self._path} bs={BLOCK} skip={number * WINDOW} count={WINDOW} 2>/dev/null"
            self._runner.session.receive(command, found.extend, limit=READ_SECONDS)
            self._seen[number] = bytes(found)
        return self._seen[number]
