"""One pass over one host: look, compare, plan, apply, look again.

A pass is a function of (spec, host). Between two steps the plan is made anew from the newest facts, so that a step
that is no longer wanted is not done, and one that a base brought with it is. Looking again is the verification, and
also the retry: no write is replayed because a reply was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeAlias, TypeVar

from reconciler import plan as plans
from reconciler.actuators.answer import Answer
from reconciler.events import Listener, Looking, Planned
from reconciler.facts import BackupOwed, Datastores, Facts, Identity, Product, Question, Unseen
from reconciler.kinds.model import Change, Resource, Verdict
from reconciler.plan import Plan, Rules, Step, saves
from reconciler.records import record
from reconciler.report import Action, FaultReport, HeldReport, HostReport, Status, StepReport
from reconciler.verbs import Verb

T = TypeVar("T")
Questions: TypeAlias = "frozenset[Question[Any]]"
TRIPS = 3
"""A look at a host takes at most so many round trips."""


class Eyes(Protocol):
    """What shows a host."""

    def look(self, questions: Collection[Question[Any]], known: Facts) -> Mapping[Question[Any], Any]:
        """Ask in one round trip. What is not safe to ask along with the others has no answer yet. Raises
        faults.Unreachable, faults.Unsupported."""


class Hands(Protocol):
    """What does verbs on a host."""

    def cannot(self, verb: Verb) -> str | None:
        """Why it can't be done, over no way that is open or may yet be; None: it can."""

    def describe(self, verb: Verb) -> tuple[str, ...]:
        """The commands, as they would run."""

    def do(self, verb: Verb) -> Answer:
        """Carry it out. Raises faults.Unreachable."""


class Contact(Protocol):
    """The open sessions with a host."""

    @property
    def transport(self) -> str | None:
        """As in the report."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Findings on the ways to the host."""

    @property
    def by_hand(self) -> str | None:
        """What a person has to do on the host before anything can be done to it; None: nothing."""

    @property
    def eyes(self) -> Eyes: ...

    def prepare(self, verbs: Iterable[Verb], product: Product) -> bool:
        """Open what these verbs need. Whether that has told more of what can be done."""

    def widened(self) -> bool:
        """Whether a way is open since the last verb that was missed before: then much can be seen that could not."""

    def hands(self, product: Product) -> Hands:
        """Hands that speak that version's dialect."""

    def prove_keys(self, lines: Iterable[bytes], product: Product) -> None:
        """Log in afresh with each of these keys whose private half is at hand. Raises faults.LoginRefused."""

    def close(self) -> None: ...


class Journal(Protocol):
    """Who keeps what was done."""

    def step(self, host: str, step: StepReport, seconds: float | None, fault: FaultReport | None) -> None:
        """A step is done or has failed. Nobody is told of it before this returns; never raises. `seconds` is None for
        one that came with another."""


class NoJournal:
    """Nobody keeps it."""

    def step(self, host: str, step: StepReport, seconds: float | None, fault: FaultReport | None) -> None:
        """See `Journal`."""


@record
class Task:
    """What a pass is to do: the host's resources, who they are for, and what is allowed."""

    name: str
    address: str
    resources: tuple[Resource, ...]
    rules: Rules
    only: tuple[str, ...] = ()
    observe_only: bool = False


@record
class Settled:
    """How a host was found in order: what was asked, and seen, over what ways, and what came of it. Where the same is
    seen for the same task, the same comes of it."""

    task: Task
    questions: Questions
    facts: Facts
    ways: tuple[object, ...]
    plan: Plan
    report: HostReport


