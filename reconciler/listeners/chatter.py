"""Keeps a host that waits and tries again without end from filling the log. Pure but for its lock."""

from __future__ import annotations

import threading

from reconciler.events import Event, Finished, Retrying, Waiting

LINES = 20
"""So many waits and tries of one host are told in a pass; faults and what became of steps are always told."""


class Chatter:
    """Counts by host what is told in its pass. Safe to use from any thread."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._heard: dict[str, int] = {}

    def too_much(self, event: Event) -> bool:
        """Whether an event that would be told is one too many."""
        if not isinstance(event, (Waiting, Retrying)):
            return False
        with self._gate:
            self._heard[event.host] = self._heard.get(event.host, 0) + 1
            return self._heard[event.host] > LINES

    def unheard(self, event: Finished) -> int:
        """How many were too many in the pass that ends with this."""
        with self._gate:
            return max(0, self._heard.pop(event.host, 0) - LINES)
