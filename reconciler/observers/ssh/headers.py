"""The beginnings of disks that are no plain text: a VMDK with its descriptor inside, qcow2, VDI.

By the published layouts of these formats: VMware's Virtual Disk Format 1.1, qemu's docs/interop/qcow2.txt, and the
header of VirtualBox's VDI.
"""

from __future__ import annotations

import struct

from reconciler.image_facts import Descriptor, Extent

SECTOR = 512
SPARSE, QCOW2, VDI = b"KDMV", b"QFI\xfb", 0xBEDA107F
EXTERNAL_DATA = 1 << 2
DYNAMIC, FIXED = 1, 2


def inside(head: bytes) -> bytes | str:
    """The descriptor inside a sparse VMDK, from the beginning of the file; a text says why there is none."""
    if len(head) < SECTOR:
        return "it is too short for a disk"
    offset, sectors = struct.unpack_from("<QQ", head, 28)
    start, end = offset * SECTOR, (offset + sectors) * SECTOR
    if offset == 0 or sectors == 0:
        return "it is an extent, and holds no descriptor"
    if end > len(head):
        return "its descriptor does not lie at its beginning"
    return head[start:end].rstrip(b"\0")


def described(form: str, file: str, head: bytes) -> Descriptor | str:
    """A qcow2 or VDI file as a disk with one extent; a text says why it can't be used."""
    if len(head) < SECTOR:
        return f"{file} is too short for a disk"
    found = _qcow2(head) if form == "qcow2" else _vdi(head)
    if isinstance(found, str):
        return f"{file} {found}"
    return Descriptor(form, (Extent(-(-found // SECTOR), form.upper(), file),))


def _qcow2(head: bytes) -> int | str:
    """The capacity in bytes."""
    magic, version, backing, _, _, capacity, encrypted = struct.unpack_from(">4sIQIIQI", head)
    if magic != QCOW2 or version not in (2, 3):
        return "is no qcow2"
    if backing:
        return "is an overlay over another file"
    if encrypted:
        return "is encrypted"
    if version == 3 and struct.unpack_from(">Q", head, 72)[0] & EXTERNAL_DATA:
        return "keeps its data in another file"
    return int(capacity)


def _vdi(head: bytes) -> int | str:
    """The capacity in bytes."""
    magic, _, _, kind = struct.unpack_from("<4I", head, 64)
    if magic != VDI:
        return "is no VDI"
    if kind not in (DYNAMIC, FIXED):
        return "is an overlay over another file"
    return int(struct.unpack_from("<Q", head, 368)[0])
