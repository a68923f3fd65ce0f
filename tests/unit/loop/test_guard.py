"""A bad revision breaks few hosts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.loop.guard import Guard, Limit

NOW = "2026-11-26T17:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "enforced", "at"),
    [
        ("10%", 100, 11),
        ("10%", 40, 5),
        ("10%", 9, 2),
        ("10%", 0, 2),
        ("12.5%", 40, 6),
        ("100%", 10, 11),
        ("3", 100, 4),
        ("1", 100, 2),
        ("0", 100, None),
        ("0%", 100, None),
    ],
)
def test_more_than_the_limit_and_at_least_two_are_too_many(text: str, enforced: int, at: int | None) -> None:
    assert Limit(text).trips_at(enforced) == at


@pytest.mark.parametrize("text", ["", "%", "-1", "ten", "101%", "1.5", "1e3", "10 %", "٣", ".", "1/2", "nan"])
def test_what_is_no_limit_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="would be right"):
        Limit(text)


def failing(*hosts: str, limit: str = "10%", enforced: int = 20, revision: str = "r1") -> Guard:
    guard = Guard(Limit(limit), "r1")
    for host in hosts:
        guard = guard.after(host, failed=True, revision=revision, enforced=enforced, now=NOW)
    return guard


def test_it_trips_when_too_many_hosts_failed_each_counted_once() -> None:
    assert not failing("a", "a", "b", "b").tripped
    assert failing("a", "b", "c") == Guard(Limit("10%"), "r1", frozenset("abc"), NOW)


def test_a_host_that_was_put_right_does_not_count() -> None:
    guard = failing("a", "b").after("a", failed=False, revision="r1", enforced=20, now=NOW)
    assert not guard.after("c", failed=True, revision="r1", enforced=20, now=NOW).tripped


def test_a_pass_that_began_with_another_revision_does_not_count() -> None:
    assert failing("a", "b", "c", revision="r0") == Guard(Limit("10%"), "r1")


def test_nothing_is_changed_once_it_has_tripped_and_a_success_does_not_release_it() -> None:
    tripped = failing("a", "b", "c")
    after = tripped.after("a", failed=False, revision="r1", enforced=20, now="later")
    assert after.since == NOW
    assert after.free(0, 20) == 0


def test_a_new_revision_or_a_person_releases_it() -> None:
    tripped = failing("a", "b", "c")
    assert tripped.under("r1") is tripped
    assert tripped.under("r2") == Guard(Limit("10%"), "r2")
    assert tripped.released() == Guard(Limit("10%"), "r1")


def test_switched_off_it_lets_any_number_change() -> None:
    assert failing("a", "b", "c", limit="0").free(100, 3) is None


@given(
    st.sampled_from(["10%", "50%", "2", "7"]),
    st.integers(0, 60),
    st.sets(st.integers(0, 60)),
    st.integers(0, 60),
)
@example("10%", 20, {1, 2}, 1)
def test_those_that_change_at_a_time_can_not_overshoot_it(
    text: str, enforced: int, failed: set[int], changing: int
) -> None:
    limit = Limit(text)
    at = limit.trips_at(enforced)
    guard = Guard(limit, "r", frozenset(map(str, failed)))
    assert at is not None
    if len(failed) >= at:
        guard = replace(guard, since=NOW)
    free = guard.free(changing, enforced)
    assert free is not None
    if free and changing + free > 1:
        assert len(failed) + changing + free <= at


@given(st.sets(st.text(max_size=5)), st.none() | st.text(max_size=9), st.booleans())
@example({"a"}, None, True)
def test_a_restart_forgets_nothing(failed: set[str], revision: str | None, tripped: bool) -> None:
    guard = Guard(Limit("10%"), revision, frozenset(failed), NOW if tripped else None)
    assert Guard.of(json.loads(json.dumps(guard.document())), guard.limit) == guard


@pytest.mark.parametrize(
    "document", [None, [], {}, "x", {"revision": 1, "failed": [], "since": None}, {"failed": [1]}]
)
def test_what_can_not_be_read_counts_as_nothing(document: Any) -> None:
    assert Guard.of(document, Limit("3")) == Guard(Limit("3"))


def test_switched_off_after_it_tripped_it_holds_no_more() -> None:
    assert not Guard.of(failing("a", "b", "c").document(), Limit("0")).tripped
