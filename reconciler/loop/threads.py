"""Threads for passes. One that has ended its pass takes the next: starting a thread costs a tenth of a pass over a host
that is as it was."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

Work = Callable[[], None]
IDLE_SECONDS = 60.0
"""A thread without work ends after so long."""


class Threads:
    """Safe to use from any thread."""

    def __init__(self, idle: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle
        self._idle: deque[SimpleQueue[Work]] = deque()

    def start(self, work: Work) -> None:
        """Do it in a thread, at once. Raises RuntimeError where the machine has none left, and nothing is done then."""
        try:
            # the one that had work last: the others may end
            self._idle.pop().put(work)
        except IndexError:
            threading.Thread(target=self._live, args=(work,), daemon=True).start()

    def _live(self, work: Work) -> None:
        desk: SimpleQueue[Work] = SimpleQueue()
        while True:
            work()
            self._idle.append(desk)
            try:
                work = desk.get(timeout=self._idle_seconds)
            except Empty:
                try:
                    self._idle.remove(desk)
                except ValueError:
                    # somebody has just taken it to give work
                    work = desk.get()
                else:
                    return
