"""The guard: a bad revision must not break many hosts. Pure: who failed is handed in, and times as RFC 3339.

Counted are the enforced hosts whose last pass with changes failed under the revision in force. When they are too many,
nothing is changed any more anywhere, until there is a new revision or a person says so.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from reconciler.records import record

LEAST = 2
"""One host that fails says nothing of the revision."""
WHY = "guard: too many hosts failed with this revision; a new revision or SIGHUP releases it"


@record
class Limit:
    """How many failures are too many, as it was given: `10%` of the enforced hosts, or a number; `0` is no limit."""

    text: str

    def __post_init__(self) -> None:
        """Raises ValueError for what is neither."""
        digits = self.text.removesuffix("%")
        if not digits.replace(".", "", 1).isdecimal() or not digits.isascii() or self._amount() < 0:
            raise ValueError(
                f"{self.text!r} is no limit (would be right: 10%, or a number of hosts; 0: no limit)"
            )
        if self.text.endswith("%") and self._amount() > 100:
            raise ValueError(f"{self.text!r} is more than all hosts (would be right: at most 100%)")
        if not self.text.endswith("%") and "." in self.text:
            raise ValueError(
                f"{self.text!r} is no number of hosts (would be right: a whole number, or a share as 10%)"
            )

    def _amount(self) -> Fraction:
        return Fraction(self.text.removesuffix("%"))

    def trips_at(self, enforced: int) -> int | None:
        """The number of failed hosts at which it trips, of so many that are enforced; None: it never does."""
        amount = self._amount()
        if amount == 0:
            return None
        most = amount * enforced / 100 if self.text.endswith("%") else amount
        return max(LEAST, int(most) + 1)


@record
class Guard:
    """`failed` are the hosts that count, under `revision`. `since` is when it tripped; None: it has not."""

    limit: Limit
    revision: str | None = None
    failed: frozenset[str] = frozenset()
    since: str | None = None

    @property
    def tripped(self) -> bool:
        return self.since is not None

    def free(self, changing: int, enforced: int) -> int | None:
        """How many more hosts may be changed while `changing` are: no more at a time than failures are still wanting
        until it trips, but one at least. None: any number."""
        at = self.limit.trips_at(enforced)
        if self.tripped:
            return 0
        return None if at is None else max(0, max(1, at - len(self.failed)) - changing)

    def after(self, host: str, *, failed: bool, revision: str | None, enforced: int, now: str) -> Guard:
        """What it is once a pass with changes has ended that began with that revision."""
        if revision != self.revision:
            return self
        count = self.failed | {host} if failed else self.failed - {host}
        at = self.limit.trips_at(enforced)
        trips = at is not None and len(count) >= at
        return replace(self, failed=count, since=self.since or (now if trips else None))

    def under(self, revision: str | None) -> Guard:
        """With that revision in force; another one than before releases it."""
        return self if revision == self.revision else Guard(self.limit, revision)

    def released(self) -> Guard:
        """As a person wants it: all may be tried again."""
        return Guard(self.limit, self.revision)

    def document(self) -> dict[str, Any]:
        """What a restart must not forget, as JSON."""
        return {"revision": self.revision, "failed": sorted(self.failed), "since": self.since}

    @classmethod
    def of(cls, document: Any, limit: Limit) -> Guard:
        """From what was kept; what can't be read counts as nothing. Switched off by now: it has not tripped."""
        match document:
            case {"revision": str() | None as revision, "failed": [*failed], "since": str() | None as since}:
                names = frozenset(name for name in failed if isinstance(name, str))
                return cls(limit, revision, names, since if limit.trips_at(1) is not None else None)
            case _:
                return cls(limit)
