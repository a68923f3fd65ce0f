"""What lies in a folder: names and contents of any bytes come through as they are, or nothing is believed."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.image_facts import DiskFile
from reconciler.observers.ssh import folders
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.folders import Contents
from reconciler.transports.shell import Piece
from tests.unit.observers.printed import BUSY, framed, piece

FOLDER = "drwxr-xr-x    1 0        0             1120 Mar 11  2011 /vmfs/volumes/ds/win"
LIMIT = 8


def read(answer: Piece) -> Contents:
    listing, frames = folders.entered(answer)
    return folders.contents(listing, frames, LIMIT)


def printed(
    files: dict[str, str], *more: str | int | bytes, status: int = 0, deep: str = "", tool: str = "stat"
) -> bytes:
    """The answer of a folder script: what `tool` prints of each file."""
    listed = ["\n".join(files.values())] if tool == "stat" else list(files.values())
    head = framed(0, FOLDER, len(files), *(f"./{name}" for name in files))
    return head + framed(tool, *listed, status, deep, *more)


FILE, LONG = "600 3 8 512 1700000000 regular file", "644 99 0 512 1 regular file"


def test_files_with_sizes_modes_and_times() -> None:
    kinds = {"d": "1777 512 8 512 5 directory", "l": "777 3 0 512 5 symbolic link", "e": "600 0 0 512 5 fifo"}
    kinds["b"] = "600 3 8 %B 5 regular file"
    found = read(
        piece(printed({"a b": FILE, "n\n": LONG, "z": "600 0 0 512 -1 regular empty file", **kinds}))
    )
    assert found == Contents(
        0o755,
        (
            DiskFile("a b", 3, 0o600, "-", 4096, 1700000000),
            DiskFile("n\n", 99, 0o644, "-", 0, 1),
            DiskFile("z", 0, 0o600, "-", 0, -1),
            DiskFile("d", 512, 0o1777, "d", 4096, 5),
            DiskFile("l", 3, 0o777, "l", 0, 5),
            DiskFile("e", 0, 0o600, "p", 0, 5),
            DiskFile("b", 3, 0o600, "-", 4096, 5),
        ),
    )


def test_an_empty_folder() -> None:
    assert read(piece(framed(0, FOLDER, 0))) == Contents(0o755)


def test_without_stat_ls_tells_what_it_can() -> None:
    lines = {"a": "-rw-r-----    1 0        0        42949672960 Jul 31 10:00 ./a", "d": FOLDER}
    assert read(piece(printed(lines, tool="ls"))).files == (
        DiskFile("a", 42949672960, 0o640, "-"),
        DiskFile("d", 1120, 0o755, "d"),
    )


def test_machines_at_any_depth_and_locked_files() -> None:
    out = printed(
        {"d": "755 1 1 512 1 directory", "x.vmx": FILE, "x.vmx.reference": FILE, "x-flat.vmdk": FILE},
        "lock", "./x-flat.vmdk", BUSY,
        deep="./d/y.vmtx\n./d/z.vmx.reference\n./x.vmx",
    )  # fmt: skip
    found = read(piece(out))
    assert found.machines == ("d/y.vmtx", "x.vmx")
    assert found.locked == ("x-flat.vmdk",)


def test_heads_are_as_long_as_their_files_and_no_longer_than_what_is_read() -> None:
    hostile = b"\x000\0"
    out = printed({"a": FILE, "b": LONG, "c": FILE, "e": "600 0 0 512 1 regular file"})
    for name, head, status in (("a", hostile, 0), ("b", b"12345678", 0), ("c", b"", 1), ("e", b"", 0)):
        out += framed("head", f"./{name}") + head + framed("", status)
    assert read(piece(out)).heads == {"a": hostile, "b": b"12345678", "c": None, "e": b""}


@pytest.mark.parametrize(
    ("out", "why"),
    [
        (framed(0, FOLDER, 2, "./a", "./b", "stat", FILE, 0, ""), "not every file was listed"),
        (printed({"a": FILE.replace("regular", "strange")}), "what 'a' is"),
        (printed({"a": "600 3"}), "what 'a' is"),
        (printed({"a": "ls: ./a: No such file or directory"}, tool="ls"), "no listing"),
        (printed({"a": "-rw-r-----  a"}, tool="ls"), "size of 'a'"),
        (printed({"a": FILE}, status=1, deep="find: ./d: Input/output error"), "could not be searched"),
        (
            printed({"a": FILE}, "lock", "./a", "dd: can't open './a': Input/output error"),
            "could not be read",
        ),
        (printed({"a": FILE}, "head", "./a", "12", 0), "changed while it was read"),
        (printed({"a": FILE}, "head", "./a", "1234", 0), "changed while it was read"),
        (printed({"a": FILE}, "head", "./a", "", 0), "changed while it was read"),
        (printed({"a": FILE}, "head", "./a"), "ends too early"),
        (framed(0, FOLDER, "x"), "no whole number"),
    ],
)
def test_what_can_not_be_told_is_not_guessed(out: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read(piece(out))


def test_a_folder_that_can_not_be_entered_says_why() -> None:
    with pytest.raises(Unreadable, match="can't cd to /vmfs"):
        read(piece(framed(0, FOLDER), status=8, err=b"sh: cd: can't cd to /vmfs/volumes/ds/win"))


def test_a_path_has_a_volume_below_it() -> None:
    assert folders.volume_root("/vmfs/volumes/a b/c/d") == "/vmfs/volumes/a b"
    assert folders.volume_root("/vmfs/volumes/a") == "/vmfs/volumes/a"
    assert folders.volume_root("/tmp/x") == "/"


BYTES = st.binary(min_size=1, max_size=6).filter(lambda it: b"\0" not in it and b"/" not in it)


@given(files=st.dictionaries(BYTES, st.binary(max_size=12), min_size=1, max_size=4))
@example(files={b"x\n": b"\x000\0", b"-rf": b"\x001\0"})
def test_any_names_and_contents_are_read_back(files: dict[bytes, bytes]) -> None:
    out = framed(0, FOLDER, len(files), *(b"./" + name for name in files), "stat")
    out += framed("\n".join(f"600 {len(it)} 1 512 1 regular file" for it in files.values()), 0, "")
    for name, content in files.items():
        out += framed("head", b"./" + name) + content[:LIMIT] + framed("", 0)
    names = [name.decode("utf-8", "surrogateescape") for name in files]
    found = read(piece(out))
    assert [it.name for it in found.files] == names
    assert found.heads == dict(zip(names, (it[:LIMIT] for it in files.values()), strict=True))
