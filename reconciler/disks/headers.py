"""Binary headers of disk files: sparse VMDK extents, qcow2 and vdi. Pure: bytes in, values out.

Sources: VMware's "Virtual Disk Format 5.0", QEMU's docs/interop/qcow2.txt, VirtualBox's VDICore.h.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from reconciler.disks.descriptors import MAX_BYTES, MAX_CAPACITY, BadDisk
from reconciler.image_facts import Descriptor, Extent
from reconciler.records import record

SECTOR = 512
HEADER_BYTES = 512
ReadAt = Callable[[int, int], bytes]

_SPARSE = struct.Struct("<4sIIQQQQIQQQ")
_QCOW = struct.Struct(">4sIQIIQI")
_QCOW_INCOMPATIBLE = 72
_EXTERNAL_DATA = 1 << 2
_VDI_MAGIC = 0xBEDA107F
_GD_AT_END = 0xFFFFFFFFFFFFFFFF
_MAX_TABLES = 1 << 20


@record
class SparseHeader:
    """A hosted sparse extent. Everything counts sectors of 512 bytes, `entries` the grains that a table tells of."""

    capacity: int
    grain: int
    entries: int
    directory: int
    descriptor_at: int
    descriptor_size: int
    compressed: bool


def sparse_header(head: bytes) -> SparseHeader:
    """Read the header of a sparse extent. Raises BadDisk."""
    if len(head) < HEADER_BYTES or head[:4] != b"KDMV":
        raise BadDisk("it is no sparse extent")
    _, version, flags, capacity, grain, at, size, entries, _, directory, _ = _SPARSE.unpack_from(head)
    if version not in (1, 2, 3) or not 0 < capacity * SECTOR <= MAX_CAPACITY:
        raise BadDisk("its header tells of an absurd size or version")
    if grain not in (1 << power for power in range(3, 17)) or not 0 < entries <= 4096:
        raise BadDisk("its header tells of absurd grains")
    return SparseHeader(capacity, grain, entries, directory, at, size, bool(flags & 1 << 16))


def embedded_descriptor(header: SparseHeader, read: ReadAt) -> bytes | None:
    """The descriptor inside a monolithicSparse or streamOptimized file; None when it holds none."""
    if not header.descriptor_at or not header.descriptor_size:
        return None
    size = min(header.descriptor_size * SECTOR, MAX_BYTES)
    return read(header.descriptor_at * SECTOR, size).rstrip(b"\0")


def check_sparse(read: ReadAt, size: int) -> SparseHeader:
    """See that a sparse extent of `size` bytes holds all that its tables point to. Raises BadDisk."""
    header = sparse_header(read(0, HEADER_BYTES))
    if header.directory == _GD_AT_END:
        # streamOptimized: the last but one sector but one repeats the header, with the directory's place
        header = sparse_header(read(size - 2 * SECTOR, SECTOR) + bytes(HEADER_BYTES))
    tables = -(-header.capacity // (header.grain * header.entries))
    if tables > _MAX_TABLES:
        raise BadDisk("its header tells of absurd grains")
    directory = _numbers(read, header.directory * SECTOR, tables, size)
    for table in filter(None, directory):
        for grain in _numbers(read, table * SECTOR, header.entries, size):
            # 1 marks a grain of zeros
            length = 1 if header.compressed else header.grain
            if grain > 1 and (grain + length) * SECTOR > size:
                raise BadDisk("it is cut off: its tables point beyond its end")
    return header


def _numbers(read: ReadAt, offset: int, count: int, size: int) -> tuple[int, ...]:
    raw = read(offset, count * 4) if offset + count * 4 <= size else b""
    if len(raw) < count * 4:
        raise BadDisk("it is cut off: its tables lie beyond its end")
    return struct.unpack(f"<{count}I", raw)


def qcow2_capacity(head: bytes) -> int:
    """The size that a guest sees. Raises BadDisk for a backing file, external data, encryption or an absurd size."""
    if len(head) < HEADER_BYTES or head[:4] != b"QFI\xfb":
        raise BadDisk("it is no qcow2 file")
    _, version, backing, _, bits, size, encryption = _QCOW.unpack_from(head)
    if version not in (2, 3) or not 9 <= bits <= 21:
        raise BadDisk("it is a qcow2 file of an unknown version")
    if backing:
        raise BadDisk("it has a backing file: only a part of the disk is in it")
    if encryption:
        raise BadDisk("it is encrypted")
    if version == 3 and struct.unpack_from(">Q", head, _QCOW_INCOMPATIBLE)[0] & _EXTERNAL_DATA:
        raise BadDisk("its data lies in another file")
    return _sane(size)


def vdi_capacity(head: bytes) -> int:
    """The size that a guest sees. Raises BadDisk for a differencing image or an absurd size."""
    if len(head) < HEADER_BYTES or struct.unpack_from("<I", head, 64)[0] != _VDI_MAGIC:
        raise BadDisk("it is no vdi file")
    if struct.unpack_from("<I", head, 76)[0] not in (1, 2):
        raise BadDisk("it is a differencing image: only a part of the disk is in it")
    return _sane(struct.unpack_from("<Q", head, 368)[0])


def _sane(size: int) -> int:
    if not 0 < size <= MAX_CAPACITY:
        raise BadDisk(f"its header tells of an absurd size ({size} bytes)")
    return size


def described(name: str, head: bytes) -> Descriptor | str:
    """`NAME.qcow2` or `NAME.vdi` as a disk with one extent, itself; or why it is no good source."""
    form = name.rpartition(".")[2]
    try:
        capacity = qcow2_capacity(head) if form == "qcow2" else vdi_capacity(head)
    except BadDisk as bad:
        return str(bad)
    return Descriptor(form, (Extent(-(-capacity // SECTOR), form.upper(), name),))
