"""What a plan says of things that only another way to the host could show or do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.facts import Facts, OutOfReach, Persistence, Question, SshState, Unseen
from reconciler.kinds.model import Verdict
from reconciler.plan import Rules, make_plan
from reconciler.verbs import MountNfs, OweBackup, SaveConfiguration, StartSsh, Verb
from tests.unit.kinds.worlds import rules, source
from tests.unit.plan.test_plan import CHANGED, FOLDER, Made, change, names

MOUNT = MountNfs("nfs1", source("filer:/a"))
BY_HAND = "switch SSH on by hand"


@dataclass(frozen=True)
class Asking(Made):
    """It wants to know how the service is, and what a boot brings back."""

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        return (SshState(), Persistence())


def without(*verbs: type[Verb], by_hand: str | None = None) -> Rules:
    """Rules under which these verbs can't be done."""

    def cannot(verb: Verb) -> str | None:
        if isinstance(verb, StartSsh) and by_hand is not None:
            return by_hand
        return "only SSH can" if isinstance(verb, verbs) else None

    return replace(rules(), cannot=cannot, by_hand=by_hand)


def test_what_nobody_can_do_is_held_with_its_step_and_the_rest_is_done() -> None:
    resources = [Made("a", Verdict((change(FOLDER),))), Made("b", Verdict((change(MOUNT),)))]
    plan = make_plan(resources, Facts(), without(type(FOLDER)))
    assert [(it.resource, it.why, it.step is not None) for it in plan.held] == [("a", "only SSH can", True)]
    assert names(plan.steps) == ["b"]


def test_no_backup_is_planned_nor_held_where_nobody_can_make_one() -> None:
    resources = [Made("a", Verdict((change(MOUNT),)))]
    plan = make_plan(resources, Facts(), without(SaveConfiguration, OweBackup))
    assert [step.actions for step in plan.steps] == [(MOUNT,)]
    assert not plan.held


def test_what_only_another_way_shows_is_held_and_what_can_not_be_seen_is_unknown() -> None:
    blind = Asking("a", replace(CHANGED, unknown="only SSH shows it; SSH is off"))
    above = Made("b", on=("a",))
    seen: dict[Question[Any], Any] = {SshState(): None, Persistence(): OutOfReach("only SSH shows it")}
    plan = make_plan([blind, above], Facts(seen), rules())
    assert [(it.resource, it.why) for it in plan.held] == [
        ("a", "only SSH shows it; SSH is off"),
        ("b", "it stands on a, which is held"),
    ]
    assert names(plan.steps) == ["a"]
    unseen = make_plan([blind], Facts(seen | {SshState(): Unseen("no answer")}), rules())
    assert [note.resource for note in unseen.unknown] == ["a"]
    assert not unseen.held


def test_what_a_person_has_to_do_is_said_once() -> None:
    bare = without(type(FOLDER), by_hand=BY_HAND)
    folders = [Made("a", Verdict((change(FOLDER),))), Made("c", Verdict((change(FOLDER),)))]
    plan = make_plan(folders, Facts(), bare)
    assert [(it.resource, it.why) for it in plan.held] == [
        ("a", "only SSH can"),
        ("c", "only SSH can"),
        ("host", BY_HAND),
    ]
    service = Made("ssh", Verdict((change(StartSsh()),)))
    held = make_plan([service, *folders], Facts(), bare).held
    assert [it.resource for it in held if it.why == BY_HAND] == ["ssh"]
    assert not make_plan([Made("a")], Facts(), bare).held


def test_findings_on_the_ways_are_told_of_the_host() -> None:
    plan = make_plan([Made("a")], Facts(), replace(rules(), remarks=("nobody checks who answers",)))
    assert [(it.resource, it.why) for it in plan.findings] == [("host", "nobody checks who answers")]


def test_what_waits_for_ssh_is_told_that_this_plan_starts_it() -> None:
    seen: dict[Question[Any], Any] = {SshState(): None, Persistence(): OutOfReach("only SSH shows it")}
    service = Made("ssh", Verdict((change(StartSsh()),)))
    keys = Asking("keys", Verdict(unknown="only SSH shows it; SSH is off"))
    plan = make_plan([service, keys], Facts(seen), rules())
    assert [it.why for it in plan.held] == [
        "only SSH shows it; SSH is off; this plan starts SSH, and the same pass goes on with it"
    ]
