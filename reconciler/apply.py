"""Carry a plan out, step by step: act, look again, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

from reconciler.actuators.answer import Answer
from reconciler.engine import Contact, Hands, Look, Seen, Task, describe, planned
from reconciler.events import Failed, Listener, StepBegan, StepEnded
from reconciler.events import Retrying as Again
from reconciler.faults import Bug, Fault, NotConverged, Refused, Unreachable
from reconciler.kinds.model import Change, Risk, Stage
from reconciler.plan import Plan, Step, changes_configuration, saves, with_needs
from reconciler.report import Action, FaultReport, HostReport, Outcome, Status, StepReport
from reconciler.verbs import AppendKeys, OweBackup, RewriteKeys, SaveConfiguration, Verb

TRIES = 3
"""A step is tried so often; each further try is decided by another look."""
SETTLING = 5
"""A host may need a moment until a look shows what was done: so many looks, with pauses of 1, 2, 4 and 5 s."""
ROUNDS = 2
"""The look that closes a pass may find a host that has drifted meanwhile: that is put right once."""
CUTTING = (Stage.POLICY, Stage.LAST)
"""Switching SSH off; never after something went wrong, since nobody could repair it any more."""

Key = tuple[str, tuple[object, ...]]


class Apply:
    """One host's steps. `stopping` tells whether a person wants it to end; `pause` waits that many seconds."""

    def __init__(
        self,
        task: Task,
        contact: Contact,
        look: Look,
        first: tuple[Plan, HostReport],
        tell: Listener,
        stopping: Callable[[], bool],
        pause: Callable[[float], None],
    ) -> None:
        self.task, self.contact, self.look = task, contact, look
        self.first_plan, self.first = first
        self.tell, self.stopping, self.pause = tell, stopping, pause
        self.hands: Hands = contact.hands(look.product)
        self.ended: dict[Key, StepReport] = {}
        self.failed: set[str] = set()
        self.fault: Fault | None = None
        self.unsaved: Key | None = None
        self.noted = False

    def run(self) -> HostReport:
        """Do all steps that may be done, and report. What goes wrong, a bug too, is in the report."""
        for _ in range(ROUNDS):
            self._guarded(self._all_steps)
            self._guarded(self._save)
            self._guarded(lambda: self.look.again(self.look.resources))
            if self.stopping() or self._first() is None:
                break
        self._guarded(self._settle_outcomes)
        return self._report()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do a part of the pass, unless the link was lost before."""
        if isinstance(self.fault, Unreachable):
            return
        try:
            work()
        except Fault as fault:
            self._note(fault)
        except Exception as error:  # noqa: BLE001 - what was done before a bug is still told
            self._note(Bug.of(self.task.name, error))

    def _all_steps(self) -> None:
        while not self.stopping() and (step := self._next()) is not None:
            self._do(step)

    def _next(self) -> Step | None:
        """The first step that today's facts want and that was not tried yet. What could hurt is decided by a look at
        its own resource that is no older than the decision."""
        step, looked = self._first(), set()
        while step is not None and step.change.risk >= Risk.SERVICE and _key(step) not in looked:
            looked.add(_key(step))
            self.look.again([self.look.resource(step.resource)])
            step = self._first()
        return step

    def _first(self) -> Step | None:
        return next((step for step in self.look.plan().steps if self._may(step)), None)

    def _may(self, step: Step) -> bool:
        """Whether a step is still to be tried, stands on nothing that failed, and would cut no way of repair."""
        if _key(step) in self.ended:
            return False
        if self.failed & with_needs((step.resource,), self.look.resources, self.look.facts):
            return False
        return self.fault is None or step.change.stage not in CUTTING

    def _do(self, step: Step) -> None:
        began, title = monotonic(), step.change.actions[0].title
        self.tell(StepBegan(self.task.name, step.resource, title, len(self.ended) + 1, self._total()))
        owing = changes_configuration(step.change.actions) and not self.noted
        self.ended[_key(step)] = self._described(step, ((OweBackup(step.resource),) if owing else ()))
        outcome = Outcome.FAILED
        try:
            if owing:
                self._owe(step)
            self._carry_out(step)
            outcome = Outcome.DONE
        except Fault as fault:
            self.failed.add(step.resource)
            self._note(fault)
            if isinstance(fault, Unreachable):
                raise
        finally:
            self._end(_key(step), outcome)
            self.tell(
                StepEnded(self.task.name, step.resource, step.change.verb, outcome.value, monotonic() - began)
            )
        if saves(step.change.actions):
            self.look.forget_owed()
        if not self._more_to_save():
            self._save()

    def _owe(self, step: Step) -> None:
        answer = self.hands.do(OweBackup(step.resource))
        if not answer.ok:
            raise _refusal(self.task, step, answer)
        self.noted = True

    def _carry_out(self, step: Step) -> None:
        """Act and look again until the change is not wanted any more. A look that shows nothing ends it: what can't be
        seen is not done again. Raises Refused, NotConverged, LoginRefused, Unreachable."""
        before = Seen.of(self.look.resource(step.resource), self.look.facts)
        change: Change | None = step.change
        after, answer = before, Answer(True)
        for _ in range(TRIES):
            if change is None:
                break
            answer = self._act(_key(step), change)
            after = self._look_again(step, before, patient=answer.ok)
            if not answer.ok and not answer.passing and after.objects_to(change, before):
                raise _refusal(self.task, step, answer)
            change = after.wanted(step.change)
            if change is not None:
                self.tell(
                    Again(
                        self.task.name, step.resource, answer.said or "a look shows no change", "notConverged"
                    )
                )
        if change is None and changes_configuration(step.change.actions):
            self.unsaved = _key(step)
        if change is not None or after.blind(before) or after.new_held(before):
            proof = self._not_converged(step, after.why(before))
            raise proof if answer.ok else _refusal(self.task, step, answer)
        self._prove(step.change)

    def _act(self, key: Key, change: Change) -> Answer:
        """Do the actions in order, up to the first that fails; the last answer. A backup is asked for once, even if
        it fails."""
        answer = Answer(True)
        for verb in change.actions:
            answer = self.hands.do(verb)
            whole = len(self.hands.describe(verb)) == 1
            if verb.saved and (answer.ok or not whole):
                self.unsaved = key
            if isinstance(verb, SaveConfiguration):
                self.unsaved, self.noted = None, self.noted and not answer.ok
            if not answer.ok:
                return answer
        return answer

    def _look_again(self, step: Step, before: Seen, *, patient: bool) -> Seen:
        """Look at the resource and all that stand on it, for a while if need be: a fresh mount may be listed late, and
        is not accessible at once. `patient`: the host says that it is done, so that it will show."""
        resource = self.look.resource(step.resource)

        def once() -> bool:
            self.look.again(self.look.standing_on(step.resource))
            seen = Seen.of(resource, self.look.facts)
            return patient if seen.wanted(step.change) is not None else seen.blind(before)

        Retrying(
            retry=retry_if_result(bool),
            stop=stop_after_attempt(SETTLING),
            wait=wait_exponential(multiplier=1, max=5),
            sleep=self.pause,
            retry_error_callback=lambda state: None,
        )(once)
        return Seen.of(resource, self.look.facts)

    def _prove(self, change: Change) -> None:
        """A fresh login with each new key. A connection that fails for another reason is no proof either."""
        lines = [line for verb in change.actions if isinstance(verb, AppendKeys) for line in verb.lines]
        lines += [
            line for verb in change.actions if isinstance(verb, RewriteKeys) for line in verb.new.splitlines()
        ]
        if not lines:
            return
        try:
            self.contact.prove_keys(lines, self.look.product)
        except Unreachable as fault:
            message = f"the new login that should prove the keys did not come about: {fault.message}"
            raise NotConverged(message, next=fault.next) from fault

    def _more_to_save(self) -> bool:
        """Whether a step to come changes the saved configuration, or saves it."""
        coming = (step.change.actions for step in self.look.plan().steps if self._may(step))
        return any(changes_configuration(actions) or saves(actions) for actions in coming)

    def _save(self) -> None:
        """The backup that is owed, once; it belongs to the last step that needs it."""
        if self.unsaved is None:
            return
        key, self.unsaved = self.unsaved, None
        report = self.ended[key]
        self.ended[key] = replace(report, actions=(*report.actions, self._action(SaveConfiguration())))
        answer = self.hands.do(SaveConfiguration())
        if answer.ok:
            self.noted = False
            self.look.forget_owed()
            return
        self._end(key, Outcome.FAILED)
        self._note(_unsaved(self.task, answer))

    def _not_converged(self, step: Step, what: str) -> Fault:
        message = f"{self.task.name}: {step.resource} was changed without an error, but {what}"
        return NotConverged(message, next=f"look at {step.resource} on the host, and at its logs")

    def _note(self, fault: Fault) -> None:
        worse = self.fault is None or isinstance(fault, Unreachable)
        self.fault = fault if worse else self.fault
        self.tell(Failed(self.task.name, fault.kind.value, fault.message))

    def _total(self) -> int:
        return max(len(self.first_plan.steps), len(self.ended) + 1)

    def _end(self, key: Key, outcome: Outcome) -> None:
        self.ended[key] = replace(self.ended[key], outcome=outcome)

    def _settle_outcomes(self) -> None:
        """Hold what was done against the last look: a step that it still wants was skipped or did not last, and one
        that came with another step is done only if its resource is as wished now."""
        plan = self.look.plan()
        for step in plan.steps:
            before = self.ended.setdefault(_key(step), self._described(step, (), Outcome.SKIPPED))
            if before.outcome is Outcome.DONE:
                self._end(_key(step), Outcome.FAILED)
                self._note(self._not_converged(step, "it did not last until the end of the pass"))
        for step in self.first_plan.steps:
            outcome = Outcome.DONE if step.resource in plan.in_sync else Outcome.SKIPPED
            self.ended.setdefault(_key(step), self._described(step, (), outcome))

    def _report(self) -> HostReport:
        if isinstance(self.fault, Unreachable | Bug):
            for step in self.first_plan.steps:
                self.ended.setdefault(_key(step), self._described(step, (), Outcome.SKIPPED))
            last = self.first
        else:
            last = planned(self.task, self.contact, self.look, self.look.plan())
        touched = {report.resource for report in self.ended.values()}
        report = replace(
            self.first,
            steps=tuple(self.ended.values()),
            held=last.held,
            unknown=last.unknown,
            findings=last.findings,
            in_sync=tuple(name for name in self.first.in_sync if name not in touched),
            fault=FaultReport.of(self.fault) if self.fault else None,
        )
        return replace(report, status=self._status(report))

    def _described(self, step: Step, head: tuple[Verb, ...], outcome: Outcome | None = None) -> StepReport:
        actions = (*head, *step.change.actions)
        return replace(describe(replace(step, actions=actions), self.hands), outcome=outcome)

    def _action(self, verb: Verb) -> Action:
        return Action(verb.title, self.hands.describe(verb))

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


def _refusal(task: Task, step: Step, answer: Answer) -> Fault:
    if saves(step.change.actions):
        return _unsaved(task, answer)
    message = f"{task.name} refused a change of {step.resource}; it said: {answer.said}"
    return Refused(message, next=answer.next or "put right what the host names, then run again")


def _unsaved(task: Task, answer: Answer) -> Fault:
    said = "; ".join(line.strip() for line in answer.said.splitlines() if line.strip())
    message = f"{task.name}: the configuration could not be saved, a power loss would undo what was changed"
    following = "put right what the host names, then run again: the backup is still owed"
    return Refused(f"{message}; the host said: {said}", next=following)
