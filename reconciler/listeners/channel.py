"""One receiver of messages: a thread that tells him what is news, whenever he can be told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from reconciler.listeners.bulletin import Message, message
from reconciler.listeners.digest import Digest, News, Told

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 1800.0
"""A message that could not be sent is tried again after a pause, each twice as long as the one before, up to this."""

_LOG = logging.getLogger("reconciler")


class Channel:
    """Whatever is heard goes into a digest and nobody waits. What could not be sent stays news: the next try tells what
    is so by then. `send` gives None when it went well, else why not; `sent` hears whether it did, in the thread of the
    channel, and never raises. `name` says who it is in logs."""

    def __init__(
        self,
        name: str,
        send: Callable[[Message], str | None],
        sent: Callable[[bool], None],
        window: float,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self._name, self._send, self._sent = name, send, sent
        self._first = self._pause = pause
        self._digest, self._gate = Digest(window), threading.Condition()
        self._not_before = self.told_at = float("-inf")
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"notify {name}", daemon=True)
        self._thread.start()

    def hear(self, happening: Callable[[Digest, float], None]) -> None:
        """Something happened, at the time that is handed in (a monotonic clock's)."""
        with self._gate:
            happening(self._digest, monotonic())
            self._gate.notify()

    def told(self) -> dict[str, Any]:
        """What the receiver knows, as JSON can keep it."""
        with self._gate:
            return self._digest.told.as_json()

    def restore(self, told: Mapping[str, Any]) -> None:
        """What he knows already."""
        with self._gate:
            self._digest.told = Told.of_json(told)

    def close(self) -> None:
        """What is news is sent now, in one try, and nothing after it."""
        with self._gate:
            self._closing = True
            self._gate.notify()

    def wait(self, seconds: float) -> None:
        """Until that try is over, but no longer than `seconds`."""
        self._thread.join(max(0.0, seconds))

    def _run(self) -> None:
        last = False
        while not last:
            news, last = self._next()
            if news:
                self._tell(news)

    def _next(self) -> tuple[News, bool]:
        """News whose time has come, and whether these are the last."""
        with self._gate:
            while not self._closing:
                now, closes = monotonic(), self._digest.closes
                due = max(closes, self._not_before) if closes is not None else None
                if due is not None and due <= now:
                    news = self._digest.news()
                    if news:
                        return news, False
                    self._digest.tell(news, now)
                else:
                    self._gate.wait(due - now if due is not None else None)
            return self._digest.news(), True

    def _tell(self, news: News) -> None:
        why = self._send(message(news))
        with self._gate:
            now = monotonic()
            if why is None:
                self._digest.tell(news, now)
                self.told_at, self._not_before, self._pause = now, now, self._first
            else:
                _LOG.warning("a message to %s could not be sent: %s", self._name, why)
                self._not_before, self._pause = now + self._pause, min(2 * self._pause, LONGEST_PAUSE)
        self._sent(why is None)
