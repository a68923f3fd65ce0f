"""Tells what happens in the loop to all who want to know: logs, metrics, history, messages, systemd; and keeps what a
restart must not forget. Nothing here ever stops the reconciling."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from reconciler.board import SpecsState
from reconciler.desired.host import DesiredHost
from reconciler.engine import Journal
from reconciler.events import Event, Finished
from reconciler.faults import Bug
from reconciler.listeners import logs
from reconciler.listeners.metrics import Metrics
from reconciler.listeners.notify import Notifier
from reconciler.listeners.systemd import Systemd
from reconciler.loop.guard import Guard
from reconciler.loop.memory import Memory
from reconciler.render.words import many
from reconciler.report import HostReport, Status
from reconciler.sources.revision import Rejected, Revision, Trouble
from reconciler.state.history import History

MESSAGES = "messages"
_LOG = logging.getLogger("reconciler")


class News:
    """Safe to use from any thread. `receivers` are the URLs where messages go. Raises CannotNotify."""

    def __init__(
        self, origin: str, memory: Memory, history: History, metrics: Metrics, receivers: Sequence[str]
    ) -> None:
        self._memory, self._history, self._metrics = memory, history, metrics
        self._notifier = Notifier(receivers, self._sent)
        self._notifier.restore(memory.recall(MESSAGES) or {})
        self._systemd, self._gate = Systemd(), threading.Lock()
        self._statuses: dict[str, str] = {}
        self._lost = 0
        self._logged: dict[str, frozenset[str]] = {}
        self.specs = SpecsState(origin)

    # -- the process --------------------------------------------------------------------------------------------

    def ready(self) -> None:
        self._systemd.ready()

    def reloading(self) -> None:
        _LOG.info("every host is looked at now")
        self._systemd.reloading()

    def stopping(self) -> None:
        _LOG.info("stopping: no step begins any more")
        self._systemd.stopping()

    def turned(self) -> None:
        """The scheduler has turned."""
        self._systemd.turned()

    def bug(self, error: Exception) -> None:
        """The scheduler met something that should never happen."""
        _LOG.error("%s", Bug.of("the loop", error).message)

    def queue(self, waiting: int, busy: int) -> None:
        self._metrics.queue(waiting, busy)

    def _sent(self, ok: bool) -> None:
        """A message was sent, or could not be; what was told is not told again after a restart."""
        self._metrics.notified(ok)
        if ok:
            self._memory.keep(MESSAGES, self._notifier.remembered())

    def close(self, seconds: float) -> None:
        """Send what is to be sent, at most so long."""
        self._memory.keep(MESSAGES, self._notifier.remembered())
        self._notifier.close(seconds)
        self._history.close()

    # -- passes -------------------------------------------------------------------------------------------------

    def hear(self, event: Event) -> None:
        """The listener. A pass that finds a host as it was is nothing to tell people."""
        self._metrics(event)
        dull = isinstance(event, Finished) and self._statuses.get(event.host) == event.status
        logs.log(event, logging.DEBUG if dull else None)

    def journal(self, revision: str | None) -> Journal:
        """Keeps the steps of a pass that began with that revision."""
        return self._history.journal(revision)

    def kept(self, report: HostReport, revision: str | None) -> None:
        """A pass has ended that began with that revision: for the history, whoever it was."""
        self._history.passed(report, revision)
        with self._gate:
            lost, self._lost = self._history.lost - self._lost, self._history.lost
        self._metrics.history_lost(lost)

    def passed(self, report: HostReport, mode: str, seconds: float) -> None:
        """A pass has ended over a host that is still one of ours."""
        self._statuses[report.name] = report.status.value
        self._metrics.passed(report, seconds)
        self._notifier.passed(report, mode)

    def resumed(self, guard: Guard) -> None:
        """The guard as the last run left it."""
        self._metrics.guard(guard.tripped)
        self._notifier.guard(guard.tripped, sorted(guard.failed))
        if guard.tripped:
            _LOG.error("the guard has tripped at %s, nothing is changed until it is released", guard.since)

    def guard(self, before: Guard, now: Guard) -> None:
        """Keep the guard before anything else happens, and tell when it has tripped or was released. What could not be
        kept is tried again each time."""
        self._memory.keep("guard", now.document())
        if now.tripped == before.tripped:
            return
        self._metrics.guard(now.tripped)
        if now.tripped:
            failed = ", ".join(sorted(now.failed))
            _LOG.error("the guard has tripped, nothing is changed any more: these hosts failed: %s", failed)
        else:
            _LOG.warning("the guard is released")
        self._notifier.guard(now.tripped, sorted(now.failed))

    # -- specs --------------------------------------------------------------------------------------------------

    def revision(self, found: Revision, hosts: Sequence[DesiredHost]) -> None:
        """Specs have come into force; the loop looks after these `hosts` of theirs."""
        warnings = tuple(map(str, found.warnings))
        with self._gate:
            fresh = found.name != self.specs.revision
            since = datetime.now(UTC) if fresh else self.specs.since
            self.specs = SpecsState(self.specs.origin, found.name, since, warnings=warnings)
        if fresh:
            _LOG.info("revision %s is in force: %s", found.name, many(len(hosts), "host"))
            self._history.revision(found.name)
        self._systemd.status(f"{many(len(hosts), 'host')} under revision {found.name[:12]}")
        self._log_once("warnings", warnings, logging.WARNING)
        for kind in ("mistakes", "trouble"):
            self._logged.pop(kind, None)
        names = {host.name for host in hosts}
        told = self._notifier.remembered().get("hosts", {})
        for gone in {*self._statuses, *told} - names:
            self._statuses.pop(gone, None)
            self._notifier.forget(gone)
        self._metrics.hosts(names)
        for host in hosts:
            if host.mode == "paused":
                paused = HostReport(host.name, host.address, Status.PAUSED)
                self._history.passed(paused, found.name)
                self.passed(paused, host.mode, 0.0)
        self._metrics.revision(found.name)
        self._wrong(())

    def known(self, names: Sequence[str]) -> None:
        """Hosts whose passes may end from now on, before all else of a revision is told."""
        self._metrics.hosts(names)

    def rejected(self, found: Rejected) -> None:
        """The newest specs are wrong; the last good ones stay in force."""
        mistakes = tuple(map(str, found.mistakes))
        with self._gate:
            now = self.specs
            self.specs = SpecsState(now.origin, now.revision, now.since, mistakes, now.warnings)
        self._log_once("mistakes", mistakes, logging.ERROR)
        self._wrong(mistakes)

    def trouble(self, found: Trouble) -> None:
        """The newest specs can't be read; the last good ones stay in force."""
        text = f"{found.why}; {found.next}"
        with self._gate:
            now = self.specs
            self.specs = SpecsState(now.origin, now.revision, now.since, now.mistakes, now.warnings, text)
        self._log_once("trouble", (text,), logging.ERROR)
        if not found.passing:
            self._wrong((text,))

    def fetched(self, ok: bool) -> None:
        self._metrics.fetched(ok)

    def _wrong(self, mistakes: tuple[str, ...]) -> None:
        self._metrics.spec_errors(len(mistakes))
        self._notifier.specs(mistakes)

    def _log_once(self, kind: str, lines: tuple[str, ...], level: int) -> None:
        """Log those that were not among the last ones of their kind."""
        before = self._logged.get(kind, frozenset())
        for line in lines:
            if line not in before:
                _LOG.log(level, "%s", line)
        self._logged[kind] = frozenset(lines)
