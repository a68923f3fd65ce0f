"""When a host is due next. Pure: `now` and the dice are arguments, times are seconds of one clock."""

from __future__ import annotations

from reconciler.records import record

JITTER = 0.1
"""Intervals are so much longer or shorter, so that hosts do not march in step."""
FIRST_RETRY_SECONDS = 30.0


@record
class Pace:
    """`interval` from the end of a pass to the start of the next, `max_backoff` at most after failures, in seconds."""

    interval: float
    max_backoff: float

    def next_due(self, now: float, failures: int, dice: float) -> float:
        """When a host is due whose pass ended `now` as the last of so many failures in a row (0: it did not fail).
        `dice` is in 0 to 1."""
        if failures == 0:
            return now + self.interval * (1 + JITTER * (2 * dice - 1))
        first = min(FIRST_RETRY_SECONDS, self.interval)
        # beyond some 30 doublings it is the upper limit in any case, and a float would end
        return now + min(self.max_backoff, first * 2.0 ** min(failures - 1, 64))
