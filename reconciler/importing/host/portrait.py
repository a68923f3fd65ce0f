"""What a host has, put as a spec would wish it, and what of a spec a host is not like. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from reconciler import plan as plans
from reconciler.desired.host import DesiredHost
from reconciler.facts import BackupOwed, Facts, Question
from reconciler.importing.host.trees import Tree
from reconciler.kinds import KINDS
from reconciler.kinds.model import Change, Found, Kind, Resource, Risk, Source, Verdict
from reconciler.plan import Rules
from reconciler.records import record


@record
class Seeker:
    """Asks what a kind has to see to tell what there is; wishes nothing."""

    kind: Kind[Any]
    wish: Any
    place: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"seek/{self.kind.name}"

    def needs(self, facts: Facts) -> tuple[str, ...]:
        return ()

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        return self.kind.finder.asks(self.wish, facts) if self.kind.finder is not None else ()

    def judge(self, facts: Facts) -> Verdict:
        return Verdict()


def seekers(host: DesiredHost) -> tuple[Resource, ...]:
    """One for each kind that a host can tell of; `host` says where to look."""
    return tuple(Seeker(kind, host.wish(kind)) for kind in KINDS if kind.finder is not None)


def found(host: DesiredHost, facts: Facts) -> list[Found]:
    """All that was found, kind by kind."""
    return [it for kind in KINDS if kind.finder for it in kind.finder.found(host.wish(kind), facts)]


def fields_of_kinds(spec: Tree) -> list[tuple[str, ...]]:
    """The fields in the maps that belong to kinds: `ssh.persistKeys`, which is no resource."""
    places = dict.fromkeys(kind.place for kind in KINDS if kind.place)
    return [(place, field) for place in places for field in spec.get(place) or {}]


@record
class Trouble:
    """A host is not like what a spec says of a resource at `place`, or it can't be judged."""

    resource: str
    place: tuple[str, ...]
    why: str


def trouble(resources: Sequence[Resource], facts: Facts) -> list[Trouble]:
    """What would make a plan, and what stands on it. A backup that an earlier pass owes is no resource's trouble."""
    rules = Rules(Risk.DATA, lambda place: Source("", 0))
    plan = plans.make_plan(resources, facts.without(BackupOwed()), rules)
    places = {it.name: it.place for it in resources}
    found = [Trouble(it.resource, places[it.resource], it.why) for it in plan.held]
    found += [Trouble(it.resource, places[it.resource], it.why) for it in plan.unknown]
    found += [
        Trouble(it.resource, _where(it.change, places[it.resource]), it.change.why) for it in plan.steps
    ]
    for resource in plans.in_order(resources, facts)[0]:
        gone = {it.resource for it in found if it.place == places[it.resource]}
        base = next((need for need in resource.needs(facts) if need in gone), None)
        if base is not None:
            found.append(Trouble(resource.name, resource.place, f"it stands on {base}, which is left out"))
    return list({(it.resource, it.place): it for it in reversed(found)}.values())[::-1]


def _where(change: Change, place: tuple[str, ...]) -> tuple[str, ...]:
    """Where the wish stands that is not fulfilled: the resource's place, or a field beside it."""
    return place if change.place[: len(place)] == place else change.place
