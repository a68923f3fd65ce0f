"""Who hears of a pass: bars on a terminal and logs for what matters, or logs alone."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.cli.messages import write_line
from reconciler.events import Event, Finished, Listener
from reconciler.listeners import logs
from reconciler.listeners.counts import Counts
from reconciler.listeners.pace import LINE_SECONDS

if TYPE_CHECKING:
    from reconciler.listeners.progress import Bars

MANY = 20
"""Of more hosts than this, each one that is done is too much to tell where there are no bars."""
_LOG = logging.getLogger("reconciler")


@dataclass
class Hearing:
    """`bars`: whether there are any while hosts are worked on."""

    bars: bool
    colour: bool
    shown: Bars | None = None

    @contextmanager
    def working(self, hosts: int) -> Iterator[Listener]:
        """A listener for work on so many hosts."""
        if not self.bars:
            with _telling(hosts) if hosts > MANY else nullcontext(logs.log) as listener:
                yield listener
            return
        from reconciler.listeners.progress import Bars

        with Bars(hosts, colour=self.colour) as bars:
            self.shown = bars

            def both(event: Event) -> None:
                logs.log(event)
                bars(event)

            yield both
        self.shown = None

    def tidy(self) -> None:
        """Put the terminal in order, now."""
        if self.shown is not None:
            self.shown.stop()


@contextmanager
def _telling(hosts: int) -> Iterator[Listener]:
    """In place of a line for each host that is done, one for all now and then. Steps and faults are told as ever."""
    counts, over = Counts(hosts), threading.Event()

    def tell() -> None:
        while not over.wait(LINE_SECONDS):
            _LOG.info("%s", counts.line())

    def both(event: Event) -> None:
        counts(event)
        logs.log(event, logging.DEBUG if isinstance(event, Finished) else None)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield both
    finally:
        over.set()
        teller.join()
        _LOG.info("%s", counts.line())


def hearing(level: str | None, form: str, *, quiet: bool, bars: bool, colour: bool) -> Hearing:
    """Set the logs up. Without a level: what failed where bars show the rest or `quiet` is wanted, else all steps."""
    terminal = sys.stderr is not None and sys.stderr.isatty()
    bars = bars and terminal and form == "text" and not quiet
    logs.set_up(level or ("error" if bars or quiet else "info"), form, write_line)
    return Hearing(bars, colour)
