"""Virtual disks of simulated datastores: descriptors, flat and sparse extents, and reading what a guest would see.

Layout of sparse extents: VMware's "Virtual Disk Format 5.0". Descriptors as in field captures.
"""

from __future__ import annotations

import errno
import hashlib
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.simulator.nodes import Node
from reconciler.simulator.shell.streams import error

SECTOR = 512
GRAIN = 128 * SECTOR
GTES = 512
SPARSE_SECTORS = 4192256
HEADER = struct.Struct("<4sIIQQQQIQQQB4sH433x")
MAGIC = b"KDMV"
ALLOWED = ("VMFS", "FLAT", "SPARSE", "VMFSSPARSE", "SESPARSE", "ZERO")


class NoDisk(Exception):
    """The file specified is not a virtual disk (15)."""


class Missing(Exception):
    """The system cannot find the file specified (25)."""


@dataclass
class Extent:
    sectors: int
    kind: str
    node: Node | None
    offset: int = 0


@dataclass
class Disk:
    """An opened disk. `parent` is the disk below a snapshot's delta."""

    create_type: str
    extents: list[Extent] = field(default_factory=list)
    parent: Disk | None = None

    @property
    def capacity(self) -> int:
        return SECTOR * sum(extent.sectors for extent in self.extents)

    @property
    def sparse(self) -> bool:
        return any(extent.kind == "SPARSE" for extent in self.extents)

    @property
    def needs_repair(self) -> bool:
        """Whether tables of sparse extents point to what is not there: a file was cut off. Parents count."""
        cut = any(
            each.kind == "SPARSE" and each.node is not None and _is_cut(each.node) for each in self.extents
        )
        return cut or (self.parent is not None and self.parent.needs_repair)

    def read(self, offset: int, size: int) -> bytes:
        """What a guest would read; never beyond the end."""
        out, start = bytearray(), 0
        size = min(size, self.capacity - offset)
        for extent in self.extents:
            length = extent.sectors * SECTOR
            if start < offset + size and offset < start + length:
                first, last = max(offset, start), min(offset + size, start + length)
                out += self._part(extent, first - start, last - first, first)
            start += length
        return bytes(out)

    def _part(self, extent: Extent, offset: int, size: int, whole: int) -> bytes:
        if extent.kind in ("VMFSSPARSE", "SESPARSE"):
            # a simulated delta holds nothing of its own: what a guest sees is the parent's
            return self.parent.read(whole, size) if self.parent is not None else bytes(size)
        if extent.node is None:
            return bytes(size)
        if extent.kind in ("VMFS", "FLAT"):
            data = extent.node.read_at(extent.offset * SECTOR + offset, size)
            return data + bytes(size - len(data))
        return b"".join(sparse_read(extent.node, offset, size))

    def regions(self) -> list[tuple[int, int]]:
        """Stretches that may hold something: offset and length, whole grains."""
        found: list[tuple[int, int]] = []
        start = 0
        for extent in self.extents:
            length = extent.sectors * SECTOR
            found += [(start + at, min(size, length - at)) for at, size in _regions(extent, length)]
            start += length
        return found if self.parent is None else [(0, self.capacity)]


def _regions(extent: Extent, length: int) -> list[tuple[int, int]]:
    node = extent.node
    if node is None or extent.kind in ("VMFSSPARSE", "SESPARSE"):
        return []
    if extent.kind == "SPARSE":
        return _neighbours(number for number, at in enumerate(_table(node)) if at)
    if node.blob is None or extent.offset:
        return [(0, length)]
    return [(start, min(size, length - start)) for start, size in node.blob.regions() if start < length]


def _neighbours(grains: Iterable[int]) -> list[tuple[int, int]]:
    """The stretches of grains that stand beside each other: each read of an extent walks through its whole table."""
    found: list[tuple[int, int]] = []
    for number in grains:
        start, size = found[-1] if found else (0, 0)
        if found and start + size == number * GRAIN:
            found[-1] = (start, size + GRAIN)
        else:
            found.append((number * GRAIN, GRAIN))
    return found


def opened(folder: Node, name: str, volumes: Node, depth: int = 0) -> Disk:
    """Open the disk whose descriptor is `name` in a folder. `volumes` is /vmfs/volumes, for parents elsewhere.

    Raises NoDisk, Missing, or EBUSY for a locked file.
    """
    node = folder.children.get(name)
    if node is None:
        raise Missing
    node.refuse_locked(writing=False)
    if node.kind != "f" or node.size > 65536:
        raise NoDisk
    text = node.data.decode("utf-8", "replace")
    kind = re.search(r'^createType="(\w+)"', text, re.MULTILINE)
    if "# Disk DescriptorFile" not in text or kind is None:
        raise NoDisk
    disk = Disk(kind[1])
    for access, sectors, extent, file, offset in re.findall(
        r'^(RW|RDONLY|NOACCESS) (\d+) (\w+)(?: "(.*)"(?: (\d+))?)?$', text, re.MULTILINE
    ):
        if extent not in ALLOWED or not access:
            raise NoDisk
        disk.extents.append(_extent(folder, int(sectors), extent, file, int(offset or 0)))
    if not disk.extents:
        raise NoDisk
    hint = re.search(r'^parentFileNameHint="(.*)"', text, re.MULTILINE)
    if hint is not None and depth < 32:
        disk.parent = _parent(folder, hint[1], volumes, depth)
    return disk


