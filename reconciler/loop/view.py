"""The loop as the pages see it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.board import GuardState, HostState, Overview
from reconciler.entries import Entry
from reconciler.loop.watch import Watch
from reconciler.render.words import many
from reconciler.state.history import History

ALIVE_SECONDS = 60.0
"""A scheduler that has not turned for so long is stuck."""


class View:
    """A board."""

    def __init__(self, watch: Watch, history: History, *, dry_run: bool) -> None:
        self._watch, self._history, self._dry_run = watch, history, dry_run
        self._started = datetime.now(UTC)

    def overview(self) -> Overview:
        """See `Board`."""
        dues, guard = self._watch.next_dues(), self._watch.roster.guard
        hosts = tuple(replace(it, next_due=dues.get(it.report.name)) for it in self._watch.shown.states())
        since = datetime.fromisoformat(guard.since) if guard.since is not None else None
        return Overview(
            datetime.now(UTC),
            self._started,
            self._dry_run,
            hosts,
            self._watch.news.specs,
            GuardState(guard.limit.text, guard.tripped, since, tuple(sorted(guard.failed))),
        )

    def host(self, name: str) -> HostState | None:
        """See `Board`."""
        return next((it for it in self.overview().hosts if it.report.name == name), None)

    def history(self, host: str | None, limit: int) -> list[Entry]:
        """See `Board`."""
        return self._history.entries(() if host is None else (host,), limit=limit)

    def alive(self) -> bool:
        """See `Board`."""
        return time.monotonic() - self._watch.turned < ALIVE_SECONDS

    def unready(self) -> str | None:
        """See `Board`."""
        if self._watch.news.specs.revision is None:
            return "no specs are in force"
        missing = self._watch.unready()
        return f"{many(len(missing), 'host')} had no pass yet: {', '.join(missing[:10])}" if missing else None
