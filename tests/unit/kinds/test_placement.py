"""Paths in an inventory, however they are spelled."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.kinds.placement.paths import find, spelled
from reconciler.kinds.placement.resource import POOLS_HIDE, Wanted
from reconciler.placement_facts import Path, Pool
from reconciler.verbs import CreateResourcePools, CreateVmFolders

NAMES = st.sampled_from(["A", "a", "Lab", "lab 2", "Ä%2f1", "VCL", "Host", "Resources"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(tuple)
TREES = st.lists(PATHS, min_size=1, max_size=6, unique=True)


def pools(paths: list[Path]) -> list[Pool]:
    return [Pool(str(number), path, "c", root=len(path) == 2) for number, path in enumerate(paths)]


def odd(path: Path, draw: int) -> str:
    """Another spelling of a path."""
    parts = [part.swapcase() if draw % 2 else part for part in path]
    hidden = ["host", *parts[:1], "Resources", *parts[1:]] if draw % 3 == 0 else parts
    return "/" * (draw % 4) + "//".join(hidden) + "/" * (draw % 2)


@given(TREES, st.integers(0, 11))
@example([("A", "Lab"), ("A", "Lab", "Lab")], 0)
def test_a_path_is_found_in_every_spelling_or_several_fit(paths: list[Path], draw: int) -> None:
    for pool in pools(paths):
        if not [part for part in pool.path if part.casefold() not in POOLS_HIDE]:
            continue
        found, again = (
            find(spelled(pool.path), pools(paths), POOLS_HIDE),
            find(odd(pool.path, draw), pools(paths), POOLS_HIDE),
        )
        assert (found.base, found.missing, bool(found.why)) == (again.base, again.missing, bool(again.why))
        assert found.why or (found.base is not None and not found.missing)


@given(TREES, PATHS)
@example([("A", "Lab"), ("A", "VCL")], ("A", "VCL", "x"))
def test_what_is_made_lies_below_what_is_there_and_ends_as_it_was_wished(
    paths: list[Path], wish: Path
) -> None:
    found = find(spelled(wish), pools(paths), POOLS_HIDE)
    if found.base is None:
        assert found.why
        assert not found.missing
        return
    plain = [part for part in wish if part.casefold() not in POOLS_HIDE]
    assert list(found.missing) == plain[len(plain) - len(found.missing) :]
    if found.missing:
        assert not find(spelled((*found.base.path, *found.missing)), pools(paths), POOLS_HIDE).why


LAB = [
    Pool("c", ("Lab", "C2"), "c", root=True),
    Pool("p", ("Lab", "C2", "VCL"), "c"),
    Pool("d", ("Old", "Lab"), "d", root=True),
    Pool("e", ("Old", "Twin"), "e", root=True),
    Pool("f", ("New", "Twin"), "f", root=True),
]


@pytest.mark.parametrize(
    ("wish", "base", "missing"),
    [
        ("C2/VCL/new", "p", ("new",)),
        ("/Lab/C9/VCL", None, ()),
        ("/Old/Lab/C9/VCL", "d", ("C9", "VCL")),
        ("/Lab/C2/100%/a%2Fb", "c", ("100%25", "a%2Fb")),
        ("/Lab/C2/a\\b", "c", ("a%5cb",)),
        ("/host/Resources", None, ()),
        ("Twin/VCL", None, ()),
    ],
)
def test_what_is_missing_is_made_below_the_longest_part_that_is_there(
    wish: str, base: str | None, missing: Path
) -> None:
    found = find(wish, LAB, POOLS_HIDE)
    assert (found.base.id if found.base else None, found.missing) == (base, missing)
    assert bool(found.why) == (base is None)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("a%2Fb", "A%2fb", True),
        ("100%", "100%25", True),
        ("a\\b", "a%5Cb", True),
        ("a%252f", "a%2f", False),
        ("a%20b", "a b", False),
    ],
)
def test_names_are_compared_however_a_special_character_is_written(one: str, other: str, equal: bool) -> None:
    there = [Pool("p", ("DC", "C", other), "c")]
    assert (find(f"/DC/C/{one}", there, POOLS_HIDE).base is not None) == equal


@pytest.mark.parametrize("path", ["", "/", "//", "/a\nb", "/" + "x" * 256])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        Wanted(resource_path=path)


def test_what_is_made_is_told_by_its_whole_path() -> None:
    pools = CreateResourcePools("p", ("DC", "C1"), ("A", "B"))
    assert pools.title == "make the resource pool /DC/C1/A/B in the vCenter"
    folders = CreateVmFolders("f", ("DC",), ("VCL",))
    assert folders.title == "make the folder /DC/VCL of VMs and Templates in the vCenter"
    assert not pools.saved
