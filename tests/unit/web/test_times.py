"""Times as a page says them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from reconciler.web.times import ago, exact, machine, until

NOW = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "past", "future"),
    [
        (0, "just now", "due now"),
        (-3600, "just now", "due now"),
        (1, "1 s ago", "in 1 s"),
        (119, "119 s ago", "in 119 s"),
        (120, "2 min ago", "in 2 min"),
        (7199, "119 min ago", "in 119 min"),
        (7200, "2 h ago", "in 2 h"),
        (172800, "2 d ago", "in 2 d"),
        (8640000, "100 d ago", "in 100 d"),
    ],
)
def test_a_distance_has_one_unit(seconds: int, past: str, future: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == past
    assert until(NOW + timedelta(seconds=seconds), NOW) == future


def test_times_are_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert exact(there) == "2026-01-31 08:00:00 UTC"
    assert machine(there) == "2026-01-31T08:00:00Z"
