"""A commit's names and links are judged before a byte is written, and never lead out."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.sources.tree import MOST_FILES, Entry, Refused, check_links, check_names, parsed, write

BLOB = "1" * 40


def entry(name: bytes, mode: str = "100644", size: str = "7", kind: str = "blob") -> bytes:
    return f"{mode} {kind} {BLOB} {size:>7}\t".encode() + name + b"\0"


def test_reads_a_listing() -> None:
    listing = (
        entry(b"a b\tc")
        + entry(b"run", "100755")
        + entry(b"l", "120000")
        + entry(b"sub", "160000", "-", "commit")
    )
    assert list(parsed(listing)) == [
        Entry("a b\tc", False, BLOB, 7),
        Entry("run", False, BLOB, 7),
        Entry("l", True, BLOB, 7),
    ]


@pytest.mark.parametrize(
    ("listing", "why"),
    [
        (
            entry(b"large", size="8388609"),
            "large:1:1: repository: the repository is too large with this file",
        ),
        (
            b"".join(entry(b"%d" % at, size="8000000") for at in range(9)),
            "8:1:1: repository: .* 64 MiB in all",
        ),
        (entry(b"a") * (MOST_FILES + 1), "more than 20,000 files"),
        (entry(b"odd", "100600"), "has the mode 100600"),
        (b"nonsense\0", "can't be read"),
    ],
)
def test_refuses_what_is_too_much(listing: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        list(parsed(listing))


@pytest.mark.parametrize(
    "names",
    [
        ["../a"],
        ["a/../../b"],
        ["/etc/passwd"],
        ["a//b"],
        ["./a"],
        [".git/config"],
        ["a/.GIT/hooks/x"],
        [""],
        ["a\nb"],
        ["a\x1b[2J"],
        ["a\udcff"],
        ["a\u202eb"],
        ["x" * 256],
        ["a/" * 600 + "a"],
        ["a", "a"],
        ["a", "a/b"],
        ["a/b/c", "a/b"],
    ],
)
def test_refuses_names(names: list[str]) -> None:
    with pytest.raises(Refused):
        check_names(names)


def test_takes_names_that_only_look_odd() -> None:
    check_names(["..a", "a..", ".github/x", "a/b", "a/c", "ä ö", ".gitignore", "a\\b", "-rf"])


LINKS: list[dict[str, str]] = [
    {"a": "/etc/passwd"},
    {"a": ".."},
    {"a": "../x"},
    {"d/a": "../../x"},
    {"a": "b", "b": "../x"},
    {"a": "a"},
    {"a": "b", "b": "a"},
    {"deep": "one/two", "a": "deep/../../../x"},
    {"here": ".", "a": "here/../x"},
    {"a": "missing/../../x"},
    {f"l{at}": f"l{at + 1}" for at in range(41)},
]


@pytest.mark.parametrize("targets", LINKS, ids=str)
def test_refuses_links_that_lead_out_or_in_rings(targets: dict[str, str]) -> None:
    with pytest.raises(Refused):
        check_links(targets)


def test_takes_links_that_stay() -> None:
    check_links(
        {"a": "b/c", "d/e": "../x", "here": ".", "z": "here/here/d/e", "dead": "nowhere", "d/up": ".."}
    )


def test_refuses_links_that_cost_too_much() -> None:
    long = "/".join(["d"] * 500)
    with pytest.raises(Refused, match="too many"):
        check_links({f"a{at}": long for at in range(3000)})


NAMES = st.sampled_from(
    ["a", "b", "c", "..", ".", "", ".git", "a/b", "b/a", "a/b/c", "../x", "/etc/x", "c/a", "Ä"]
)
TARGETS = st.sampled_from(
    [
        "a",
        "b",
        "..",
        "../..",
        "a/..",
        "/",
        "/etc",
        "a/../..",
        ".",
        "b/a",
        "../a",
        "../../outside",
        "a/b/../../..",
        "c//",
    ]
)


@given(st.lists(NAMES, max_size=6), st.dictionaries(NAMES, TARGETS, max_size=6))
@example(["a/x"], {"a": "../outside"})
@example([], {"a": "b/..", "b": ".."})
def test_nothing_is_ever_written_or_read_outside(names: list[str], targets: dict[str, str]) -> None:
    """Either it is refused, or all that is there afterwards leads to what lies below the folder."""
    with TemporaryDirectory() as top:
        tree, outside = Path(top, "trees", "commit"), Path(top, "outside")
        outside.mkdir()
        try:
            check_names([*names, *targets])
            check_links(targets)
        except Refused:
            return
        write({name: name.encode() for name in names}, targets, tree)
        assert os.listdir(outside) == []
        assert sorted(os.listdir(top)) == ["outside", "trees"]
        assert os.listdir(tree.parent) == ["commit"]
        for name in (*names, *targets):
            real = os.path.realpath(tree / name)
            assert real == str(tree) or real.startswith(f"{tree}/")
        for name in names:
            assert (tree / name).read_bytes() == name.encode()
