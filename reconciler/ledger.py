"""What became of each step of a pass over one host, and the report that comes of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from reconciler.engine import Contact, Hands, Look, Task, describe, planned
from reconciler.faults import Bug, Fault, Unreachable
from reconciler.plan import Plan, Step
from reconciler.report import Action, FaultReport, HeldReport, HostReport, Outcome, Status, StepReport
from reconciler.verbs import Verb

Key = tuple[str, tuple[object, ...]]


def key_of(step: Step) -> Key:
    """What makes two proposals the same step."""
    return step.resource, step.change.key


class Ledger:
    """`ended` holds the steps that were begun (outcome None while they are in hand), `waived` those that were left to
    whoever is at it already, with their reasons."""

    def __init__(self, hands: Hands, first_plan: Plan, first: HostReport) -> None:
        self._hands = hands
        self._first_plan, self._first = first_plan, first
        self.ended: dict[Key, StepReport] = {}
        self.waived: dict[Key, HeldReport] = {}

    def tried(self, step: Step) -> bool:
        """Whether the step had its turn in this pass."""
        return key_of(step) in self.ended or key_of(step) in self.waived

    def begin(self, step: Step, head: tuple[Verb, ...] = ()) -> None:
        """A step is in hand; `head` is done before its own actions."""
        self.ended[key_of(step)] = self._described(step, head)

    def end(self, key: Key, outcome: Outcome) -> StepReport:
        """The step as it ended."""
        ended = self.ended[key] = replace(self.ended[key], outcome=outcome)
        return ended

    def waive(self, step: Step, why: str) -> None:
        """Somebody else is at it: the step is held, and not tried again in this pass."""
        self.ended.pop(key_of(step), None)
        self.waived[key_of(step)] = HeldReport(step.resource, why, self._described(step))

    def add(self, key: Key, title: str, commands: tuple[str, ...] = ()) -> None:
        """One more action of a step: a backup, or which proof was made."""
        report = self.ended[key]
        self.ended[key] = replace(report, actions=(*report.actions, Action(title, commands)))

    def total(self) -> int:
        """How many steps there are, as far as can be told."""
        return max(len(self._first_plan.steps), len(self.ended) + 1)

    def settle(self, plan: Plan) -> list[Step]:
        """Hold what was done against the last look: the steps that were done and did not last. One that is still wanted
        and was not tried is skipped; one that came with another step is done only if its resource is as wished now. A
        deletion that was planned and never made, as nothing asks for it any more, is none of them."""
        lost = [step for step in plan.steps if self._outcome(step) is Outcome.DONE]
        for step in plan.steps:
            if not self.tried(step):
                self.ended[key_of(step)] = self._described(step, outcome=Outcome.SKIPPED)
        for step in lost:
            self.end(key_of(step), Outcome.FAILED)
        self._rest(plan.in_sync, {it.resource for it in plan.held})
        return lost

    def _outcome(self, step: Step) -> Outcome | None:
        report = self.ended.get(key_of(step))
        return report.outcome if report is not None else None

    def _rest(self, in_sync: Iterable[str], held: Collection[str] = ()) -> None:
        """Steps of the first plan that had no turn. What is held by now stands among what is held; and nothing was
        deleted that no step has deleted: it was not needed in the end, and stays."""
        for step in self._first_plan.steps:
            fulfilled = step.resource in in_sync
            if self.tried(step) or step.resource in held:
                continue
            if not (fulfilled and step.change.verb == "delete"):
                outcome = Outcome.DONE if fulfilled else Outcome.SKIPPED
                self.ended[key_of(step)] = self._described(step, outcome=outcome)

    def report(self, task: Task, contact: Contact, look: Look, fault: Fault | None) -> HostReport:
        """The host's report. After a lost link or a bug no last look is trusted: the first one's words stand."""
        if isinstance(fault, Unreachable | Bug):
            self._rest(())
            last = self._first
        else:
            last = planned(task, contact, look, look.plan(opening=False))
        touched = {report.resource for report in self.ended.values()}
        report = replace(
            self._first,
            transport=last.transport,
            steps=tuple(self.ended.values()),
            held=(*last.held, *(it for it in self.waived.values() if it.resource not in last.in_sync)),
            unknown=last.unknown,
            findings=last.findings,
            in_sync=tuple(name for name in self._first.in_sync if name not in touched),
            fault=FaultReport.of(fault) if fault else None,
        )
        return replace(report, status=_status(report, fault))

    def _described(
        self, step: Step, head: tuple[Verb, ...] = (), outcome: Outcome | None = None
    ) -> StepReport:
        actions = (*head, *step.change.actions)
        return replace(describe(replace(step, actions=actions), self._hands), outcome=outcome)


def _status(report: HostReport, fault: Fault | None) -> Status:
    if isinstance(fault, Unreachable):
        return Status.UNREACHABLE
    if fault is not None:
        return Status.FAILED
    if any(step.outcome is not Outcome.DONE for step in report.steps):
        return Status.DRIFTED
    if report.held or report.unknown:
        return Status.HELD
    return Status.CONVERGED if report.steps else Status.IN_SYNC
