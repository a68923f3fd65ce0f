"""What the hosts of one run share: whose turn it is on a volume, and which volumes have filled up.

Volumes are told by a key: the volume's id, so that hosts which mount one volume under two names take turns as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 0.5
"""So often whoever waits for a turn asks whether a person wants it to end."""


class Turns:
    """Safe to use from any thread."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._filled: dict[str, str] = {}

    @contextmanager
    def on(
        self, volume: str, stopping: Callable[[], bool], waiting: Callable[[], None]
    ) -> Iterator[bool | None]:
        """Have the turn on a volume; yields whether it had to be waited for, and None when `stopping` ended the wait.

        `waiting` is told once, when another host has the turn.
        """
        with self._gate:
            turn = self._turns.setdefault(volume, threading.Lock())
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

    def fill(self, volume: str, what: str) -> None:
        """The volume filled up while `what` was copied; nothing more is copied to it in this run."""
        with self._gate:
            self._filled.setdefault(volume, what)

    def filled(self, volume: str) -> str | None:
        """What was being copied when it filled up; None: it did not."""
        with self._gate:
            return self._filled.get(volume)