def _extent(folder: Node, sectors: int, kind: str, file: str, offset: int) -> Extent:
    if kind == "ZERO":
        return Extent(sectors, kind, None)
    node = folder.children.get(file)
    if node is None:
        raise Missing
    node.refuse_locked(writing=False)
    if kind in ("VMFS", "FLAT") and node.size < (offset + sectors) * SECTOR:
        raise Missing
    if kind == "SPARSE" and (node.read_at(0, 4) != MAGIC or node.size < SECTOR):
        raise NoDisk
    return Extent(sectors, kind, node, offset)


def _parent(folder: Node, hint: str, volumes: Node, depth: int) -> Disk:
    parts = hint.split("/")
    if hint.startswith("/vmfs/volumes/"):
        folder = _walk(volumes, parts[3:-1])
    elif len(parts) > 1:
        raise Missing
    return opened(folder, parts[-1], volumes, depth + 1)


def _walk(volumes: Node, parts: list[str]) -> Node:
    node = volumes
    for part in parts:
        child = node.children.get(part)
        if child is not None and child.kind == "l":
            child = node.children.get(child.target)
        if child is None or child.kind != "d":
            raise Missing
        node = child.entered()
    return node


# -- descriptors -----------------------------------------------------------------------------------------------


def descriptor(name: str, create_type: str, extents: list[str], capacity: int, *, thin: bool = False) -> str:
    """The text of a fresh descriptor, in the order in which vmkfstools writes it (field capture)."""
    seed = hashlib.sha256(f"{name}/{capacity}".encode()).hexdigest()
    cylinders = max(1, capacity // (255 * 63 * SECTOR))
    lines = [
        "# Disk DescriptorFile",
        "version=1",
        'encoding="UTF-8"',
        f"CID={seed[:8]}",
        "parentCID=ffffffff",
        'isNativeSnapshot="no"',
        f'createType="{create_type}"',
        "",
        "# Extent description",
        *extents,
        "",
        "# The Disk Data Base ",
        "#DDB",
        "",
        'ddb.adapterType = "lsilogic"',
        f'ddb.geometry.cylinders = "{cylinders}"',
        'ddb.geometry.heads = "255"',
        'ddb.geometry.sectors = "63"',
        f'ddb.longContentID = "{seed[:32]}"',
        *(['ddb.thinProvisioned = "1"'] if thin else []),
        'ddb.virtualHWVersion = "7"',
        "",
    ]
    return "\n".join(lines)


# -- sparse extents --------------------------------------------------------------------------------------------


def sparse_begin(node: Node, sectors: int, now: float) -> None:
    """Write the header and empty tables of a hosted sparse extent."""
    tables = -(-sectors // (GTES * 128))
    directory = 1
    first = directory + -(-tables * 4 // SECTOR)
    overhead = -(-(first + tables * 4) // 128) * 128
    header = HEADER.pack(MAGIC, 1, 1, sectors, 128, 0, 0, GTES, 0, directory, overhead, 0, b"\n \r\n", 0)
    entries = b"".join(struct.pack("<I", first + number * 4) for number in range(tables))
    content = header + entries
    node.put(0, content + bytes(overhead * SECTOR - len(content)), now)


def sparse_write(node: Node, grain: int, data: bytes, now: float) -> None:
    """Add a grain at the end, and enter it into its table."""
    at = -(-node.size // GRAIN) * GRAIN
    node.put(at, data + bytes(GRAIN - len(data)), now)
    node.put(_entry(node, grain), struct.pack("<I", at // SECTOR), now)


def _entry(node: Node, grain: int) -> int:
    directory = HEADER.unpack(node.read_at(0, SECTOR))[9]
    place = directory * SECTOR + grain // GTES * 4
    (table,) = struct.unpack("<I", node.read_at(place, 4))
    entry: int = table * SECTOR + grain % GTES * 4
    return entry


def _table(node: Node) -> list[int]:
    fields = HEADER.unpack(node.read_at(0, SECTOR))
    sectors, directory = fields[3], fields[9]
    count = -(-sectors // (GTES * 128))
    directory_bytes = node.read_at(directory * SECTOR, count * 4)
    if len(directory_bytes) < count * 4:
        raise error(errno.EIO)
    tables = struct.unpack(f"<{count}I", directory_bytes)
    entries: list[int] = []
    for table in tables:
        if table:
            raw = node.read_at(table * SECTOR, GTES * 4)
            if len(raw) < GTES * 4:
                raise error(errno.EIO)
            entries += struct.unpack(f"<{GTES}I", raw)
        else:
            entries += [0] * GTES
    return entries


def _is_cut(node: Node) -> bool:
    try:
        last = max(_table(node), default=0)
    except OSError:
        return True
    # 0 is a hole, 1 a grain of zeros
    return last > 1 and last * SECTOR + GRAIN > node.size


def sparse_read(node: Node, offset: int, size: int) -> list[bytes]:
    """The content of a stretch, grain by grain."""
    table, pieces = _table(node), []
    while size > 0:
        grain, within = divmod(offset, GRAIN)
        length = min(size, GRAIN - within)
        at = table[grain] if grain < len(table) else 0
        piece = node.read_at(at * SECTOR + within, length) if at > 1 else bytes(length)
        if len(piece) < length:
            raise error(errno.EIO)
        pieces.append(piece)
        offset, size = offset + length, size - length
    return pieces
