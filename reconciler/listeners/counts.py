"""How far a run over many hosts is, in one line: for logs and for the bar of all hosts. Pure but for its lock."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from time import monotonic

from reconciler.events import Event, Finished, Postponed
from reconciler.render.words import many, statuses
from reconciler.report import Status


class Counts:
    """A listener that counts which of so many hosts are done. `clock` is in seconds; safe to use from any thread."""

    def __init__(self, hosts: int, clock: Callable[[], float] = monotonic) -> None:
        self._hosts, self._clock, self._gate = hosts, clock, threading.Lock()
        self._numbers: Counter[Status] = Counter()
        self._in_hand: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        with self._gate:
            if isinstance(event, Finished):
                self._numbers[Status(event.status)] += 1
            if isinstance(event, Finished | Postponed):
                self._in_hand.pop(event.host, None)
            else:
                self._in_hand.setdefault(event.host, self._clock())

    def statuses(self) -> str:
        """`3 failed, 309 in-sync`; nothing as long as no host is done."""
        with self._gate:
            return statuses(self._numbers) if self._numbers else ""

    def line(self) -> str:
        """`312 of 1000 hosts: 3 failed, 309 in-sync; 50 in hand, longest esx-12 (8 s)`."""
        done = self.statuses()
        with self._gate:
            text = f"{self._numbers.total()} of {many(self._hosts, 'host')}{f': {done}' if done else ''}"
            if not self._in_hand:
                return text
            # in the order in which they were begun
            slowest, began = next(iter(self._in_hand.items()))
            seconds = self._clock() - began
            return f"{text}; {len(self._in_hand)} in hand, longest {slowest} ({seconds:.0f} s)"
