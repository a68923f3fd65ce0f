"""VMDK descriptors and binary headers: what they say, and why some are no sources."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.disks import headers
from reconciler.disks.descriptors import MAX_BYTES, BadDisk, parse, with_adapter
from reconciler.image_facts import Descriptor, Extent
from tests.unit.parsers.test_parsed_cases import capture

HEAD = '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="vmfs"\n'


def test_a_capture_of_a_snapshot_hangs_on_its_parent() -> None:
    found = parse(capture("descriptor_sesparse_delta.vmdk").encode())
    assert (found.create_type, found.parent) == ("seSparse", "Base_R91.vmdk")
    assert found.extents == (Extent(41943040, "SESPARSE", "Base_R91-000001-sesparse.vmdk"),)
    assert found.capacity == 41943040 * 512


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HEAD + 'RW 8 VMFS "a-flat.vmdk"\nddb.thinProvisioned = "1"\n', Descriptor("vmfs", (Extent(8, "VMFS", "a-flat.vmdk"),), None, True)),  # noqa: E501
        (HEAD + 'RW 8 FLAT "it\'s "x" y.vmdk" 16\r\n', Descriptor("vmfs", (Extent(8, "FLAT", 'it\'s "x" y.vmdk', 16),))),  # noqa: E501
        (HEAD + "RW 8 ZERO\n" + "\0" * 90, Descriptor("vmfs", (Extent(8, "ZERO", ""),))),
        # qemu wrote a shorter CID over a longer one
        (HEAD + "RW 8 ZERO\n" + '\0"\n' + "\0" * 90, Descriptor("vmfs", (Extent(8, "ZERO", ""),))),
        (HEAD.replace("ffffffff", "12345678") + 'RW 8 VMFS "a"\n', Descriptor("vmfs", (Extent(8, "VMFS", "a"),), "")),
    ],
)  # fmt: skip
def test_what_descriptors_say(text: str, found: Descriptor) -> None:
    assert parse(text.encode()) == found


def test_another_adapter_is_named_and_nothing_else_changes() -> None:
    text = HEAD + 'RW 8 ZERO\nddb.adapterType = "ide"\nddb.virtualHWVersion = "7"\n'
    changed = with_adapter(text.encode(), "lsilogic")
    assert changed == text.replace('"ide"', '"lsilogic"').encode()
    assert (parse(text.encode()).adapter, parse(changed).adapter) == ("ide", "lsilogic")
    odd = text.replace('"ide"', '"$(x)"')
    assert parse(odd.encode()).adapter == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "no text of a virtual disk"),
        (b"\x00\x01" * 100, "no text of a virtual disk"),
        (b"\0" + HEAD.encode(), "no text of a virtual disk"),
        (b"x" * (MAX_BYTES + 1), "longer than 64 KiB"),
        (b'# Disk DescriptorFile\nRW 8 VMFS "a"\n', "names no createType"),
        (HEAD.encode(), "names no extent"),
        (HEAD.encode() + b'RW eight VMFS "a"\n', "can't be understood"),
    ],
)
def test_what_is_no_descriptor(text: bytes, why: str) -> None:
    with pytest.raises(BadDisk, match=why):
        parse(text)


@given(st.binary(max_size=300))
@example(HEAD.encode() + b'RW 8 VMFS "\xff"\n')
def test_strange_texts_are_no_bug(text: bytes) -> None:
    for whole in (text, HEAD.encode() + text):
        try:
            parse(whole)
        except BadDisk:
            continue


# -- headers ---------------------------------------------------------------------------------------------------


def sparse(
    capacity: int = 256, grain: int = 128, entries: int = 512, directory: int = 1, **more: int
) -> bytes:
    flags, at, size = more.get("flags", 1), more.get("at", 0), more.get("size", 0)
    head = struct.pack(
        "<4sIIQQQQIQQQ",
        b"KDMV",
        more.get("version", 1),
        flags,
        capacity,
        grain,
        at,
        size,
        entries,
        0,
        directory,
        128,
    )
    return head.ljust(512, b"\0")


def reader(content: bytes) -> headers.ReadAt:
    return lambda offset, size: content[offset : offset + size]


def test_a_whole_sparse_extent() -> None:
    body = sparse() + struct.pack("<I", 2).ljust(512, b"\0") + struct.pack("<512I", 8, 1, *([0] * 510))
    whole = body.ljust((8 + 128) * 512, b"\0")
    assert headers.check_sparse(reader(whole), len(whole)).capacity == 256
    with pytest.raises(BadDisk, match="point beyond its end"):
        headers.check_sparse(reader(whole[:-1]), len(whole) - 1)
    with pytest.raises(BadDisk, match="lie beyond its end"):
        headers.check_sparse(reader(whole[:700]), 700)


def test_a_stream_keeps_its_directory_at_its_end() -> None:
    tables = struct.pack("<I", 2).ljust(512, b"\0") + bytes(2048)
    begin = sparse(directory=0xFFFFFFFFFFFFFFFF, flags=1 | 1 << 16)
    whole = begin + tables + sparse(flags=1 | 1 << 16) + bytes(512)
    assert headers.check_sparse(reader(whole), len(whole)).compressed


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"KDMV", "no sparse extent"),
        (bytes(512), "no sparse extent"),
        (sparse(version=9), "absurd size or version"),
        (sparse(capacity=0), "absurd size or version"),
        (sparse(capacity=1 << 62), "absurd size or version"),
        (sparse(grain=3), "absurd grains"),
        (sparse(entries=0), "absurd grains"),
        (sparse(capacity=1 << 36, grain=8, entries=1), "absurd grains"),
    ],
)
def test_absurd_sparse_headers(head: bytes, why: str) -> None:
    with pytest.raises(BadDisk, match=why):
        headers.check_sparse(reader(head), len(head))


def test_a_descriptor_inside_a_sparse_file() -> None:
    content = sparse(at=1, size=1) + b"text".ljust(512, b"\0")
    assert headers.embedded_descriptor(headers.sparse_header(content), reader(content)) == b"text"
    assert headers.embedded_descriptor(headers.sparse_header(sparse()), reader(content)) is None


def qcow2(
    version: int = 3, backing: int = 0, bits: int = 16, size: int = 1 << 20, secret: int = 0, flags: int = 0
) -> bytes:
    head = struct.pack(">4sIQIIQI", b"QFI\xfb", version, backing, 0, bits, size, secret)
    return (head.ljust(72, b"\0") + struct.pack(">Q", flags)).ljust(512, b"\0")


def vdi(magic: int = 0xBEDA107F, kind: int = 1, size: int = 1 << 20) -> bytes:
    head = bytes(64) + struct.pack("<I", magic) + bytes(8) + struct.pack("<I", kind)
    return (head.ljust(368, b"\0") + struct.pack("<Q", size)).ljust(512, b"\0")


@pytest.mark.parametrize(
    ("name", "head", "said"),
    [
        ("a.qcow2", qcow2(), 2048),
        ("a.qcow2", qcow2(2, size=1000), 2),
        ("a.qcow2", b"QFI\xfb", "no qcow2"),
        ("a.qcow2", qcow2(9), "unknown version"),
        ("a.qcow2", qcow2(backing=112), "backing file"),
        ("a.qcow2", qcow2(secret=1), "encrypted"),
        ("a.qcow2", qcow2(flags=4), "another file"),
        ("a.qcow2", qcow2(size=0), "absurd size"),
        ("a.vdi", vdi(), 2048),
        ("a.vdi", vdi(magic=1), "no vdi"),
        ("a.vdi", vdi(kind=4), "differencing"),
        ("a.vdi", vdi(size=1 << 60), "absurd size"),
    ],
)
def test_other_forms(name: str, head: bytes, said: int | str) -> None:
    found = headers.described(name, head)
    if isinstance(said, str):
        assert isinstance(found, str)
        assert said in found
    else:
        assert isinstance(found, Descriptor)
        assert found.extents[0].sectors == said
