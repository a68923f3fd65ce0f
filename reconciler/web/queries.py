"""What stands behind the `?` of an address. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

from reconciler.durations import duration
from reconciler.records import record
from reconciler.report import Status

MOST_ENTRIES = 1000
_ENTRIES = 100
_FIELDS = 20


class Wrong(ValueError):
    """A query that can't be meant; the text says what would be right."""


@record
class Filter:
    """Which hosts are wanted: of one status (None: of any), with `name` as a part of their name (letter case aside)."""

    status: Status | None = None
    name: str = ""

    def link(self, status: Status | None) -> str:
        """The query of the same search for hosts of another status."""
        asked = {"status": status.value if status is not None else "", "q": self.name}
        query = urlencode({key: value for key, value in asked.items() if value})
        return f"./?{query}" if query else "./"


@record
class Extract:
    """Which entries of the history are wanted: the newest `limit` of a host (None: of all), not older than `since`."""

    host: str | None
    since: datetime | None
    limit: int


def hosts_filter(query: str) -> Filter:
    """`status=failed&q=rack`. Raises Wrong."""
    fields = _fields(query)
    status = fields.get("status", "")
    if status and status not in set(Status):
        raise Wrong(f"status is one of {', '.join(Status)}")
    return Filter(Status(status) if status else None, fields.get("q", "").strip())


def history_extract(query: str, now: datetime) -> Extract:
    """`host=NAME&since=24h&limit=100`; `since` is a duration back from `now`, or a time. Raises Wrong."""
    fields = _fields(query)
    limit = fields.get("limit", str(_ENTRIES))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= MOST_ENTRIES):
        raise Wrong(f"limit is a number from 1 to {MOST_ENTRIES}")
    since = fields.get("since", "")
    return Extract(fields.get("host") or None, _since(since, now) if since else None, int(limit))


def _since(text: str, now: datetime) -> datetime:
    try:
        return now - duration(text)
    except ValueError:
        pass
    try:
        # a + in a query stands for a blank
        time = datetime.fromisoformat(text.replace(" ", "+"))
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Wrong("since is a duration as in 24h, or a time as in 2026-01-31T08:00:00Z")


def _fields(query: str) -> dict[str, str]:
    """The last value of each field."""
    try:
        asked = parse_qs(query, max_num_fields=_FIELDS)
    except ValueError:
        raise Wrong(f"more than {_FIELDS} fields are asked for") from None
    return {name: values[-1] for name, values in asked.items()}
