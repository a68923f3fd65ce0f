"""What hosts share: whose turn it is on a volume, and which volumes have filled up.

Volumes are told by a key: the volume's id, so that hosts which mount one volume under two names take turns as well.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

PATIENCE_SECONDS = 0.5
"""So often whoever waits for a turn asks whether a person wants it to end."""


@dataclass
class _Turn:
    """The turn on one volume, and how many have it or wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


class Turns:
    """Safe to use from any thread. A volume that filled up is full for `filled_seconds`: others may make room."""

    def __init__(self, filled_seconds: float = math.inf, clock: Callable[[], float] = monotonic) -> None:
        self._gate = threading.Lock()
        self._turns: dict[str, _Turn] = {}
        self._filled: dict[str, tuple[str, float]] = {}
        self._filled_seconds, self._clock = filled_seconds, clock

    @contextmanager
    def on(
        self, volume: str, stopping: Callable[[], bool], waiting: Callable[[], None]
    ) -> Iterator[bool | None]:
        """Have the turn on a volume; yields whether it had to be waited for, and None when `stopping` ended the wait.

        `waiting` is told once, when another host has the turn.
        """
        with self._used(volume) as turn:
            waited, had = False, turn.acquire(blocking=False)
            if not had:
                waiting()
            while not had and not stopping():
                waited, had = True, turn.acquire(timeout=PATIENCE_SECONDS)
            try:
                yield waited if had else None
            finally:
                if had:
                    turn.release()

    @contextmanager
    def _used(self, volume: str) -> Iterator[threading.Lock]:
        """The lock of a volume, which is there as long as anybody uses it."""
        with self._gate:
            turn = self._turns.setdefault(volume, _Turn())
            turn.users += 1
        try:
            yield turn.lock
        finally:
            with self._gate:
                turn.users -= 1
                if not turn.users:
                    del self._turns[volume]

    def fill(self, volume: str, what: str) -> None:
        """The volume filled up while `what` was copied; nothing more is copied to it for a while."""
        with self._gate:
            self._forget()
            self._filled.setdefault(volume, (what, self._clock()))

    def filled(self, volume: str) -> str | None:
        """What was being copied when it filled up; None: it did not, or not lately."""
        with self._gate:
            self._forget()
            return self._filled[volume][0] if volume in self._filled else None

    def _forget(self) -> None:
        over = self._clock() - self._filled_seconds
        self._filled = {volume: it for volume, it in self._filled.items() if it[1] > over}
