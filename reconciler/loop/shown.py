"""What the loop shows of each host: its last report, what a pass does there now, when it is due. For the pages."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from reconciler.board import HostState
from reconciler.desired.host import DesiredHost
from reconciler.events import Carrying, Event, Finished, StepEnded
from reconciler.listeners.pace import Pace
from reconciler.listeners.sentences import sentence
from reconciler.report import HostReport, Outcome, Status


class Shown:
    """A state for each host of the revision in force. Safe to use from any thread."""

    def __init__(self) -> None:
        self._gate, self._pace = threading.Lock(), Pace()
        self._states: dict[str, HostState] = {}
        self._doing: dict[str, Event | str] = {}

    def renew(self, hosts: Iterable[DesiredHost]) -> None:
        """These are the hosts; what is known of one is kept."""
        with self._gate:
            self._states = {host.name: self._state(host) for host in hosts}
            self._doing = {name: it for name, it in self._doing.items() if name in self._states}

    def _state(self, host: DesiredHost) -> HostState:
        status = Status.PAUSED if host.mode == "paused" else Status.PENDING
        known = self._states.get(host.name)
        if known is None or status is Status.PAUSED or known.report.status is Status.PAUSED:
            known = HostState(HostReport(host.name, host.address, status), host.mode, host.labels)
        return replace(known, mode=host.mode, labels=host.labels)

    def hear(self, event: Event) -> None:
        """The listener."""
        if isinstance(event, Finished):
            self._pace.forget(event.host)
        with self._gate:
            state = self._states.get(event.host)
            if state is None or isinstance(event, Finished):
                self._doing.pop(event.host, None)
                return
            if isinstance(event, StepEnded):
                self._states[event.host] = replace(state, report=_with_outcome(state.report, event))
            # most are never looked at, so that they become words when somebody does
            self._doing[event.host] = self._pace.words(event) if isinstance(event, Carrying) else event

    def planned(self, report: HostReport, at: datetime, revision: str | None) -> None:
        """A pass begins to carry this plan out."""
        self._update(report.name, report=report, observed_at=at, revision=revision)

    def passed(self, report: HostReport, at: datetime, revision: str | None, failures: int) -> None:
        """A pass has ended."""
        with self._gate:
            self._doing.pop(report.name, None)
        self._update(report.name, report=report, observed_at=at, revision=revision, failures=failures)

    def _update(self, name: str, **changes: object) -> None:
        with self._gate:
            if name in self._states:
                self._states[name] = replace(self._states[name], **changes)  # type: ignore[arg-type]

    def states(self) -> list[HostState]:
        """All of them, sorted by name."""
        with self._gate:
            states, doing = dict(self._states), dict(self._doing)
        return [replace(states[name], doing=_words(doing.get(name))) for name in sorted(states)]


def _words(doing: Event | str | None) -> str | None:
    return doing if doing is None or isinstance(doing, str) else sentence(doing)


def _with_outcome(report: HostReport, event: StepEnded) -> HostReport:
    """The plan with what became of the step that ended: of several of that name, the first that was not tried."""
    steps = list(report.steps)
    for index, step in enumerate(steps):
        if (step.resource, step.verb, step.outcome) == (event.resource, event.verb, None):
            steps[index] = replace(step, outcome=Outcome(event.outcome))
            return replace(report, steps=tuple(steps))
    return report
