"""Folders, half copies, file blocks, modules and top disks, from what the scripts print."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.image_facts import FileBlock, HalfCopies, HalfCopy, HostTime, Library, TopDisk, TopDisks
from reconciler.observers.ssh import volumes
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.readings import Release, reading
from tests.unit.observers.printed import BUSY, framed, piece

CAPTURES = Path(__file__).parents[2] / "cases" / "captures"
FOLDER = "drwxr-xr-t    1 0        0             1120 Mar 11  2011 /vmfs/volumes/ds/."
FILE = "-rw-r--r--    1 0        0             1120 Mar 11  2011 /vmfs/volumes/ds/."
MISSING = "ls: /vmfs/volumes/ds/x/.: No such file or directory"
JOB = "reconciler job 1\nimage win\ntarget sub/win\nkind clone\nsource a b\nhost 1"


@pytest.mark.parametrize(
    ("out", "names"),
    [
        (framed(0, FOLDER), ()),
        (framed(0, FOLDER, "win", "a b\nc", "$(x)", b"\xff"), ("win", "a b\nc", "$(x)", "\udcff")),
        (framed(1, MISSING, 0, FOLDER), None),
    ],
)
def test_the_folders_of_a_library(out: bytes, names: tuple[str, ...] | None) -> None:
    assert volumes.library([piece(out)]) == names


@pytest.mark.parametrize(
    ("out", "status", "why"),
    [
        (framed(1, MISSING, 1, MISSING), 0, "the volume is not there"),
        (framed(1, MISSING, 1, "ls: /vmfs/volumes/ds/.: Input/output error"), 0, "ls failed"),
        (framed(1, "ls: x: Stale NFS file handle"), 0, "ls failed"),
        (framed(0, FILE), 0, "no folder stands there: 'a file'"),
        (framed(1, "ls: x: Not a directory", 0, FOLDER), 0, "no folder stands there"),
        (framed(0, FOLDER), 8, "could not be looked into"),
        (framed(0, FOLDER) + b"wi", 0, "ends too early"),
        (b"", 0, "ends too early"),
    ],
)
def test_not_seeing_a_library_is_not_its_absence(out: bytes, status: int, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        volumes.library([piece(out, status=status)])


def test_half_copies_tell_what_they_are_to_become() -> None:
    out = framed(0, FOLDER, ".reconciler-1", 0, JOB, "2048\t.reconciler-1", ".reconciler-2", 0, "", "0\t.")
    out += framed(".reconciler-3", 0, "something else\nimage x", "4 x")
    assert volumes.half_copies([piece(out)]) == (
        HalfCopy(".reconciler-1", "win", "sub/win", 2 << 20),
        HalfCopy(".reconciler-2", "", ".reconciler-2", 0),
        HalfCopy(".reconciler-3", "", ".reconciler-3", 4096),
    )


@pytest.mark.parametrize(
    ("out", "why"),
    [
        (framed(1, MISSING, 0, FOLDER), "the volume is not there"),
        (framed(1, MISSING, 1, MISSING), "the volume is not there"),
        (framed(0, FOLDER, ".reconciler-1", 1, "", "0\t."), "could not be read"),
        (framed(0, FOLDER, ".reconciler-1", 0, JOB, ""), "du does not tell"),
    ],
)
def test_a_half_copy_that_can_not_be_seen_is_not_none(out: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        volumes.half_copies([piece(out)])


NFS = b"NFS-1.00 file system spanning 1 partitions.\nCapacity 8192 (2 file blocks * 4096), 4096 (1 blocks) avail\n"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ((CAPTURES / "vmkfstools_P_50_vfat.txt").read_bytes(), 4096),
        ((CAPTURES / "vmkfstools_P_70_vfat.txt").read_bytes(), 65536),
        ((CAPTURES / "vmkfstools_Ph_v1_vmfs6.txt").read_bytes(), 1 << 20),
        (NFS, 4096),
        (b"Capacity 1 TB, 1 TB available, file block size 8 KB\n", 8192),
    ],
)
def test_the_size_of_file_blocks(text: bytes, size: int) -> None:
    assert volumes.file_block([piece(text)]) == size


def test_the_host_s_time() -> None:
    asked = reading(HostTime(), Release.V4)
    assert asked is not None
    assert asked.commands == ("date +%s",)
    assert volumes.seconds([piece(b"1764122400\n")]) == 1764122400
    for text in (b"", b"date: invalid date\n", b"Thu Nov 26\n"):
        with pytest.raises(Unreadable, match="its time"):
            volumes.seconds([piece(text)])


@pytest.mark.parametrize("text", [b"", b"Capacity 1 (1 file blocks * 0), 1", b"no such volume\n"])
def test_a_size_of_file_blocks_is_never_guessed(text: bytes) -> None:
    with pytest.raises(Unreadable, match="file blocks"):
        volumes.file_block([piece(text)])
    with pytest.raises(Unreadable, match="exit status 1"):
        volumes.file_block([piece(NFS, status=1)])


def test_modules_are_told_by_the_first_word() -> None:
    text = (
        b"Name                     Used Size (kb)\nvmkernel                 0    5000\nmultiextent  0  32\n"
    )
    read = volumes.module_loaded("multiextent")
    assert read([piece(text)])
    assert not read([piece(text.replace(b"multiextent", b"xmultiextent"))])
    assert not read([piece(b"x multiextent\n")])
    with pytest.raises(Unreadable, match="no list"):
        read([piece(b"\n")])
    with pytest.raises(Unreadable, match="exit status 127"):
        read([piece(err=b"sh: vmkload_mod: not found", status=127)])


def test_top_disks_of_several_machines() -> None:
    configs = ("/vmfs/volumes/ds/a/a.vmx", "/vmfs/volumes/ds/b/b.vmx")
    texts = [f'displayName = "{name}"\nscsi0:0.fileName = "{name}.vmdk"' for name in "ab"]
    read = volumes.top_disks(configs)
    assert read([piece(framed(0, texts[0], 0, texts[1]))]) == (
        TopDisk("a", "/vmfs/volumes/ds/a/a.vmdk"),
        TopDisk("b", "/vmfs/volumes/ds/b/b.vmdk"),
    )
    with pytest.raises(Unreadable, match=r"/b/b\.vmx could not be read.*resource busy"):
        read([piece(framed(0, texts[0], 1, BUSY))])
    with pytest.raises(Unreadable, match="ends too early"):
        read([piece(framed(0, texts[0]))])


def test_the_scripts_name_what_was_asked_for() -> None:
    assert volumes.file_block_script(FileBlock("/vmfs/volumes/a b")) == "vmkfstools -P '/vmfs/volumes/a b'"
    assert volumes.library_script(Library("/vmfs/volumes/ds/x")).startswith(
        "reconciler_enter /vmfs/volumes/ds/x/. /vmfs/volumes/ds\n"
    )
    assert volumes.half_copies_script(HalfCopies("/vmfs/volumes/ds")).startswith(
        "reconciler_enter /vmfs/volumes/ds/. /vmfs/volumes/ds\n"
    )
    assert volumes.top_disks_script(TopDisks(())) == ":"
    assert volumes.top_disks_script(TopDisks(("/a b", "/c"))).startswith("for i in '/a b' /c; do")


@given(
    out=st.lists(st.sampled_from([b"\0", b"0", b"1", b"V", b"F", b"9 ", FOLDER.encode(), b"x\n"])).map(
        b"".join
    )
)
@example(out=b"0\0" + FOLDER.encode() + b"\0\0\0")
def test_a_strange_answer_is_refused_and_nothing_else_happens(out: bytes) -> None:
    for read in (volumes.library, volumes.half_copies, volumes.file_block, volumes.top_disks(["/x"])):
        try:
            read([piece(out)])
        except Unreadable:
            continue
