"""What stands in a simulated file system: volumes with a size, and nodes with inode number, mode and content.

On visorfs, the RAM disk behind `/`, a file of /etc is saved by the configuration backup only when it is *branched*,
which shows as the sticky bit in its mode and as a marker `.#NAME` in `find` (field guide, sections 4 and 5).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.simulator.shell.streams import error

STICKY = 0o1000
BLOCK = 512


@dataclass
class Volume:
    """A file system with its own capacity (bytes) and inode numbers.

    `kind` is `visorfs`, `tmp`, `vfat`, `VMFS` or `NFS`. `online` False: it lists, but nothing on it can be reached.
    `sealed`: nothing can be made or removed on it by hand (/vmfs/volumes, /dev). `full`: nothing more fits.
    """

    kind: str
    capacity: int
    used: int = 0
    read_only: bool = False
    online: bool = True
    sealed: bool = False
    full: bool = False
    last_inode: int = 0
    root: Node = field(init=False)

    def __post_init__(self) -> None:
        self.root = Node(self, "d", 0o755 if self.kind == "visorfs" else 0o1755)

    def inode(self) -> int:
        self.last_inode += 1
        return self.last_inode

    def charge(self, growth: int) -> None:
        """Account for `growth` bytes; raises ENOSPC when they don't fit."""
        if growth > 0 and (self.full or self.used + growth > self.capacity):
            raise error(errno.ENOSPC)
        self.used += growth

    @property
    def free(self) -> int:
        return 0 if self.full else max(0, self.capacity - self.used)

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
        self.data = b""
        self.target = ""
        self.children: dict[str, Node] = FatNames() if volume.kind == "vfat" else {}
        self.branched = False
        self.stock = False
        self.mounted: Volume | None = None
        self.unreachable = False
        self.program: Any = None
        self.links = 1

    @property
    def size(self) -> int:
        if self.kind == "d":
            return BLOCK
        return len(self.target) if self.kind == "l" else len(self.data)

    def entered(self) -> Node:
        """The directory that is seen here: the root of what is mounted on it, or itself."""
        if self.unreachable:
            raise error(errno.EIO)
        return self.mounted.reached() if self.mounted is not None else self

    def put(self, offset: int, data: bytes, now: float) -> None:
        """Write into a file at `offset`; raises ENOSPC when it does not fit."""
        end = offset + len(data)
        self.volume.charge(max(0, end - len(self.data)))
        padded = self.data + b"\0" * max(0, offset - len(self.data))
        self.data = padded[:offset] + data + padded[end:]
        self._written(now)

    def truncate(self, size: int, now: float) -> None:
        self.volume.charge(size - len(self.data))
        self.data = self.data[:size] + b"\0" * max(0, size - len(self.data))
        self._written(now)

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
        self.volume.charge(-len(self.data))


def walk(node: Node, path: str, cross: bool = False) -> Iterator[tuple[str, Node]]:
    """`node` and all below it with their paths, names in order; into mounted volumes only when `cross`."""
    yield path, node
    if node.mounted is not None:
        if not cross or not node.mounted.online or node.unreachable:
            return
        node = node.mounted.root
    for name in sorted(node.children):
        yield from walk(node.children[name], f"{path.rstrip('/')}/{name}", cross)
