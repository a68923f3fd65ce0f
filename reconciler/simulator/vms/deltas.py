"""Delta disks: their descriptors, and extents in which nothing has been written yet.

The descriptors are those of field captures (vmfsSparse: a redo log; seSparse: a snapshot on VMFS-6). The extents have
the headers that open programs expect of them (qemu reads both), and empty grain tables.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass

SECTOR = 512
EXTENT = re.compile(r'^(?:RW|RDONLY|NOACCESS) (\d+) (\w+)(?: "(.*)"(?: \d+)?)?$', re.MULTILINE)
COWD_TABLE = 4096
SE_TABLE_SECTORS = 64
SE_JOURNAL, SE_DIRECTORY = 2048, 4096


@dataclass(frozen=True)
class Facts:
    """What a descriptor says of its disk: content id, createType, parent, sectors, and the files of its extents."""

    cid: str
    create_type: str
    parent: str | None
    sectors: int
    extents: tuple[str, ...]


def facts(text: str) -> Facts | None:
    """What a descriptor says; None for a text that is none."""
    if not text.startswith("# Disk DescriptorFile"):
        return None
    lines = EXTENT.findall(text)
    return Facts(
        _value(text, "CID") or "fffffffe",
        _value(text, "createType") or "",
        _value(text, "parentFileNameHint"),
        sum(int(sectors) for sectors, _, _ in lines),
        tuple(file for _, _, file in lines if file),
    )


def _value(text: str, key: str) -> str | None:
    match = re.search(rf'^{key} ?= ?"?(.*?)"?$', text, re.MULTILINE)
    return match[1] if match is not None else None


def descriptor(parent: Facts, parent_hint: str, extent: str, sparse: str, seed: str) -> str:
    """The descriptor of a delta; `sparse` is `vmfsSparse` or `seSparse`, `extent` the name of its file."""
    cid = hashlib.md5(seed.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    if sparse == "seSparse":
        head = f"version=1\nCID={cid[:8]}\nparentCID={parent.cid}\n"
        tail = 'ddb.encoding = "UTF-8"\nddb.grain = "8"\n'
    else:
        head = f'version=1\nencoding="UTF-8"\nCID={cid[:8]}\nparentCID={parent.cid}\nisNativeSnapshot="no"\n'
        tail = ""
    return (
        f'# Disk DescriptorFile\n{head}createType="{sparse}"\nparentFileNameHint="{parent_hint}"\n'
        f'# Extent description\nRW {parent.sectors} {sparse.upper()} "{extent}"\n\n'
        f'# The Disk Data Base\n#DDB\n\n{tail}ddb.longContentID = "{cid[8:]}{cid[:8]}"\n'
    )


def extent_name(disk: str, sparse: str) -> str:
    """`x-000001.vmdk` and its extent."""
    return f"{disk.removesuffix('.vmdk')}-{'sesparse' if sparse == 'seSparse' else 'delta'}.vmdk"


def empty_extent(sectors: int, sparse: str) -> list[tuple[int, bytes]]:
    """An extent in which no sector has been written, as pieces with their offsets (bytes)."""
    return _sesparse(sectors) if sparse == "seSparse" else _cowd(sectors)


def _cowd(sectors: int) -> list[tuple[int, bytes]]:
    """`COWD`: a header of four sectors and the grain directory, an entry for each 4096 sectors."""
    entries = -(-sectors // COWD_TABLE)
    length = 4 * SECTOR + -(-entries * 4 // SECTOR) * SECTOR
    header = struct.pack("<4s7I", b"COWD", 1, 3, sectors, 1, 4, entries, length // SECTOR)
    return [(0, header), (length - 1, b"\0")]


def _sesparse(sectors: int) -> list[tuple[int, bytes]]:
    """The constant and the volatile header, and an empty grain directory (grains of 8 sectors)."""
    tables = -(-sectors // (SE_TABLE_SECTORS * SECTOR // 8 * 8))
    directory = -(-tables * 8 // SECTOR)
    after = SE_DIRECTORY + directory
    places = [1, 1, 2, 2, SE_JOURNAL, SE_JOURNAL, SE_DIRECTORY, directory]
    places += [after, tables * SE_TABLE_SECTORS, after, 0, after, 0, after, 0]
    constant = struct.pack(
        "<2Q4Q4Q16Q", 0xCAFEBABE, 0x200000001, sectors, 8, SE_TABLE_SECTORS, 0, 0, 0, 0, 0, *places
    )
    volatile = struct.pack("<4Q", 0xCAFECAFE, 0, 0, 0)
    return [(0, constant), (SECTOR, volatile), (after * SECTOR - 1, b"\0")]
