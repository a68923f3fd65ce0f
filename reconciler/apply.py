"""Carry a plan out, step by step: act, look again, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

from reconciler.actuators.answer import Answer
from reconciler.engine import Contact, Hands, Look, Task, describe, planned
from reconciler.events import Failed, Listener, StepBegan, StepEnded
from reconciler.events import Retrying as Again
from reconciler.faults import Fault, NotConverged, Refused, Unreachable
from reconciler.kinds.model import Change, Verdict
from reconciler.plan import Plan, Step
from reconciler.report import FaultReport, HostReport, Outcome, Status, StepReport
from reconciler.verbs import AppendKeys, OweBackup, RewriteKeys, SaveConfiguration, Verb

TRIES = 3
"""A step is tried so often; each further try is decided by another look."""
SETTLING = 5
"""A host may need a moment until a look shows what was done: so many looks, with pauses of 1, 2, 4 and 5 s."""

_UNSEEN = (SaveConfiguration, OweBackup)
"""Verbs whose effect no look shows: for them the host's answer counts."""

Key = tuple[str, tuple[object, ...]]


class Apply:
    """One host's steps. `stopping` tells whether a person wants it to end; `pause` waits that many seconds."""

    def __init__(
        self,
        task: Task,
        contact: Contact,
        look: Look,
        first: HostReport,
        first_plan: Plan,
        tell: Listener,
        stopping: Callable[[], bool],
        pause: Callable[[float], None],
    ) -> None:
        product = look.product()
        if product is None:
            raise AssertionError("nothing is applied to a host that has not been looked at")
        self.task, self.contact, self.look, self.first = task, contact, look, first
        self.first_plan = first_plan
        self.tell, self.stopping, self.pause = tell, stopping, pause
        self.product = product
        self.hands: Hands = contact.hands(product)
        self.ended: dict[Key, StepReport] = {}
        self.failed: dict[str, str] = {}
        self.fault: Fault | None = None
        self.unsaved = self.noted = False

    def run(self) -> HostReport:
        """Do all steps that may be done, and report. Faults of single steps are in the report."""
        try:
            while not self.stopping() and (step := self._next()) is not None:
                self._do(step)
            if self.unsaved:
                self._save()
            self.look.again(self.look.resources)
        except Unreachable as fault:
            self._note(fault)
        return self._report()

    def _next(self) -> Step | None:
        """The first step of the plan, as the newest facts make it, that was not tried yet and stands on nothing
        that failed."""
        for step in self.look.plan().steps:
            if _key(step) not in self.ended and not any(need in self.failed for need in (step.resource, *step.needs)):
                return self._without_second_note(step)
        return None

    def _without_second_note(self, step: Step) -> Step:
        """One note that a backup is owed is enough for a pass."""
        actions = tuple(verb for verb in step.actions if not (self.noted and isinstance(verb, OweBackup)))
        return replace(step, actions=actions)

    def _do(self, step: Step) -> None:
        began, title = monotonic(), step.change.actions[0].title
        self.tell(StepBegan(self.task.name, step.resource, title, len(self.ended) + 1, self._total()))
        outcome = Outcome.FAILED
        try:
            self._carry_out(step)
            outcome = Outcome.DONE
        except Fault as fault:
            self.failed[step.resource] = fault.message
            self._note(fault)
            if isinstance(fault, Unreachable):
                raise
        finally:
            self.ended[_key(step)] = self._described(step, outcome)
            self.tell(
                StepEnded(self.task.name, step.resource, step.change.verb, outcome.value, monotonic() - began)
            )

    def _carry_out(self, step: Step) -> None:
        """Act and look again until the change is not wanted any more. Raises Refused, NotConverged, LoginRefused."""
        resource = next(it for it in self.look.resources if it.name == step.resource)
        before = resource.judge(self.look.facts)
        current = step
        for _ in range(TRIES):
            answer, verb = self._act(current)
            verdict = self._look_again(step, before)
            again = _wanted(verdict, step.change)
            if not answer.ok and not answer.passing and (again is not None or isinstance(verb, _UNSEEN)):
                raise _refusal(self.task, step.resource, answer)
            if again is None and not _blind(verdict, before):
                self._prove(step)
                return
            if again is not None:
                self.tell(
                    Again(
                        self.task.name, step.resource, answer.said or "a look shows no change", "notConverged"
                    )
                )
                current = replace(current, change=again, actions=_renewed(current, again))
        raise self._not_converged(step, verdict.unknown or "looking again shows the same as before")

    def _act(self, step: Step) -> tuple[Answer, Verb]:
        """Do the actions in order, up to the first that fails; that one, or the last, with its answer."""
        answer = Answer(True)
        for verb in step.actions:
            answer = self.hands.do(verb)
            self.unsaved = self.unsaved or (verb.saved and (answer.ok or len(self.hands.describe(verb)) > 1))
            if not answer.ok:
                return answer, verb
            self.noted = self.noted or isinstance(verb, OweBackup)
            if isinstance(verb, SaveConfiguration):
                self.unsaved = self.noted = False
        return answer, step.actions[-1]

    def _look_again(self, step: Step, before: Verdict) -> Verdict:
        """Look until the change is seen, or for a while: a fresh mount is not accessible at once."""
        standing = self.look.standing_on(step.resource)
        resource = next(it for it in standing if it.name == step.resource)

        def once() -> bool:
            self.look.again(standing)
            verdict = resource.judge(self.look.facts)
            return _wanted(verdict, step.change) is None and _blind(verdict, before)

        Retrying(
            retry=retry_if_result(bool),
            stop=stop_after_attempt(SETTLING),
            wait=wait_exponential(multiplier=1, max=5),
            sleep=self.pause,
            retry_error_callback=lambda state: None,
        )(once)
        return resource.judge(self.look.facts)

    def _prove(self, step: Step) -> None:
        lines = [line for verb in step.actions if isinstance(verb, AppendKeys) for line in verb.lines]
        lines += [
            line for verb in step.actions if isinstance(verb, RewriteKeys) for line in verb.new.splitlines()
        ]
        if lines:
            self.contact.prove_keys(lines, self.product)

    def _save(self) -> None:
        """The backup that is owed when its step was not reached: it belongs to the last step that was done."""
        key = list(self.ended)[-1]
        answer = self.hands.do(SaveConfiguration())
        if not answer.ok:
            self.ended[key] = replace(self.ended[key], outcome=Outcome.FAILED)
            self._note(_refusal(self.task, key[0], answer))

    def _not_converged(self, step: Step, what: str) -> Fault:
        message = f"{self.task.name}: {step.resource} was changed without an error, but {what}"
        return NotConverged(message, next=f"look at {step.resource} on the host, and at its logs")

    def _note(self, fault: Fault) -> None:
        self.fault = self.fault or fault
        self.tell(Failed(self.task.name, fault.kind.value, fault.message))

    def _total(self) -> int:
        return max(len(self.first_plan.steps), len(self.ended) + 1)

    def _report(self) -> HostReport:
        plan = self.look.plan()
        for step in plan.steps:
            self._still_wanted(step)
        for step in self.first_plan.steps:
            self.ended.setdefault(_key(step), self._described(step, Outcome.DONE))
        last = planned(self.task, self.contact, self.look, plan)
        report = replace(
            self.first,
            steps=tuple(self.ended.values()),
            held=last.held,
            unknown=last.unknown,
            findings=last.findings,
            fault=FaultReport.of(self.fault) if self.fault else None,
        )
        return replace(report, status=self._status(report))

    def _still_wanted(self, step: Step) -> None:
        """A step that the last look wants: skipped when it was not tried; when it was done, it did not last."""
        before = self.ended.get(_key(step))
        if before is None:
            self.ended[_key(step)] = self._described(step, Outcome.SKIPPED)
        elif before.outcome is Outcome.DONE:
            self.ended[_key(step)] = replace(before, outcome=Outcome.FAILED)
            self._note(self._not_converged(step, "it did not last until the end of the pass"))

    def _described(self, step: Step, outcome: Outcome) -> StepReport:
        return replace(describe(step, self.hands), outcome=outcome)

    def _status(self, report: HostReport) -> Status:
        if isinstance(self.fault, Unreachable):
            return Status.UNREACHABLE
        if self.fault is not None:
            return Status.FAILED
        if any(step.outcome is not Outcome.DONE for step in report.steps):
            return Status.DRIFTED
        if report.held or report.unknown:
            return Status.HELD
        return Status.CONVERGED if report.steps else Status.IN_SYNC


def _key(step: Step) -> Key:
    return step.resource, step.change.key


def _wanted(verdict: Verdict, change: Change) -> Change | None:
    return next((it for it in verdict.changes if it.key == change.key), None)


def _blind(verdict: Verdict, before: Verdict) -> bool:
    """Whether the look could not show what became of the change."""
    return verdict.unknown is not None and verdict.unknown != before.unknown


def _renewed(step: Step, change: Change) -> tuple[Verb, ...]:
    """The change's actions of now, with what the plan had put around them."""
    extra = [verb for verb in step.actions if verb not in step.change.actions]
    head = tuple(verb for verb in extra if isinstance(verb, OweBackup))
    tail = tuple(verb for verb in extra if isinstance(verb, SaveConfiguration))
    return (*head, *change.actions, *tail)


def _refusal(task: Task, resource: str, answer: Answer) -> Fault:
    message = f"{task.name} refused a change of {resource}; it said: {answer.said}"
    return Refused(message, next=answer.next or "put right what the host names, then run again")
