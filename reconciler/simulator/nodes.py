"""What stands in a simulated file system: volumes with a size, and nodes with inode number, mode and content.

On visorfs, the RAM disk behind `/`, a file of /etc is saved by the configuration backup only when it is *branched*,
which shows as the sticky bit in its mode and as a marker `.#NAME` in `find` (field guide, sections 4 and 5).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.simulator.blobs import Blob
from reconciler.simulator.shell.streams import error

STICKY = 0o1000
BLOCK = 512
LARGE = 256 * 1024
"""Files of datastores that are longer live on this machine's disk, with their holes."""
VMFS_BLOCKS = (1 << 20, 2 << 20, 4 << 20, 8 << 20)
FILE_BLOCKS = {"VMFS": VMFS_BLOCKS[0], "NFS": 4096}
SUB_BLOCK = 8192
"""On VMFS a file that is not longer takes so much; every longer one takes whole file blocks."""


@dataclass
class Volume:
    """A file system with its own capacity (bytes) and inode numbers.

    `kind` is `visorfs`, `tmp`, `vfat`, `VMFS` or `NFS`. `online` False: it lists, but nothing on it can be reached.
    `sealed`: nothing can be made or removed on it by hand (/vmfs/volumes, /dev). `full`: nothing more fits.
    `ballast` is room that something else has taken. `file_block`: what is given to a file at once, in bytes; 0: as the
    kind has it.
    """

    kind: str
    capacity: int
    used: int = 0
    read_only: bool = False
    online: bool = True
    sealed: bool = False
    full: bool = False
    ballast: int = 0
    file_block: int = 0
    last_inode: int = 0
    root: Node = field(init=False)

    def __post_init__(self) -> None:
        self.root = Node(self, "d", 0o755 if self.kind == "visorfs" else 0o1755)

    def inode(self) -> int:
        self.last_inode += 1
        return self.last_inode

    def charge(self, growth: int) -> None:
        """Account for `growth` bytes; raises ENOSPC when they don't fit."""
        if growth > 0 and (self.full or self.used + self.ballast + growth > self.capacity):
            raise error(errno.ENOSPC)
        self.used += growth

    def fill(self, free: int | None) -> None:
        """Leave only `free` bytes of room; None: all of it again."""
        self.ballast = 0 if free is None else max(0, self.capacity - self.used - free)

    @property
    def block(self) -> int:
        """The size of its file blocks."""
        return self.file_block or FILE_BLOCKS.get(self.kind, 1)

    def charged(self, length: int) -> int:
        """What a file of that length without holes takes."""
        unit = SUB_BLOCK if self.kind == "VMFS" and length <= SUB_BLOCK else self.block
        return -(-length // unit) * unit

    @property
    def free(self) -> int:
        return 0 if self.full else max(0, self.capacity - self.used - self.ballast)

    def reached(self) -> Node:
        """The root, or EIO when the volume is not there."""
        if not self.online:
            raise error(errno.EIO)
        return self.root

    def writable(self) -> None:
        """Raise what a write to this volume would be answered with, if it is refused."""
        self.reached()
        if self.read_only:
            raise error(errno.EROFS)
        if self.sealed:
            raise error(errno.EPERM)


class FatNames(dict[str, "Node"]):
    """The names in a folder of a FAT volume: found whatever their case, kept as they were first written."""

    def _known(self, name: str) -> str:
        if super().__contains__(name):
            return name
        return next((each for each in self if each.casefold() == name.casefold()), name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(self._known(str(name)))

    def __getitem__(self, name: str) -> Node:
        return super().__getitem__(self._known(name))

    def __setitem__(self, name: str, node: Node) -> None:
        super().__setitem__(self._known(name), node)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(self._known(name))

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(self._known(name), default)

    def pop(self, name: str, *default: Any) -> Any:
        return super().pop(self._known(name), *default)


class Node:
    """A file ("f"), directory ("d"), link ("l") or device ("c")."""

    def __init__(self, volume: Volume, kind: str, mode: int, mtime: float = 0.0) -> None:
        self.volume, self.kind, self.mode, self.mtime = volume, kind, mode, mtime
        self.inode = volume.inode()
        self.uid = self.gid = 0
        self._small = b""
        self.blob: Blob | None = None
        self.locks: dict[str, str] = {}
        self.target = ""
        self.children: dict[str, Node] = FatNames() if volume.kind == "vfat" else {}
        self.branched = False
        self.stock = self.eager = False
        self.mounted: Volume | None = None
        self.unreachable = False
        self.program: Any = None
        self.links = 1

    @property
    def data(self) -> bytes:
        """All of it. Big files are better read in pieces, by `read_at`."""
        return self._small if self.blob is None else self.blob.read(0, self.blob.size)

    def read_at(self, offset: int, size: int) -> bytes:
        if self.blob is not None:
            return self.blob.read(offset, size)
        return self._small[offset : offset + size]

    @property
    def size(self) -> int:
        if self.kind == "d":
            return BLOCK
        if self.kind == "l":
            return len(self.target)
        return len(self._small) if self.blob is None else self.blob.size

    @property
    def allocated(self) -> int:
        """Bytes that it takes on its volume."""
        if self.kind != "f":
            return 0
        return self.volume.charged(len(self._small)) if self.blob is None else self.blob.allocated

    @property
    def fingerprint(self) -> bytes:
        """Stands for the content: equal only if that is."""
        return self._small if self.blob is None else self.blob.digest().encode()

    def entered(self) -> Node:
        """The directory that is seen here: the root of what is mounted on it, or itself."""
        if self.unreachable:
            raise error(errno.EIO)
        return self.mounted.reached() if self.mounted is not None else self

    @property
    def lock(self) -> str | None:
        """The strictest lock on it: `exclusive`, `shared` or none."""
        return "exclusive" if "exclusive" in self.locks.values() else "shared" if self.locks else None

    def refuse_locked(self, *, writing: bool) -> None:
        """Raise EBUSY when a lock forbids it: exclusive ones everything, shared ones writing."""
        if "exclusive" in self.locks.values() or (writing and self.locks):
            raise error(errno.EBUSY)

    def put(self, offset: int, data: bytes, now: float) -> None:
        """Write into a file at `offset`; raises ENOSPC when it does not fit."""
        end = offset + len(data)
        if end > LARGE:
            self._enlarge()
        if self.blob is not None:
            self._written(now)
            self.blob.write(offset, data, self.volume.charge)
            return
        padded = self._small + b"\0" * max(0, offset - len(self._small))
        self._replace(padded[:offset] + data + padded[end:])
        self._written(now)

    def truncate(self, size: int, now: float) -> None:
        if size > LARGE:
            self._enlarge()
        if self.blob is not None:
            self.blob.truncate(size, self.volume.charge)
        else:
            self._replace(self._small[:size] + b"\0" * max(0, size - len(self._small)))
        self._written(now)

    def preallocate(self, size: int, now: float) -> None:
        """Take the room for `size` bytes at once, and be so long; raises ENOSPC."""
        self._enlarge(always=True)
        if self.blob is not None:
            self.blob.preallocate(size, self.volume.charge)
            self.blob.truncate(size, self.volume.charge)
        self._written(now)

    def _replace(self, data: bytes) -> None:
        self.volume.charge(self.volume.charged(len(data)) - self.volume.charged(len(self._small)))
        self._small = data

    def _enlarge(self, *, always: bool = False) -> None:
        """From now on the content is a sparse file. Only datastores have such files."""
        if self.blob is not None or (self.volume.block == 1 and not always):
            return
        blob = Blob(self.volume.block)
        blob.write(0, self._small, lambda growth: None)
        # a file whose longer form finds no room stays as it is
        self.volume.charge(blob.allocated - self.allocated)
        self.blob, self._small = blob, b""

    def _written(self, now: float) -> None:
        self.mtime = now
        if self.stock and self.mode & STICKY:
            self.branched = True

    def set_mode(self, mode: int) -> None:
        """Permission bits; a FAT volume has none. The sticky bit of a visorfs file branches it, or ends that."""
        if self.volume.kind == "vfat":
            return
        self.mode = mode
        if self.kind == "f" and self.volume.kind == "visorfs":
            self.branched = bool(mode & STICKY)

    def discard(self) -> None:
        """Give the space of an unlinked node back."""
        self.volume.charge(-self.allocated)


def walk(node: Node, path: str, cross: bool = False) -> Iterator[tuple[str, Node]]:
    """`node` and all below it with their paths, names in order; into mounted volumes only when `cross`."""
    yield path, node
    if node.mounted is not None:
        if not cross or not node.mounted.online or node.unreachable:
            return
        node = node.mounted.root
    for name in sorted(node.children):
        yield from walk(node.children[name], f"{path.rstrip('/')}/{name}", cross)
