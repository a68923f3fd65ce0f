"""Ctrl-C and SIGTERM while hosts are worked on: the first one ends in good order, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.cli.messages import say

INTERRUPTED = 130


@contextmanager
def stopping(stop: threading.Event, tidy: Callable[[], None]) -> Iterator[None]:
    """The first signal sets `stop`; `tidy` puts the terminal in order before the second one cuts."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            tidy()
            # threads that wait for a host would keep an orderly exit from ending
            os._exit(INTERRUPTED)
        stop.set()
        say("ending after the step in hand; once more to cut it", "warning")

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
