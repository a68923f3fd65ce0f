"""Durations as options write them and as people read them."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=36500)
"""A hundred years: what is longer can't be counted back from today."""

_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile("".join(f"(?:([0-9]{{1,12}}){unit})?" for unit in _SECONDS))


def duration(text: str) -> timedelta:
    """`30s`, `5m`, `1h30m`, `90d`. Raises ValueError with what would be right."""
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        raise ValueError(f"{text!r} is no duration (would be right: 30s, 5m, 1h30m, 90d)")
    seconds = sum(
        int(number or 0) * factor for number, factor in zip(match.groups(), _SECONDS.values(), strict=True)
    )
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text!r} is too long (would be right: up to {duration_text(LONGEST)})")
    return timedelta(seconds=seconds)


def duration_text(length: timedelta) -> str:
    """`1h30m`, `90d`, `0s`: whole seconds, as they are written."""
    rest, parts = round(length.total_seconds()), []
    for unit, factor in _SECONDS.items():
        number, rest = divmod(rest, factor)
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts) or "0s"
