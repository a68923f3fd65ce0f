"""Order, needs, risk and the backup, with resources made for the purpose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.facts import Facts, Question
from reconciler.kinds.model import Change, Difference, Risk, Source, Stage, Verdict
from reconciler.plan import (
    Step,
    changes_configuration,
    in_order,
    make_plan,
    with_backup,
    with_needs,
)
from reconciler.verbs import (
    MakeFolder,
    MountNfs,
    OweBackup,
    SaveConfiguration,
    SetSshPolicy,
    StopSsh,
    UnmountNfs,
    Verb,
)
from tests.unit.kinds.worlds import facts, rules, source, wished

FOLDER = MakeFolder("/vmfs/volumes/ds/a")
MOUNT = MountNfs("nfs1", source("filer:/a"))


def change(
    *actions: Verb, risk: Risk = Risk.SAFE, stage: Stage = Stage.NORMAL, awaits: str | None = None
) -> Change:
    wanted = (Difference("there", False, True),)
    return Change("create", risk, wanted, actions or (FOLDER,), "it is not there", ("x",), stage, awaits)


SATISFIED = Verdict()


@dataclass(frozen=True)
class Made:
    """A resource that thinks what it is told to think."""

    name: str
    verdict: Verdict = SATISFIED
    on: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, ...]:
        return (self.name,)

    def needs(self, facts: Facts) -> tuple[str, ...]:
        return self.on

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        return ()

    def judge(self, facts: Facts) -> Verdict:
        return self.verdict


def names(steps: Iterable[Step]) -> list[str]:
    return [step.resource for step in steps]


CHANGED = Verdict((change(),))


def test_a_step_comes_after_what_it_needs_and_otherwise_as_it_stands() -> None:
    resources = [Made("a", CHANGED, ("c",)), Made("b", CHANGED), Made("c", CHANGED, ("b", "elsewhere"))]
    plan = make_plan(resources, Facts(), rules())
    assert names(plan.steps) == ["b", "c", "a"]
    assert [step.needs for step in plan.steps] == [(), ("b",), ("c",)]


def test_stages_come_before_the_order_of_resources() -> None:
    stages = [Stage.LAST, Stage.SAVING, Stage.NORMAL, Stage.REPAIR]
    resources = [Made(stage.name, Verdict((change(stage=stage),))) for stage in stages]
    assert names(make_plan(resources, Facts(), rules()).steps) == ["REPAIR", "NORMAL", "SAVING", "LAST"]


def test_what_stands_on_something_held_or_unknown_is_so_too_all_the_way_up() -> None:
    held, unknown = Verdict(held=("in the way",)), Verdict(unknown="no answer")
    resources = [
        Made("h", held),
        Made("h1", CHANGED, ("h",)),
        Made("h2", Verdict(), ("h1",)),
        Made("u", unknown),
        Made("u1", CHANGED, ("u",)),
        Made("u2", Verdict(), ("u",)),
        Made("u3", CHANGED, ("u2",)),
        Made("free", Verdict()),
    ]
    plan = make_plan(resources, Facts(), rules())
    assert plan.steps == ()
    assert {it.resource: it.why for it in plan.held} == {
        "h": "in the way",
        "h1": "it stands on h, which is held",
        "h2": "it stands on h1, which is held",
        "u1": "it stands on u, which is unknown",
        "u3": "it stands on u2, which is unknown",
    }
    assert [it.resource for it in plan.held if it.step] == ["h1", "u1", "u3"]
    assert {it.resource: it.why for it in plan.unknown} == {
        "u": "no answer",
        "u2": "it stands on u, which is unknown",
    }
    assert plan.in_sync == ("free",)


def test_a_held_change_holds_nothing_else_of_its_own_resource() -> None:
    both = Verdict((change(risk=Risk.LINK), change()), findings=("look",))
    plan = make_plan([Made("a", both), Made("b", CHANGED, ("a",))], Facts(), rules())
    assert names(plan.steps) == ["a"]
    assert [it.resource for it in plan.held] == ["a", "b"]
    assert [it.why for it in plan.findings] == ["look"]


def test_each_risk_allows_itself_and_what_is_below() -> None:
    for risk in Risk:
        for allow in Risk:
            plan = make_plan([Made("a", Verdict((change(risk=risk),)))], Facts(), rules(allow))
            assert (len(plan.steps), len(plan.held)) == ((1, 0) if risk <= allow else (0, 1))


def test_where_nothing_may_be_changed_each_step_is_held_with_its_commands_and_says_why() -> None:
    resources = [Made("a", CHANGED), Made("b", CHANGED, ("a",)), Made("c")]
    plan = make_plan(resources, Facts(), replace(rules(), halted="the guard has tripped"))
    assert plan.steps == ()
    assert [(it.resource, it.why, it.step is not None) for it in plan.held] == [
        ("a", "the guard has tripped", True),
        ("b", "the guard has tripped", True),
    ]
    assert plan.in_sync == ("c",)


def test_resources_in_a_ring_are_held_and_those_on_it_too() -> None:
    resources = [
        Made("a", CHANGED, ("b",)),
        Made("b", CHANGED, ("a",)),
        Made("c", CHANGED, ("c",)),
        Made("on", CHANGED, ("a",)),
        Made("off", CHANGED),
    ]
    plan = make_plan(resources, Facts(), rules())
    assert names(plan.steps) == ["off"]
    assert [it.resource for it in plan.held] == ["a", "b", "c", "on"]
    assert in_order(resources, Facts())[1] == {"a", "b", "c"}


def test_a_change_that_awaits_is_held_until_something_makes_its_base() -> None:
    waiting = Made("folder", Verdict((change(awaits="ds"),)), ("ds",))
    alone = make_plan([waiting], Facts(), rules())
    assert alone.steps == ()
    assert alone.held[0].why == "ds is not there, and nothing in this plan makes it"
    both = make_plan([waiting, Made("ds", CHANGED)], Facts(), rules())
    assert names(both.steps) == ["ds", "folder"]


def test_the_backup_comes_once_at_the_end_and_its_note_at_the_beginning() -> None:
    resources = [
        Made("folder", CHANGED),
        Made("a", Verdict((change(MOUNT),))),
        Made("b", Verdict((change(MOUNT, MOUNT),))),
        Made("z", CHANGED),
    ]
    steps = make_plan(resources, Facts(), rules()).steps
    assert [step.actions for step in steps] == [
        (FOLDER,),
        (OweBackup("a"), MOUNT),
        (MOUNT, MOUNT, SaveConfiguration()),
        (FOLDER,),
    ]
    assert [step.change.actions for step in steps] == [(FOLDER,), (MOUNT,), (MOUNT, MOUNT), (FOLDER,)]


def test_a_backup_that_is_a_step_of_its_own_is_enough() -> None:
    saving = Made("keys", Verdict((change(SaveConfiguration(), stage=Stage.SAVING),)))
    steps = make_plan([saving, Made("a", Verdict((change(MOUNT),)))], Facts(), rules()).steps
    assert [step.actions for step in steps] == [(OweBackup("a"), MOUNT), (SaveConfiguration(),)]


def test_what_changes_after_a_backup_is_noted_and_saved_anew() -> None:
    saving = Made("keys", Verdict((change(SaveConfiguration(), stage=Stage.SAVING),)))
    late = Made("z", Verdict((change(MOUNT, stage=Stage.LINK),)))
    steps = make_plan([saving, Made("a", Verdict((change(MOUNT),))), late], Facts(), rules()).steps
    assert [step.actions for step in steps] == [
        (OweBackup("a"), MOUNT),
        (SaveConfiguration(),),
        (OweBackup("z"), MOUNT, SaveConfiguration()),
    ]


def test_the_backup_comes_before_ssh_stops() -> None:
    resources = wished({"ssh": {"enabled": False}, "portGroups": {"A": {"vswitch": "vSwitch0"}}})
    seen = facts({"ssh": {"running": True, "policy": True}, "network": {}})
    steps = make_plan(resources, seen, rules(Risk.LINK)).steps
    assert [step.actions for step in steps[1:]] == [(SetSshPolicy(False), SaveConfiguration()), (StopSsh(),)]


def test_what_changes_nothing_that_is_saved_needs_no_backup() -> None:
    steps = make_plan([Made("a", CHANGED)], Facts(), rules()).steps
    assert with_backup(steps) == list(steps)
    assert not changes_configuration(steps[0].actions)
    assert changes_configuration((FOLDER, UnmountNfs("a", "3")))


def test_a_backup_owed_is_a_step_only_when_nothing_else_makes_one() -> None:
    resources = wished({"portGroups": {"A": {"vswitch": "vSwitch0"}, "B": {}}})
    there: dict[str, Any] = {"A": {}, "B": {}}
    owed = {"owed": ["portGroup/A", "portGroup/B"]}
    done = make_plan(resources, facts({"network": {"portGroups": there}, **owed}), rules())
    assert [(step.resource, step.actions) for step in done.steps] == [("portGroup/A", (SaveConfiguration(),))]
    todo = make_plan(resources, facts({"network": {"portGroups": {"B": {}}}, **owed}), rules())
    assert [type(verb) for step in todo.steps for verb in step.actions].count(SaveConfiguration) == 1
    assert names(todo.steps) == ["portGroup/A"]


def test_a_backup_owed_is_made_beside_steps_that_need_none() -> None:
    resources = wished({"workingDirectory": "[ds] a", "portGroups": {"B": {}}})
    seen = {
        "datastores": {"ds": {}},
        "folders": {"/vmfs/volumes/ds/a": "absent"},
        "network": {"portGroups": {"B": {}}},
    }
    steps = make_plan(resources, facts({**seen, "owed": ["portGroup/B"]}), rules()).steps
    assert [step.actions for step in steps] == [(FOLDER,), (SaveConfiguration(),)]
    assert names(steps) == ["workingDirectory", "portGroup/B"]


def test_a_backup_owed_for_what_no_spec_names_any_more_is_made_all_the_same() -> None:
    resources = wished({"portGroups": {"B": {}}})
    seen = facts({"network": {"portGroups": {"B": {}}}, "owed": ["datastore/gone"]})
    assert names(make_plan(resources, seen, rules()).steps) == ["portGroup/B"]
    assert make_plan([], seen, rules()).steps == ()


def test_each_step_knows_its_place_in_the_spec() -> None:
    resources = wished({"datastores": {"a.b": {"nfs": {"server": "filer", "path": "/new"}}}})
    seen = facts({"datastores": {"a.b": {"nfs": "filer:/old"}}, "machines": []})
    place = make_plan(resources, seen, rules(Risk.LINK)).steps[0].source
    assert place == Source("datastores.a.b.nfs.path", 1)
    assert str(place) == "datastores.a.b.nfs.path:1"


def test_a_second_look_knows_a_change_again_whatever_its_values_are_by_then() -> None:
    assert change(MOUNT).key == change(MountNfs("nfs1", source("filer:/b"))).key
    assert change(MOUNT).key != change(MOUNT, stage=Stage.SAVING).key
    assert change(MOUNT).key != replace(change(MOUNT), verb="delete").key


def test_what_a_choice_needs_comes_along() -> None:
    resources = [
        Made("a", CHANGED, ("b",)),
        Made("b", CHANGED, ("c", "gone")),
        Made("c", CHANGED),
        Made("d", CHANGED),
    ]
    assert with_needs(["a", "nothing"], resources, Facts()) == {"a", "b", "c"}
    assert with_needs(["d"], resources, Facts()) == {"d"}
    assert with_needs([], resources, Facts()) == frozenset()