class Look:
    """What has been seen of one host in this pass, and asking for more. What was asked when it was last found in order
    (`before`) will be wanted again: it is asked with the first trip, which saves others and decides nothing."""

    def __init__(self, task: Task, contact: Contact, tell: Listener, before: Settled | None = None) -> None:
        self._task, self._contact, self._tell, self._before = task, contact, tell, before
        self._likely: Questions = frozenset() if before is None else before.questions
        self.facts = Facts()
        self.resources = self._chosen()

    def everything(self) -> None:
        """Look at all chosen resources, and at those that turn out to be needed by them."""
        self.again(self.resources, self._likely)
        more = self._chosen()
        if len(more) > len(self.resources):
            self.again([it for it in more if it not in self.resources])
            self.resources = more

    def again(self, resources: Sequence[Resource], likely: Questions = frozenset()) -> None:
        """Ask anew all that these resources want to know; in one trip where it was all asked before, or is `likely`."""
        asked: set[Question[Any]] = set()
        for _ in range(TRIPS):
            # where something is likely it is asked first: what else is wanted, shows then
            more = self.wanted(resources) if self.facts or not likely else ()
            wanted: set[Question[Any]] = {*more, *likely, Identity()}
            # within a pass it stays the host that it is
            wanted -= {Identity()} & self.facts.keys()
            wanted |= {BackupOwed()} - self.facts.keys()
            if not wanted - asked:
                return
            self._tell(Looking(self._task.name, len(wanted - asked)))
            answers = self._contact.eyes.look(wanted - asked, self.facts or self._remembered())
            self.facts = self.facts.with_answers(answers)
            asked |= answers.keys()
            if self._as_before():
                return

    def _remembered(self) -> Facts:
        """What may serve as known before the first trip: it tells only what can be asked for without danger."""
        return Facts() if self._before is None else self._before.facts.only(Datastores())

    def _as_before(self) -> bool:
        """Whether all is seen, and as it was when the host was last found in order: then no more is wanted."""
        return self._before is not None and self.facts == self._before.facts

    def repeated(self) -> tuple[Plan, HostReport] | None:
        """The plan and the report of then, if they hold now."""
        before = self._before
        if before is None or before.task != self._task or before.ways != self._ways():
            return None
        return (before.plan, before.report) if self._as_before() else None

    def settled(self, plan: Plan, report: HostReport) -> Settled | None:
        """What is worth remembering of what came of this look: nothing, unless the host is in order."""
        if report.status is not Status.IN_SYNC:
            return None
        if self._before is not None and self._before.report is report:
            return self._before
        return Settled(self._task, self.wanted(self.resources), self.facts, self._ways(), plan, report)

    def _ways(self) -> tuple[object, ...]:
        """What a plan and its report depend on besides task and facts."""
        return self._contact.transport, self._contact.remarks, self._contact.by_hand

    def wanted(self, resources: Sequence[Resource]) -> Questions:
        """What these resources want to know, going by what is known."""
        return frozenset(question for it in resources for question in it.asks(self.facts))

    def note(self, question: Question[T], answer: T) -> None:
        """Something that the pass itself has found out, as if it had been asked."""
        self.facts = self.facts.with_answers({question: answer})

    def forget_owed(self) -> None:
        """A backup was made: whether one is owed is asked anew with the next look."""
        self.facts = self.facts.without(BackupOwed())

    def plan(self, *, opening: bool = True) -> Plan:
        """The plan of now. With `opening` what it needs is opened, so that no step is promised that nobody can do; that
        may raise what opening a way raises."""
        plan = self._made()
        while opening and self._contact.prepare(
            (verb for step in plan.steps for verb in step.actions), self.product
        ):
            self.forget_owed()
            self.again(())
            plan = self._made()
        return plan

    def _made(self) -> Plan:
        contact = self._contact
        cannot = contact.hands(self.product).cannot
        rules = replace(self._task.rules, cannot=cannot, remarks=contact.remarks, by_hand=contact.by_hand)
        return plans.make_plan(self.resources, self.facts, rules)

    def standing_on(self, name: str) -> list[Resource]:
        """The resource of that name, and all that stand on it."""
        return [
            it for it in self.resources if name in plans.with_needs([it.name], self.resources, self.facts)
        ]

    def resource(self, name: str) -> Resource:
        """The chosen resource of that name."""
        return next(it for it in self.resources if it.name == name)

    @property
    def product(self) -> Product:
        """What the host is; every look answers it, or raises."""
        seen = self.facts.see(Identity())
        assert not isinstance(seen, Unseen)
        return seen

    def _chosen(self) -> tuple[Resource, ...]:
        every = self._task.resources
        if not self._task.only:
            return every
        names = [it.name for it in every if matches(it.name, self._task.only)]
        wanted = plans.with_needs(names, every, self.facts)
        return tuple(it for it in every if it.name in wanted)


