"""Profiles and hosts laid over each other."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.desired.merge import merge
from reconciler.desired.nodes import Node

scalars = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["absent", "x"])
values = st.recursive(
    scalars | st.lists(scalars, max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
specs = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


def node(value: Any) -> Node:
    if isinstance(value, dict):
        value = {key: node(inner) for key, inner in value.items()}
    elif isinstance(value, list):
        value = [node(inner) for inner in value]
    return Node(value, "a.yaml", 1, 1, 1, 1)


def plain(merged: Node) -> Any:
    value = merged.value
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if inner.value is not None}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


@given(specs, specs, specs)
@example({"a": {"b": 1}}, {"a": None}, {"a": {"c": 2}})
@example({"a": {"b": 1}}, {"a": "absent"}, {"a": {"c": 2}})
def test_it_does_not_matter_which_two_of_a_chain_are_merged_first(low: Any, middle: Any, high: Any) -> None:
    left = merge(merge(node(low), node(middle)), node(high))
    right = merge(node(low), merge(node(middle), node(high)))
    assert plain(left) == plain(right)


@given(specs)
@example({"a": {"b": None, "c": []}})
def test_a_spec_over_itself_is_itself(spec: Any) -> None:
    assert plain(merge(node(spec), node(spec))) == plain(node(spec))


@given(specs, specs, st.sampled_from("abc"))
@example({"a": {"b": 1}}, {}, "a")
def test_null_takes_away_and_only_that(low: Any, high: Any, key: str) -> None:
    merged = plain(merge(node(low), node({**high, key: None})))
    rest = plain(merge(node(low), node({name: value for name, value in high.items() if name != key})))
    rest.pop(key, None)
    assert merged == rest


@given(specs, specs)
@example({"a": {"b": 1}}, {"a": "absent"})
def test_what_is_written_above_wins_and_the_rest_stays(low: Any, high: Any) -> None:
    merged = merge(node(low), node(high)).value
    assert list(merged) == [*low, *(key for key in high if key not in low)]
    for key, value in high.items():
        if not isinstance(value, dict):
            assert plain(merged[key]) == plain(node(value))


def test_merging_changes_neither_of_the_two() -> None:
    low, high = node({"a": {"b": 1}}), node({"a": {"c": 2}})
    merge(low, high)
    assert plain(low) == {"a": {"b": 1}}
    assert plain(high) == {"a": {"c": 2}}
