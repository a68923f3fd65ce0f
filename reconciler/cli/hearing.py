"""Who hears of a pass: bars on a terminal and logs for what matters, or logs alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.cli.messages import write_line
from reconciler.events import Event, Listener
from reconciler.listeners import logs

if TYPE_CHECKING:
    from reconciler.listeners.progress import Bars


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
            yield logs.log
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


def hearing(level: str | None, form: str, *, quiet: bool, bars: bool, colour: bool) -> Hearing:
    """Set the logs up. Without a level: what failed where bars show the rest or `quiet` is wanted, else all steps."""
    terminal = sys.stderr is not None and sys.stderr.isatty()
    bars = bars and terminal and form == "text" and not quiet
    logs.set_up(level or ("error" if bars or quiet else "info"), form, write_line)
    return Hearing(bars, colour)
