"""What hosts share goes to a profile, and nothing is lost by it; who is not like the others is named."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.importing.host.sharing import Outliers, outliers, shared
from reconciler.importing.host.trees import difference, get, is_null, put, taken

LEAVES = (
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["a", "b"]) | st.lists(st.integers(0, 1))
)
KEYS = st.sampled_from(["x", "y", "z"])
TREES = st.recursive(
    st.dictionaries(KEYS, LEAVES.filter(lambda it: it is not None), max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | LEAVES.filter(lambda it: it is not None), max_size=3),
    max_leaves=12,
)


def laid(base: Any, over: Any) -> Any:
    """What specs come to that are laid over each other: maps merge, null takes away, everything else replaces."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    merged = {key: laid(base[key], over[key]) if key in over else base[key] for key in base}
    return {key: it for key, it in {**over, **merged}.items() if it is not None}


@given(TREES, TREES)
def test_a_difference_laid_over_its_base_comes_to_what_was_wanted(wanted: Any, base: Any) -> None:
    assert laid(base, difference(wanted, base)) == wanted
    assert difference(wanted, wanted) == {}


@given(st.lists(TREES, min_size=1, max_size=5))
def test_nothing_is_lost_by_sharing(specs: list[Any]) -> None:
    common = shared(specs)
    assert [laid(common.profile, over) for over in common.hosts] == specs


@given(st.lists(TREES, min_size=1, max_size=5))
def test_what_a_profile_says_most_hosts_have_and_outliers_are_the_others(specs: list[Any]) -> None:
    named = {f"h{at}": spec for at, spec in enumerate(specs)}
    for odd in outliers(named):
        having = [name for name, spec in named.items() if get(spec, odd.place) == odd.usual]
        assert 2 * len(having) > len(specs)
        assert odd.most == len(having)
        assert sorted([*having, *odd.others]) == sorted(named)


@given(TREES, st.lists(KEYS, min_size=1, max_size=3), TREES)
def test_what_is_taken_is_gone_whatever_the_profile_says(tree: Any, place: list[str], under: Any) -> None:
    gone = taken(tree, tuple(place), under)
    assert get(laid(under, gone), tuple(place)) is None
    assert get(taken(tree, tuple(place)), tuple(place)) is None


def test_an_item_is_taken_from_a_list_and_a_list_that_is_empty_goes() -> None:
    spec = {"ssh": {"keys": ["a", "b"]}, "x": 1}
    assert taken(spec, ("ssh", "keys", 0)) == {"ssh": {"keys": ["b"]}, "x": 1}
    assert taken({"ssh": {"keys": ["a"]}, "x": 1}, ("ssh", "keys", 0)) == {"x": 1}
    assert get(spec, ("ssh", "keys", 1)) == "b"
    assert get(spec, ("ssh", "keys", 2)) is None


def test_null_and_nothing_are_told_apart() -> None:
    assert is_null({"a": {"b": None}}, ("a", "b"))
    assert not is_null({"a": {}}, ("a", "b"))
    assert not is_null({"a": None}, ("a", "b"))
    assert put({"a": None}, ("a", "b"), 1) == {"a": {"b": 1}}


def host(address: str, server: str | None = "10.10.0.1", **more: Any) -> dict[str, Any]:
    nfs = {"nfs": {"server": server, "path": "/images"}}
    stores = {"datastores": {"repository": nfs}} if server else {}
    return {"address": address, **stores, **more}


def test_most_is_more_than_half() -> None:
    specs = [host("a"), host("b"), host("c", "10.10.0.9"), host("d", None)]
    assert shared(specs).profile == {}
    assert {**shared(specs[:3]).profile, "address": "a"} == host("a")
    assert shared(specs[:3]).hosts[2] == {
        "address": "c",
        "datastores": {"repository": {"nfs": {"server": "10.10.0.9"}}},
    }


def test_an_address_is_never_shared_and_a_mount_only_as_a_whole() -> None:
    same = [{"address": "a"}, {"address": "a"}]
    assert shared(same).profile == {}
    mounts = [host("a", "s1"), host("b", "s2"), host("c", "s3")]
    assert shared(mounts).profile == {}


def test_the_outliers_of_a_fleet_are_told_in_a_sentence() -> None:
    specs = {f"h{at}": host(f"h{at}") for at in range(37)}
    specs |= {
        "odd1": host("odd1", "10.10.0.9"),
        "odd2": host("odd2", None),
        "odd3": host("odd3", "10.10.0.9"),
    }
    (found,) = outliers(specs)
    assert str(found) == (
        "37 of 40 hosts have datastores.repository.nfs {server: 10.10.0.1, path: /images}, these 3 do not: "
        "odd1, odd3 ({server: 10.10.0.9, path: /images}); odd2 (nothing)"
    )


def test_keys_are_told_by_their_comments() -> None:
    key = "ssh-rsa AAAAB3NzaC1yc2E= admin@desk"
    odd = Outliers(("ssh", "authorizedKeys"), [key], 2, 3, {"c": [key, "x"]})
    assert str(odd) == (
        "2 of 3 hosts have ssh.authorizedKeys [ssh-rsa admin@desk], this 1 does not: c ([ssh-rsa admin@desk, x])"
    )


@given(st.lists(st.sampled_from([1, 2, True, False, "1"]), min_size=1, max_size=5))
def test_values_that_python_takes_for_equal_stay_apart(values: list[Any]) -> None:
    profile = shared([{"a": value} for value in values]).profile
    count = Counter(repr(value) for value in values)
    usual = [text for text, most in count.items() if 2 * most > len(values)]
    assert [repr(it) for it in profile.values()] == usual
