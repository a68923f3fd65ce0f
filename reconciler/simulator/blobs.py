"""The content of big files on datastores: sparse files of this machine that nobody else sees.

What a volume is charged for is blocks that were written, as on VMFS and NFS: a hole takes no room.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator

from reconciler.simulator.shell.streams import error

PIECE = 1 << 20
Charge = Callable[[int], None]


class Blob:
    """Bytes with holes. `block` is the size of what is allocated at once; `version` counts changes."""

    def __init__(self, block: int) -> None:
        file = tempfile.TemporaryFile(prefix="simulated-", buffering=0)  # noqa: SIM115 - it lives as long as this
        self._fd = file.fileno()
        self._close = weakref.finalize(self, file.close)
        self.block, self.size, self.version = block, 0, 0
        self.blocks: set[int] = set()
        self.thick = 0
        self._digest: tuple[int, str] | None = None

    @property
    def path(self) -> str:
        """Where other programs of this machine can open it while this process lives."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    @property
    def allocated(self) -> int:
        """Bytes that the volume was charged for."""
        beyond = sum(1 for number in self.blocks if number >= self.thick)
        return (self.thick + beyond) * self.block

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._fd, max(0, min(size, self.size - offset)), offset)

    def write(self, offset: int, data: bytes, charge: Charge) -> None:
        """Write; what does not fit any more is cut off and raises ENOSPC, as a real write does."""
        fitting = self._room(offset, len(data), charge)
        if fitting:
            os.pwrite(self._fd, data[:fitting], offset)
            self.size = max(self.size, offset + fitting)
            self.version += 1
        if fitting < len(data):
            raise error(errno.ENOSPC)

    def _room(self, offset: int, length: int, charge: Charge) -> int:
        """How many of `length` bytes at `offset` get a place."""
        if not length:
            return 0
        for number in range(offset // self.block, (offset + length - 1) // self.block + 1):
            if number >= self.thick and number not in self.blocks:
                try:
                    charge(self.block)
                except OSError:
                    return max(0, number * self.block - offset)
                self.blocks.add(number)
        return length

    def preallocate(self, size: int, charge: Charge) -> None:
        """Take the room for `size` bytes at once; raises ENOSPC."""
        wanted = -(-size // self.block)
        charge(wanted * self.block - self.allocated)
        self.thick = wanted

    def truncate(self, size: int, charge: Charge) -> None:
        """Cut, or lengthen by a hole."""
        os.ftruncate(self._fd, size)
        kept = -(-size // self.block)
        before = self.allocated
        self.blocks = {number for number in self.blocks if number < kept}
        self.thick = min(self.thick, kept)
        charge(self.allocated - before)
        self.size, self.version = size, self.version + 1

    def regions(self) -> Iterator[tuple[int, int]]:
        """Offset and length of each stretch that may hold something."""
        at = 0
        while at < self.size:
            try:
                start = os.lseek(self._fd, at, os.SEEK_DATA)
            except OSError:
                return
            at = os.lseek(self._fd, start, os.SEEK_HOLE)
            yield start, at - start

    def digest(self) -> str:
        """A hash of all that is in it; quick for holes, and kept until the next change."""
        if self._digest is None or self._digest[0] != self.version:
            sha = hashlib.sha256(str(self.size).encode())
            for start, length in self.regions():
                for offset in range(start, start + length, PIECE):
                    piece = self.read(offset, min(PIECE, start + length - offset))
                    if piece.count(0) != len(piece):
                        sha.update(b"%d:" % offset + piece)
            self._digest = self.version, sha.hexdigest()
        return self._digest[1]
