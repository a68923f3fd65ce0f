"""Carry a plan out, step by step: act, look again, compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

from reconciler.actuators.answer import Answer
from reconciler.engine import Contact, Hands, Journal, Look, Seen, Task
from reconciler.events import Failed, Listener, StepBegan, StepEnded, Waiting
from reconciler.events import Retrying as Again
from reconciler.eyes import datastore_at, volume_key
from reconciler.facts import Unseen
from reconciler.faults import Bug, Fault, NotConverged, Refused, Unreachable
from reconciler.image_facts import RefusedCopies
from reconciler.image_verbs import CopyVerb, ImageVerb, Room
from reconciler.kinds.model import Change, Risk, Stage
from reconciler.ledger import Key, Ledger, key_of
from reconciler.plan import Plan, Step, changes_configuration, saves, with_needs
from reconciler.report import FaultReport, HostReport, Outcome, StepReport
from reconciler.turns import Turns
from reconciler.verbs import AppendKeys, OweBackup, RewriteKeys, SaveConfiguration, Verb

TRIES = 3
"""A step is tried so often; each further try is decided by another look."""
SETTLING = 5
"""A host may need a moment until a look shows what was done: so many looks, with pauses of 1, 2, 4 and 5 s."""
ROUNDS = 2
"""The look that closes a pass may find a host that has drifted meanwhile: that is put right once."""
CUTTING = (Stage.POLICY, Stage.LAST)
"""Switching SSH off; never after something went wrong, since nobody could repair it any more."""


class Waived(Exception):
    """A step was left to whoever is at it already; the text says who."""


class Cut(Exception):
    """A person ended a step in the middle, one that can be gone on with."""


class Apply:
    """One host's steps. `stopping` tells whether a person wants it to end; `pause` waits that many seconds; `turns` is
    what the hosts of a run share; the `journal` keeps each step before anybody is told that it ended."""

    def __init__(
        self,
        task: Task,
        contact: Contact,
        look: Look,
        first: tuple[Plan, HostReport],
        tell: Listener,
        stopping: Callable[[], bool],
        pause: Callable[[float], None],
        turns: Turns,
        journal: Journal,
    ) -> None:
        self.task, self.contact, self.look = task, contact, look
        self.journal, self.kept = journal, dict[tuple[str, str], Outcome | None]()
        self.tell, self.stopping, self.pause, self.turns = tell, stopping, pause, turns
        self.hands: Hands = contact.hands(look.product)
        self.ledger = Ledger(self.hands, *first)
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
            left: list[Step | None] = []
            self._guarded(lambda left=left: left.append(self._first()))  # type: ignore[misc]
            if self.stopping() or not any(left):
                break
        self._guarded(self._settle_outcomes)
        report = self.ledger.report(self.task, self.contact, self.look, self.fault)
        for step in report.steps:
            self._keep(step, None, report.fault)
        return report

    def _keep(self, step: StepReport, seconds: float | None, fault: FaultReport | None) -> None:
        """Have the journal keep a step that was done or has failed, once; and once more where that has turned out to be
        otherwise."""
        ended, key = step.outcome in (Outcome.DONE, Outcome.FAILED), (step.resource, str(step.fields))
        if ended and self.kept.get(key) is not step.outcome:
            self.kept[key] = step.outcome
            self.journal.step(
                self.task.name, step, seconds, fault if step.outcome is Outcome.FAILED else None
            )

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
            with self._turn(step) as still_wanted:
                if still_wanted:
                    self._do(step)

    @contextmanager
    def _turn(self, step: Step) -> Iterator[bool]:
        """Hosts that share a volume take turns on it, and look again when theirs has come: another host may have done
        it since the last look."""
        room = next((verb.room for verb in step.change.actions if isinstance(verb, ImageVerb)), None)
        if room is None:
            yield True
            return
        waiting = Waiting(self.task.name, "another host works on the same volume", 0.0)
        with self.turns.on(self._volume(room), self.stopping, lambda: self.tell(waiting)) as waited:
            if waited is not None:
                own = [self.look.resource(step.resource)]
                self.look.again(self.look.resources if waited else own)
            first = self._first()
            yield waited is not None and first is not None and key_of(first) == key_of(step)

    def _volume(self, room: Room) -> str:
        """What tells the volume from others, on whatever host."""
        datastore = datastore_at(room.volume, self.look.facts)
        return room.volume if room.here or isinstance(datastore, Unseen) else volume_key(datastore)

    def _next(self) -> Step | None:
        """The first step that today's facts want and that was not tried yet. What could hurt is decided by a look at
        its own resource that is no older than the decision."""
        step, looked = self._first(), set()
        while step is not None and step.change.risk >= Risk.SERVICE and key_of(step) not in looked:
            looked.add(key_of(step))
            self.look.again([self.look.resource(step.resource)])
            step = self._first()
        return step

    def _first(self) -> Step | None:
        return next((step for step in self.look.plan().steps if self._may(step)), None)

    def _may(self, step: Step) -> bool:
        """Whether a step is still to be tried, stands on nothing that failed, and would cut no way of repair."""
        if self.ledger.tried(step):
            return False
        if self.failed & self._base(step):
            return False
        return self.fault is None or step.change.stage not in CUTTING

    def _do(self, step: Step) -> None:
        began, title = monotonic(), step.change.actions[0].title
        number, total = len(self.ledger.ended) + 1, self.ledger.total()
        self.tell(StepBegan(self.task.name, step.resource, title, number, total))
        outcome, trouble = Outcome.FAILED, None
        try:
            outcome = self._tried(step)
        except Fault as fault:
            self.failed.add(step.resource)
            trouble = FaultReport.of(fault)
            self._note(fault)
            if isinstance(fault, Unreachable):
                raise
        except Exception as error:
            trouble = FaultReport.of(Bug.of(self.task.name, error))
            raise
        finally:
            seconds = monotonic() - began
            if key_of(step) in self.ledger.ended:
                self._keep(self.ledger.end(key_of(step), outcome), seconds, trouble)
            self.tell(StepEnded(self.task.name, step.resource, step.change.verb, outcome.value, seconds))
        if saves(step.change.actions):
            self.look.forget_owed()
        if self.contact.widened():
            self.look.everything()
        if not self._more_to_save():
            self._save()

    def _tried(self, step: Step) -> Outcome:
        """Do a step; it is skipped when somebody else is at it, or a person cut it short. Raises as `_carry_out`."""
        owing = changes_configuration(step.change.actions) and not self.noted and self._can(OweBackup(""))
        self.ledger.begin(step, (OweBackup(step.resource),) if owing else ())
        try:
            if owing:
                self._owe(step)
            self._carry_out(step)
        except Waived as why:
            self._waive(step, str(why))
        except Cut:
            return Outcome.SKIPPED
        return Outcome.DONE if key_of(step) in self.ledger.ended else Outcome.SKIPPED

    def _waive(self, step: Step, why: str) -> None:
        """Hold a step, those that only follow it, and those that stand on it; but not when the plan has learnt from it
        and has other ways now."""
        self.ledger.waive(step, why)
        places: set[tuple[str, ...] | None] = {step.change.place}
        steps = self.look.plan().steps
        if key_of(step) not in map(key_of, steps):
            return
        for other in steps:
            if self.ledger.tried(other):
                continue
            if other.resource == step.resource and other.change.follows in places:
                places.add(other.change.place)
                self.ledger.waive(other, "the step before it is held")
            elif (
                step.change.blocks and other.resource != step.resource and step.resource in self._base(other)
            ):
                self.ledger.waive(other, f"{step.resource}, on which it stands, is held")

    def _base(self, step: Step) -> frozenset[str]:
        """The step's resource, and all on which it stands."""
        return frozenset(with_needs((step.resource,), self.look.resources, self.look.facts))

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
            answer = self._act(key_of(step), change)
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
            self.unsaved = key_of(step)
        if change is not None or after.blind(before) or after.new_held(before):
            proof = self._not_converged(step, after.why(before))
            raise proof if answer.ok else _refusal(self.task, step, answer)
        self._prove(step.change)

    def _act(self, key: Key, change: Change) -> Answer:
        """Do the actions in order, up to the first that fails; the last answer. A backup is asked for once, even if
        it fails. Raises Waived, Cut."""
        answer = Answer(True)
        for verb in change.actions:
            answer = self.hands.do(verb)
            self._heed(key, verb, answer)
            whole = len(self.hands.describe(verb)) == 1
            if verb.saved and (answer.ok or not whole):
                self.unsaved = key
            if isinstance(verb, SaveConfiguration):
                self.unsaved, self.noted = None, self.noted and not answer.ok
            if not answer.ok:
                return answer
        return answer

    def _heed(self, key: Key, verb: Verb, answer: Answer) -> None:
        """What an answer says besides yes and no. Raises Waived, Cut."""
        if answer.proof:
            self.ledger.add(key, f"proved: {answer.proof}")
        if answer.lost:
            self.ledger.add(key, answer.said)
        if answer.filled and isinstance(verb, CopyVerb):
            self.turns.fill(self._volume(replace(verb.room, volume=answer.filled)), verb.cargo.image)
        if answer.refused:
            known = self.look.facts.see(RefusedCopies())
            refused = {} if isinstance(known, Unseen) else known
            self.look.note(RefusedCopies(), {**refused, answer.refused: answer.said})
        if answer.held:
            raise Waived(answer.said)
        if answer.cut:
            raise Cut(answer.said)

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
        save = SaveConfiguration()
        if self.unsaved is None or not self._can(save):
            return
        key, self.unsaved = self.unsaved, None
        self.ledger.add(key, save.title, self.hands.describe(save))
        answer = self.hands.do(save)
        if answer.ok:
            self.noted = False
            self.look.forget_owed()
            return
        self.ledger.end(key, Outcome.FAILED)
        self._note(_unsaved(self.task, answer))

    def _can(self, verb: Verb) -> bool:
        """Whether there is a way to do it; one that was not tried yet is tried."""
        self.contact.prepare((verb,), self.look.product)
        return self.hands.cannot(verb) is None

    def _not_converged(self, step: Step, what: str) -> Fault:
        message = f"{self.task.name}: {step.resource} was changed without an error, but {what}"
        return NotConverged(message, next=f"look at {step.resource} on the host, and at its logs")

    def _note(self, fault: Fault) -> None:
        worse = self.fault is None or isinstance(fault, Unreachable)
        self.fault = fault if worse else self.fault
        self.tell(Failed(self.task.name, fault.kind.value, fault.message))

    def _settle_outcomes(self) -> None:
        for step in self.ledger.settle(self.look.plan()):
            self._note(self._not_converged(step, "it did not last until the end of the pass"))


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
