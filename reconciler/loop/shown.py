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

    def renew(self, hosts: Iterable[DesiredHost]) -> None:
        """These are the hosts; what is known of one is kept."""
        with self._gate:
            self._states = {host.name: self._state(host) for host in hosts}

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
            if state is None:
                return
            if isinstance(event, StepEnded):
                state = replace(state, report=_with_outcome(state.report, event))
            doing = self._pace.words(event) if isinstance(event, Carrying) else sentence(event)
            self._states[event.host] = replace(state, doing=None if isinstance(event, Finished) else doing)

    def planned(self, report: HostReport, at: datetime, revision: str | None) -> None:
        """A pass begins to carry this plan out."""
        self._update(report.name, report=report, observed_at=at, revision=revision)

    def passed(self, report: HostReport, at: datetime, revision: str | None, failures: int) -> None:
        """A pass has ended."""
        self._update(
            report.name, report=report, observed_at=at, revision=revision, failures=failures, doing=None
        )

    def _update(self, name: str, **changes: object) -> None:
        with self._gate:
            if name in self._states:
                self._states[name] = replace(self._states[name], **changes)  # type: ignore[arg-type]

    def states(self) -> list[HostState]:
        """All of them, sorted by name."""
        with self._gate:
            return [self._states[name] for name in sorted(self._states)]


def _with_outcome(report: HostReport, event: StepEnded) -> HostReport:
    """The plan with what became of the step that ended: of several of that name, the first that was not tried."""
    steps = list(report.steps)
    for index, step in enumerate(steps):
        if (step.resource, step.verb, step.outcome) == (event.resource, event.verb, None):
            steps[index] = replace(step, outcome=Outcome(event.outcome))
            return replace(report, steps=tuple(steps))
    return report
