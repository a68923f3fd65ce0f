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
            desk: SimpleQueue[Work] = SimpleQueue()
            desk.put(work)
            threading.Thread(target=self._live, args=(desk,), daemon=True).start()

    def _live(self, desk: SimpleQueue[Work]) -> None:
        while True:
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
            work()
            # what a pass was about is not kept for as long as the thread waits
            del work
            self._idle.append(desk)
