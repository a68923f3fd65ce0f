"""The history: what was done, what failed, and when. Whatever is wrong with its file, hosts are worked on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.entries import Entry, of_fault, of_status, of_step
from reconciler.render.values import map_texts
from reconciler.report import FaultReport, HostReport, Status, StepReport
from reconciler.secrets import mask
from reconciler.state import rows
from reconciler.state.database import Database, read
from reconciler.state.sqlite import examine
from reconciler.state.trouble import StateTrouble

UNWRITTEN = 10_000
"""So many entries that can't be written are kept in memory; then the oldest are lost."""
AGAIN_SECONDS = 10.0
"""What could not be written is tried again with the next entry or pass after so long; after a try that took long,
because another process was waited for, only after ten times as long."""
TIDY_SECONDS = 3600.0
REMOVED = 1000
"""So many entries go at a time, so that a step never waits long for its turn to be written."""
EVER = float("-inf")


class History:
    """Safe to use from any thread. `keep` is how long entries stay; `warn` is told in one line of what goes wrong, once
    until it changes, and when it is over.

    `trouble` is what keeps entries from being written (None: nothing does), `lost` counts those that never will be.
    """

    def __init__(self, path: Path, keep: timedelta, warn: Callable[[str], None]) -> None:
        self._path, self._keep, self._warn = path, keep, warn
        self._database = Database(path, warn)
        self._gate, self._writing = threading.Lock(), threading.Lock()
        self._backlog: deque[Entry] = deque()
        self._told: dict[tuple[str, str], str] = {}
        self._again, self._tidied = EVER, EVER
        self._unread: str | None = None
        self.trouble: str | None = None
        self.lost = 0

    @property
    def unwritten(self) -> int:
        """How many entries wait in memory until they can be written."""
        return len(self._backlog)

    def journal(self, revision: str | None) -> HistoryJournal:
        """For the steps of passes that began with that revision."""
        return HistoryJournal(self._add, revision)

    def passed(self, report: HostReport, revision: str | None) -> None:
        """A pass has ended: what ended it, and the host's status where it changed. Never raises."""
        if report.status is not Status.PENDING:
            now, before = datetime.now(UTC), self._last("status", report.name)
            entries = of_fault(now, report, revision), of_status(now, report, before, revision)
            self._add(entry for entry in entries if entry is not None)
        self._tidy()

    def revision(self, name: str) -> None:
        """Specs came into force; those that came last are no news. Never raises."""
        if self._last("revision", "") != name:
            self._add([Entry(datetime.now(UTC), "revision", revision=name)])

    def entries(
        self, hosts: Sequence[str] = (), since: datetime | None = None, limit: int | None = None
    ) -> list[Entry]:
        """As `read`, but raises nothing: what can't be read is trouble, and an empty list."""
        try:
            entries = read(self._path, hosts, since, limit)
        except StateTrouble as trouble:
            if self._unread != str(trouble):
                self._unread = str(trouble)
                self._warn(self._unread)
                self._mend()
            return []
        self._unread = None
        return entries

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        with self._writing:
            self._again = EVER
            self._flush()
            self._database.close()
            left = self._lose(len(self._backlog))
        if left:
            self._warn(f"{_entries(left)} of the history could not be written and are lost")

    def _add(self, entries: Iterable[Entry]) -> None:
        """Keep entries; they are on the disk when this returns, unless there is trouble. Threads that wait for each
        other's writing find their own entries written with those of others."""
        with self._gate:
            for entry in (map_texts(it, mask) for it in entries):
                self._backlog.append(entry)
                value = rows.told_by(entry)
                if value is not None:
                    self._told[entry.event, entry.host or ""] = value
        with self._writing:
            self._flush()

    def _flush(self) -> None:
        """Write what waits in memory; with `_writing` in hand."""
        began = time.monotonic()
        if not self._backlog or began < self._again:
            self._lose(len(self._backlog) - UNWRITTEN)
            return
        with self._gate:
            entries = list(self._backlog)
        try:
            self._database.write(entries)
        except StateTrouble as trouble:
            self._again = time.monotonic() + max(AGAIN_SECONDS, 10 * (time.monotonic() - began))
            self._lose(len(entries) - UNWRITTEN)
            self._met(trouble)
        else:
            self._drop(len(entries))
            self._well()

    def _last(self, event: str, host: str) -> str | None:
        """What an entry told last of a host, by whatever process; in trouble what this one knows."""
        with self._writing:
            if not self._backlog and time.monotonic() >= self._again:
                try:
                    value = self._database.latest(event, host)
                except StateTrouble as trouble:
                    self._again = time.monotonic() + AGAIN_SECONDS
                    self._met(trouble)
                else:
                    self._well()
                    return value
        return self._told.get((event, host))

    def _tidy(self) -> None:
        """Now and then: remove what is too old, and see whether the file is well. Steps may be written meanwhile."""
        with self._writing:
            self._flush()
            if self.trouble is not None or time.monotonic() < self._tidied + TIDY_SECONDS:
                return
            self._tidied = time.monotonic()
        self._mend()
        before, gone = datetime.now(UTC) - self._keep, REMOVED
        while gone == REMOVED:
            with self._writing:
                try:
                    gone = self._database.remove(before, REMOVED)
                except StateTrouble as trouble:
                    self._met(trouble)
                    return

    def _mend(self) -> None:
        """Set the file aside if it is broken."""
        broken = examine(self._path)
        if broken is not None:
            with self._writing:
                try:
                    self._database.set_aside(broken)
                except StateTrouble as trouble:
                    self._met(trouble)

    def _lose(self, number: int) -> int:
        """Give up the oldest of what waits in memory; how many that were."""
        lost = max(number, 0)
        self._drop(lost)
        self.lost += lost
        return lost

    def _drop(self, number: int) -> None:
        with self._gate:
            for _ in range(number):
                self._backlog.popleft()

    def _met(self, trouble: StateTrouble) -> None:
        if self.trouble != str(trouble):
            self.trouble = str(trouble)
            self._warn(f"{trouble}; hosts are worked on all the same")

    def _well(self) -> None:
        if self.trouble is not None:
            self.trouble = None
            self._warn(f"the history {self._path} is written again")


class HistoryJournal:
    """Writes each step down before anybody hears that it ended; never raises."""

    def __init__(self, add: Callable[[Iterable[Entry]], None], revision: str | None) -> None:
        self._add, self._revision = add, revision

    def step(self, host: str, step: StepReport, seconds: float | None, fault: FaultReport | None) -> None:
        """A step that is done or has failed; it is on the disk when this returns, unless there is trouble."""
        self._add([of_step(datetime.now(UTC), host, step, seconds, fault, self._revision)])


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"
