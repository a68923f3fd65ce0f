"""How fast copies go: rate and time left, and when the next line about one is due."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from reconciler.events import Carrying
from reconciler.listeners.sentences import sentence
from reconciler.sizes import size_text

LINE_SECONDS = 10.0
"""A log without a terminal gets a line about a copy so often, and one at its end."""
PATIENCE = 0.1
"""A copy that takes long gets one less often: after so large a part of the time that it has taken until then."""


@dataclass
class _Copy:
    began: float
    first: int
    told: float


class Pace:
    """Follows copies by host and disk. `clock` is in seconds; safe to use from any thread."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._gate = clock, threading.Lock()
        self._copies: dict[tuple[str, str], _Copy] = {}

    def words(self, event: Carrying) -> str:
        """`img: 24.0 MiB of 1.2 GiB, 80.0 MiB/s, 15 s left`."""
        copy, now = self._copy(event), self._clock()
        seconds, carried = now - copy.began, event.done - copy.first
        if seconds <= 0 or carried <= 0:
            return sentence(event)
        left = (event.total - event.done) * seconds / carried
        return f"{sentence(event)}, {size_text(int(carried / seconds))}/s, {_span(left)} left"

    def due(self, event: Carrying) -> bool:
        """Whether a line about it is due."""
        copy, now = self._copy(event), self._clock()
        with self._gate:
            if event.done >= event.total:
                self._copies.pop((event.host, event.what), None)
                return True
            due = now - copy.told >= max(LINE_SECONDS, PATIENCE * (now - copy.began))
            copy.told = now if due else copy.told
        return due

    def forget(self, host: str) -> None:
        """Nothing is copied there any more: a later copy is another one."""
        with self._gate:
            self._copies = {key: it for key, it in self._copies.items() if key[0] != host}

    def _copy(self, event: Carrying) -> _Copy:
        with self._gate:
            now = self._clock()
            copy = self._copies.get((event.host, event.what))
            if copy is None or event.done < copy.first:
                copy = self._copies[event.host, event.what] = _Copy(now, event.done, now)
            return copy


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
