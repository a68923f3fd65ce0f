"""Order what the resources of one host propose, and hold back what may not or can not be done. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from reconciler.facts import BackupOwed, Facts, Identity, OutOfReach, Unseen
from reconciler.kinds.model import Change, Difference, Resource, Risk, Source, Stage, Verdict
from reconciler.records import record
from reconciler.verbs import OweBackup, SaveConfiguration, StartSsh, Verb

FOLLOWS = "; this plan starts SSH, and the same pass goes on with it"
FIRST_UNPROVED = (9, 0, 0)


@record
class Step:
    """Something to be done to one resource: `change` with what the plan adds to it."""

    resource: str
    change: Change
    actions: tuple[Verb, ...]
    needs: tuple[str, ...]
    source: Source


@record
class Held:
    """Something wished that is not done, and why; with its step where there is one."""

    resource: str
    why: str
    step: Step | None = None

    @property
    def blocks(self) -> bool:
        """Whether what stands on the resource is held too."""
        return self.step is None or self.step.change.blocks


@record
class Note:
    """Something said about a resource: what could not be seen, or a finding."""

    resource: str
    why: str


@record
class Plan:
    """What is to be done to one host, in order, and all that is not."""

    steps: tuple[Step, ...] = ()
    held: tuple[Held, ...] = ()
    unknown: tuple[Note, ...] = ()
    findings: tuple[Note, ...] = ()
    in_sync: tuple[str, ...] = ()


@record
class Rules:
    """What the plan may do: the highest risk, and where the spec asks for what (a place below `spec`).

    `cannot` tells why nobody can do a verb now, `remarks` are findings on the ways to the host, `by_hand` is what a
    person has to do there before anything can be written. `halted` is why nothing at all is done now.
    """

    allow: Risk
    source: Callable[[tuple[str, ...]], Source]
    cannot: Callable[[Verb], str | None] = lambda verb: None
    remarks: tuple[str, ...] = ()
    by_hand: str | None = None
    halted: str | None = None


def make_plan(resources: Sequence[Resource], facts: Facts, rules: Rules) -> Plan:
    """Judge all resources of a host by what was seen and put the result in order. Same input, same plan."""
    return _Planner(resources, facts, rules).plan()


def in_order(resources: Sequence[Resource], facts: Facts) -> tuple[list[Resource], frozenset[str]]:
    """The resources, each after what it needs and otherwise as they come, and the names of those that need one
    another in a ring."""
    by_name = {resource.name: resource for resource in resources}
    graph = {name: [need for need in it.needs(facts) if need in by_name] for name, it in by_name.items()}
    ring: set[str] = set()
    while (cycle := _cycle(graph)) is not None:
        ring |= cycle
        graph = {name: [] if name in ring else needs for name, needs in graph.items()}
    ordered: dict[str, Resource] = {}

    def visit(name: str) -> None:
        for need in graph[name]:
            visit(need)
        ordered.setdefault(name, by_name[name])

    for name in graph:
        visit(name)
    return list(ordered.values()), frozenset(ring)


def _cycle(graph: Mapping[str, Sequence[str]]) -> set[str] | None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return set(error.args[1])
    return None


class _Planner:
    def __init__(self, resources: Sequence[Resource], facts: Facts, rules: Rules) -> None:
        self.facts, self.rules = facts, rules
        self.ordered, self.ring = in_order(resources, facts)
        self.names = {resource.name for resource in resources}
        self.steps: list[Step] = []
        self.held: list[Held] = []
        self.unknown: list[Note] = []
        self.findings: list[Note] = []
        self.in_sync: list[str] = []
        self.blocked: dict[str, str] = {}
        self.barred = False
        self.beyond: list[Held] = []

    def plan(self) -> Plan:
        self.findings += [Note("host", why) for why in self.rules.remarks]
        self.findings += _version_findings(self.facts)
        for resource in self.ordered:
            self._add(resource, resource.judge(self.facts))
        steps = sorted(self.steps, key=lambda step: step.change.stage)
        if not any(changes_configuration(step.actions) or saves(step.actions) for step in steps):
            steps = sorted([*steps, *self._owed()], key=lambda step: step.change.stage)
        if self.rules.cannot(SaveConfiguration()) is None:
            steps = with_backup(steps)
        self._ask_for_a_hand()
        if any(isinstance(verb, StartSsh) for step in steps for verb in step.actions):
            self.held = [replace(it, why=it.why + FOLLOWS) if it in self.beyond else it for it in self.held]
        if self.rules.halted is not None:
            self.held += [Held(step.resource, self.rules.halted, step) for step in steps]
            steps = []
        return Plan(
            tuple(steps), tuple(self.held), tuple(self.unknown), tuple(self.findings), tuple(self.in_sync)
        )

    def _add(self, resource: Resource, verdict: Verdict) -> None:
        name = resource.name
        self.findings += [Note(name, why) for why in verdict.findings]
        self.held += [Held(name, why) for why in verdict.held]
        for change in verdict.changes:
            self._place(resource, change)
        base = next((need for need in resource.needs(self.facts) if need in self.blocked), None)
        if verdict.unknown is not None and _out_of_reach(resource, self.facts):
            self.beyond.append(Held(name, verdict.unknown))
            self.held.append(self.beyond[-1])
            self.blocked[name], self.barred = "held", True
        elif verdict.unknown is not None:
            self.unknown.append(Note(name, verdict.unknown))
            self.blocked[name] = "unknown"
        elif any(held.resource == name and held.blocks for held in self.held):
            self.blocked[name] = "held"
        elif base is not None and not verdict.changes:
            self._stands_on(name, base)
        elif not verdict.changes and not any(held.resource == name for held in self.held):
            self.in_sync.append(name)

    def _stands_on(self, name: str, base: str) -> None:
        why = f"it stands on {base}, which is {self.blocked[base]}"
        if self.blocked[base] == "unknown":
            self.unknown.append(Note(name, why))
        else:
            self.held.append(Held(name, why))
        self.blocked[name] = self.blocked[base]

    def _place(self, resource: Resource, change: Change) -> None:
        own = [step.change.place for step in self.steps if step.resource == resource.name]
        if change.follows is not None and change.follows not in own:
            return
        step = Step(
            resource.name,
            change,
            change.actions,
            tuple(need for need in resource.needs(self.facts) if need in self.names),
            self.rules.source(change.place),
        )
        why = self._objection(step)
        if why is None and step.actions:
            self.steps.append(step)
        elif why is not None:
            self.held.append(Held(step.resource, why, step))

    def _objection(self, step: Step) -> str | None:
        if step.resource in self.ring:
            names = ", ".join(sorted(self.ring))
            return (
                f"these wait for one another: {names}; make one of them absent first, then give it its place"
            )
        for need in step.needs:
            if need in self.blocked:
                return f"it stands on {need}, which is {self.blocked[need]}"
        barred = next(filter(None, map(self.rules.cannot, step.actions)), None)
        if barred is not None:
            self.barred = True
            return barred
        awaits = step.change.awaits
        if awaits is not None and not any(other.resource == awaits for other in self.steps):
            return f"{awaits} is not there, and nothing in this plan makes it"
        if step.change.risk > self.rules.allow:
            return (
                f"its risk is {step.change.risk.label}, and no more than {self.rules.allow.label} is allowed"
            )
        return None

    def _ask_for_a_hand(self) -> None:
        """One item that says what a person has to do, if no step is held with these very words."""
        wanted = self.rules.by_hand
        if wanted is not None and self.barred and all(held.why != wanted for held in self.held):
            self.held.append(Held("host", wanted))

    def _owed(self) -> list[Step]:
        """A backup that an earlier pass could not make any more, as a step of the resource that it changed, or of the
        first one if no spec names that any more."""
        owed = self.facts.see(BackupOwed())
        if isinstance(owed, Unseen) or not owed:
            return []
        named = [resource for resource in self.ordered if resource.name in owed]
        return [_owed_step(resource, self.rules) for resource in (named or self.ordered)[:1]]


def _out_of_reach(resource: Resource, facts: Facts) -> bool:
    """Whether all that a look could not show is what only another way to the host could."""
    seen = (facts.see(question) for question in resource.asks(facts))
    unseen = [answer for answer in seen if isinstance(answer, Unseen)]
    return bool(unseen) and all(isinstance(answer, OutOfReach) for answer in unseen)


def _version_findings(facts: Facts) -> list[Note]:
    product = facts.see(Identity())
    if isinstance(product, Unseen) or product.version < FIRST_UNPROVED:
        return []
    why = (
        f"{product.name} {product.version_text} is treated as ESXi 8: nobody has tried this program on it yet"
    )
    return [Note("host", why)]


def _owed_step(resource: Resource, rules: Rules) -> Step:
    why = "an earlier pass may have changed the configuration and has not saved it; a power loss would undo that"
    saved = (Difference("saved", False, True),)
    change = Change("update", Risk.SAFE, saved, (SaveConfiguration(),), why, resource.place, Stage.SAVING)
    return Step(resource.name, change, change.actions, (), rules.source(resource.place))


def with_backup(steps: Sequence[Step]) -> list[Step]:
    """Add one backup to the end of the last step that changes the saved configuration, unless a later step makes one
    anyhow, and the note that it is owed to the first such step, and to the first after each backup."""
    changing = [number for number, step in enumerate(steps) if changes_configuration(step.actions)]
    result = list(steps)
    if not changing:
        return result
    last, noted = changing[-1], False
    if not any(saves(step.actions) for step in steps[last:]):
        result[last] = replace(result[last], actions=(*result[last].actions, SaveConfiguration()))
    for number, step in enumerate(result):
        if not noted and changes_configuration(step.actions):
            result[number] = replace(step, actions=(OweBackup(step.resource), *step.actions))
            noted = True
        noted = noted and not saves(step.actions)
    return result


def changes_configuration(actions: Iterable[Verb]) -> bool:
    """Whether any of the actions changes what lives in the saved configuration."""
    return any(action.saved for action in actions)


def saves(actions: Iterable[Verb]) -> bool:
    """Whether any of the actions is the backup."""
    return any(isinstance(action, SaveConfiguration) for action in actions)


def with_needs(names: Iterable[str], resources: Sequence[Resource], facts: Facts) -> frozenset[str]:
    """`names` and all that they stand on, as far as the spec names it."""
    by_name: Mapping[str, Resource] = {resource.name: resource for resource in resources}
    wanted: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in by_name and name not in wanted:
            wanted.add(name)
            todo += by_name[name].needs(facts)
    return frozenset(wanted)