@record
class Seen:
    """What a resource thinks of a look, and what that look could not show it."""

    verdict: Verdict
    unseen: frozenset[Question[Any]]

    @classmethod
    def of(cls, resource: Resource, facts: Facts) -> Seen:
        asked = resource.asks(facts)
        unseen = frozenset(question for question in asked if isinstance(facts.see(question), Unseen))
        return cls(resource.judge(facts), unseen)

    def wanted(self, change: Change) -> Change | None:
        """The change, as it is proposed now; None when it is not any more, or only in the wake of another one."""
        proposed = (it for it in self.verdict.changes if it.follows is None)
        return next((it for it in proposed if it.key == change.key), None)

    def blind(self, before: Seen) -> bool:
        """Whether something is out of sight now that was not before."""
        return bool(self.unseen - before.unseen) or (
            self.verdict.unknown is not None and before.verdict.unknown is None
        )

    def new_held(self, before: Seen) -> tuple[str, ...]:
        return tuple(why for why in self.verdict.held if why not in before.verdict.held)

    def objects_to(self, change: Change, before: Seen) -> bool:
        """Whether a refusal stands: the resource is not, beyond doubt, as the change would have made it."""
        known = {it.key for it in before.verdict.changes}
        fresh = any(it.key not in known for it in self.verdict.changes)
        doubtful = self.blind(before) or bool(self.new_held(before)) or fresh
        return doubtful or self.wanted(change) is not None or saves(change.actions)

    def why(self, before: Seen) -> str:
        """What to say when a change is not proved."""
        if self.blind(before):
            return self.verdict.unknown or "it could not be looked at again"
        return next(iter(self.new_held(before)), "looking again shows the same as before")


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a resource name fits one of the globs of `--only`."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def look_at(
    task: Task, contact: Contact, tell: Listener, before: Settled | None = None
) -> tuple[Look, Plan, HostReport]:
    """Look at a host and plan; what a dry run reports. Changes nothing. `before` is as for `Look`."""
    look = Look(task, contact, tell, before)
    look.everything()
    plan, report = look.repeated() or _planned(task, contact, look)
    tell(Planned(task.name, len(plan.steps), len(plan.held), len(plan.unknown)))
    return look, plan, report


def _planned(task: Task, contact: Contact, look: Look) -> tuple[Plan, HostReport]:
    plan = look.plan()
    return plan, planned(task, contact, look, plan)


def planned(task: Task, contact: Contact, look: Look, plan: Plan) -> HostReport:
    """The report of a plan that is not carried out."""
    hands = contact.hands(look.product)
    steps = tuple(describe(step, hands) for step in plan.steps)
    held = tuple(
        HeldReport(it.resource, it.why, describe(it.step, hands) if it.step else None) for it in plan.held
    )
    return HostReport(
        task.name,
        task.address,
        _status(bool(steps), bool(held or plan.unknown)),
        contact.transport,
        look.product,
        steps,
        held,
        plan.unknown,
        plan.findings,
        plan.in_sync,
        observe_only=task.observe_only,
    )


def describe(step: Step, hands: Hands) -> StepReport:
    """A step with the exact commands."""
    change = step.change
    return StepReport(
        step.resource,
        change.verb,
        change.risk.label,
        change.differences,
        tuple(Action(verb.title, hands.describe(verb)) for verb in step.actions),
        step.needs,
        change.why,
        step.source,
    )


def _status(drifted: bool, held: bool) -> Status:
    return Status.DRIFTED if drifted else Status.HELD if held else Status.IN_SYNC
