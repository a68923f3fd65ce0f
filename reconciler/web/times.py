"""Times as a page says them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def ago(time: datetime, now: datetime) -> str:
    """`5 min ago`; `just now` within a second, and for a clock that was set back."""
    return f"{_length(now - time)} ago" if now - time >= timedelta(seconds=1) else "just now"


def until(time: datetime, now: datetime) -> str:
    """`in 5 min`; `due now` for what should have begun."""
    return f"in {_length(time - now)}" if time - now >= timedelta(seconds=1) else "due now"


def machine(time: datetime) -> str:
    """For the attribute `datetime`: `2026-01-31T08:00:00Z`."""
    return f"{_utc(time):%Y-%m-%dT%H:%M:%SZ}"


def exact(time: datetime) -> str:
    """`2026-01-31 08:00:00 UTC`."""
    return f"{_utc(time):%Y-%m-%d %H:%M:%S UTC}"


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


def _length(length: timedelta) -> str:
    """In the largest unit of which there are at least two, so that little is lost by rounding."""
    seconds = int(length.total_seconds())
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= 2 * size), _UNITS[-1])
    return f"{seconds // size} {unit}"
