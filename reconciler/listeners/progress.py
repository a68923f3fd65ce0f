"""Progress on a terminal: a bar for all hosts, and one for each of the few that are longest in hand."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column, Table

from reconciler.events import Carrying, Event, Failed, Finished, Postponed, StepBegan, StepEnded
from reconciler.listeners.counts import Counts
from reconciler.listeners.pace import Pace
from reconciler.listeners.sentences import sentence
from reconciler.render.visible import visible
from reconciler.secrets import mask

HOSTS_SHOWN = 10
SPARE_LINES = 4
"""Lines of the terminal that are left for what is told above the bars."""


class _Few(Progress):
    """Shows the first task and those of a few hosts: with steps to do first, then by when they were begun."""

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        every = list(tasks)
        if not every:
            # Progress asks before its console is set
            return super().make_tasks_table(every)
        hosts = sorted(every[1:], key=lambda task: task.total is None)
        room = max(1, min(HOSTS_SHOWN, self.console.height - SPARE_LINES))
        return super().make_tasks_table([every[0], *hosts[:room]])


class Bars:
    """A listener that is shown while its `with` lasts. What is written to standard error meanwhile appears above it."""

    def __init__(self, hosts: int, *, colour: bool) -> None:
        columns = (
            TextColumn("{task.description}", markup=False, table_column=Column(max_width=32, no_wrap=True)),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[doing]}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
        )
        console = Console(stderr=True, no_color=not colour, highlight=False)
        self._bars = _Few(*columns, console=console, transient=True, redirect_stdout=False, expand=True)
        self._gate, self._pace = threading.Lock(), Pace()
        self._counts = Counts(hosts)
        self._tasks: dict[str, TaskID] = {}
        self._all = self._bars.add_task("hosts", total=hosts, doing="")

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bars away and give the cursor back."""
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        self._counts(event)
        with self._gate:
            match event:
                case Finished():
                    self._bars.update(self._all, advance=1, doing=self._counts.statuses())
                    self._take_away(event.host)
                case Postponed():
                    self._take_away(event.host)
                case StepEnded():
                    self._bars.advance(self._task(event.host))
                case Failed():
                    # the log tells it in full
                    return
                case _:
                    self._show(event)

    def _show(self, event: Event) -> None:
        words = self._pace.words(event) if isinstance(event, Carrying) else sentence(event)
        doing = visible(mask(words))
        if isinstance(event, StepBegan):
            self._bars.update(self._task(event.host), total=event.total, doing=doing, refresh=True)
        else:
            self._bars.update(self._task(event.host), doing=doing)

    def _task(self, host: str) -> TaskID:
        if host not in self._tasks:
            self._tasks[host] = self._bars.add_task(visible(host), total=None, doing="")
        return self._tasks[host]

    def _take_away(self, host: str) -> None:
        task = self._tasks.pop(host, None)
        if task is not None:
            self._bars.remove_task(task)
