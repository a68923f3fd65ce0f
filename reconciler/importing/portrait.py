"""What a host has, put as a spec would wish it, and what of a spec a host is not like. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler import plan as plans
from reconciler.desired.host import DesiredHost
from reconciler.facts import BackupOwed, Facts, Question
from reconciler.kinds import KINDS
from reconciler.kinds.model import Found, Kind, Resource, Risk, Verdict
from reconciler.plan import Note, Rules


@dataclass(frozen=True)
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


def trouble(resources: Sequence[Resource], facts: Facts) -> dict[str, str]:
    """The resources that a host is not like, or that can't be judged, and all that stands on these; why, by name.

    A backup that an earlier pass owes is not the resources' trouble.
    """
    rules = Rules(Risk.DATA, lambda place: plans.Source("", 0))
    plan = plans.make_plan(resources, facts.without(BackupOwed()), rules)
    why: dict[str, str] = {}
    for note in (*plan.held, *plan.unknown, *(Note(it.resource, it.change.why) for it in plan.steps)):
        why.setdefault(note.resource, note.why)
    ordered, _ = plans.in_order(resources, facts)
    for resource in ordered:
        base = next((need for need in resource.needs(facts) if need in why), None)
        if base is not None:
            why.setdefault(resource.name, f"it stands on {base}, which is left out")
    return why
