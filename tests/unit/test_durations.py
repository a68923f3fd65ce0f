"""Durations, as people write and read them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.durations import LONGEST, duration, duration_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("90s", 90),
        ("1h30m", 5400),
        ("90d", 90 * 86400),
        ("1d2h3m4s", 93784),
        ("0s", 0),
        ("36500d", 36500 * 86400),
    ],
)
def test_durations_as_options_write_them(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-1s", "1.5h", "5 m", "5M", "30m1h", "1h1h", "1w", "²s", "5m\n"]
)
def test_what_is_no_duration_is_told_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="would be right: 30s, 5m, 1h30m, 90d"):
        duration(text)


@pytest.mark.parametrize("text", ["36501d", "999999999999d", "36500d1s"])
def test_what_no_calendar_holds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is too long \(would be right: up to 36500d\)"):
        duration(text)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(milliseconds=400), "0s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=24), "1d"),
        (timedelta(days=90), "90d"),
    ],
)
def test_durations_for_people(length: timedelta, text: str) -> None:
    assert duration_text(length) == text


@given(st.integers(0, int(LONGEST.total_seconds())))
@example(5400)
def test_what_is_shown_can_be_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert duration(duration_text(length)) == length
