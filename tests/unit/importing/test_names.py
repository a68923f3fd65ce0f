"""Names become ones that a document can have, and stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.importing.names import apart, fits, slug, slugs


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        ("vmhost-1.example.org", "vmhost-1.example.org"),
        ("on", "on"),
        ("VMware ESXi - local storage", "vmware-esxi-local-storage"),
        ("a: b\n#", "a-b"),
        ("Käse", "kase"),
        ("-x", "x"),
        ("中文", "unnamed"),
        ("", "unnamed"),
        ("x" * 300, "x" * 253),
    ],
)
def test_a_name_is_kept_or_made_like(name: str, carried: str) -> None:
    assert slug(name) == carried


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert slug("a", {"a"}) == "a-2"
    assert slug("a b", {"a-b", "a-b-2"}) == "a-b-3"
    assert slug("x" * 253, {"x" * 253}) == "x" * 243 + "-2"


@given(st.lists(st.sampled_from(["a b", "a-b", "A b", "a_b", "a-b-2", ""]) | st.text(max_size=5)))
def test_all_names_fit_and_stay_apart_and_those_that_fit_are_kept(names: list[str]) -> None:
    chosen = slugs(names)
    assert chosen.keys() == set(names)
    assert len(set(chosen.values())) == len(chosen)
    assert all(map(fits, chosen.values()))
    assert all(chosen[name] == name for name in names if fits(name))


def test_items_that_are_equal_stay_apart_too() -> None:
    assert apart(["b", "a b", "b", "a-b"]) == ["b", "a-b-2", "b-2", "a-b"]
