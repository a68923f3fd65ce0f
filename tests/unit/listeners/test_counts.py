"""The line about a run over many hosts."""

from __future__ import annotations

from reconciler.events import Connecting, Finished, Looking, Postponed
from reconciler.listeners.counts import Counts


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_line_counts_by_status_and_names_the_host_that_takes_longest() -> None:
    clock = Clock()
    counts = Counts(5, clock)
    assert (counts.line(), counts.statuses()) == ("0 of 5 hosts", "")
    for name in ("a", "b", "c", "d"):
        counts(Connecting(name, "10.0.0.1"))
        clock.now += 1
    counts(Finished("a", "in-sync", 1.0))
    counts(Finished("c", "unreachable", 1.0))
    counts(Finished("paused", "paused", 0.0))
    counts(Looking("b", 3))
    clock.now += 4
    assert counts.statuses() == "1 paused, 1 unreachable, 1 in-sync"
    assert counts.line() == ("3 of 5 hosts: 1 paused, 1 unreachable, 1 in-sync; 2 in hand, longest b (7 s)")


def test_a_host_that_was_put_off_is_not_in_hand() -> None:
    counts = Counts(2, Clock())
    counts(Connecting("dead", "10.0.0.1"))
    counts(Connecting("slow", "10.0.0.2"))
    counts(Postponed("dead"))
    assert counts.line() == "0 of 2 hosts; 1 in hand, longest slow (0 s)"
