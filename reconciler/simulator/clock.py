"""The time of a farm: the real time, moved by tests."""

from __future__ import annotations

import time


class Clock:
    """Seconds since 1970; `advance` moves it for all hosts of a farm."""

    def __init__(self) -> None:
        self._offset = 0.0

    def now(self) -> float:
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        self._offset += seconds
