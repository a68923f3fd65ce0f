"""Wakes the scheduler, from any thread and from a signal handler, and keeps what signals asked for."""

from __future__ import annotations

import os
import select


class Bell:
    """Rung before or while somebody waits, it ends the wait. `stop` and `hurry` are what a person asked for."""

    def __init__(self) -> None:
        self.stop = self.hurry = False
        self._heard, self._rope = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._heard, select.POLLIN)

    def ring(self) -> None:
        """Never waits, and takes no lock: in a signal handler that could wait for ever."""
        try:
            os.write(self._rope, b"!")
        except BlockingIOError:
            # it has been rung often enough to be heard
            return

    def wait(self, seconds: float) -> None:
        """Until it is rung, or so many seconds."""
        if self._poll.poll(max(0.0, seconds) * 1000):
            os.read(self._heard, 65536)
