"""Which plan comes of which spec on which host. The cases are data; their scenario numbers are VCL's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from reconciler.facts import BackupOwed, Facts, Identity, Question
from reconciler.kinds.model import Resource, Risk, Stage
from reconciler.plan import Note, Plan, Step, make_plan
from tests.unit.kinds.worlds import CASES, facts, load_case, plain, rules, wished

FILES = sorted(CASES.glob("*/*.yaml"))


def planned(case: dict[str, Any]) -> tuple[tuple[Resource, ...], Facts, Plan]:
    resources = wished(case["spec"], case.get("keyFiles"))
    seen = facts(case["facts"])
    return resources, seen, make_plan(resources, seen, allowed(case))


def allowed(case: dict[str, Any]) -> Any:
    return rules(Risk[case.get("allow", "service").upper()])


def shown(step: Step) -> dict[str, Any]:
    """A step as a case writes it; the notes and backups around it are the plan's business."""
    change = step.change
    told = {
        "resource": step.resource,
        "verb": change.verb,
        "risk": change.risk.label,
        "fields": {it.field: [it.before, it.after] for it in change.differences},
        "actions": [plain(action) for action in change.actions],
    }
    told |= {"stage": change.stage.name.lower()} if change.stage is not Stage.NORMAL else {}
    return told | ({"needs": list(step.needs)} if step.needs else {})


def same_notes(notes: Iterable[Note], wanted: list[dict[str, str]]) -> None:
    found = [(note.resource, note.why) for note in notes]
    assert len(found) == len(wanted), found
    for (resource, why), it in zip(found, wanted, strict=True):
        assert resource == it["resource"]
        assert it["why"] in why


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_plan_is_as_its_case_says(path: Path) -> None:
    case = load_case(path)
    plan = planned(case)[2]
    expect = case["expect"]
    assert [shown(step) for step in plan.steps] == expect.get("steps", [])
    same_notes(plan.unknown, expect.get("unknown", []))
    same_notes(plan.findings, expect.get("findings", []))
    same_notes([Note(it.resource, it.why) for it in plan.held], expect.get("held", []))
    steps = [f"{it.step.change.verb} {it.step.change.risk.label}" if it.step else None for it in plan.held]
    assert steps == [it.get("step") for it in expect.get("held", [])]
    assert list(plan.in_sync) == expect.get("inSync", [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_plan_rests_on_what_was_asked_and_on_nothing_else(path: Path) -> None:
    case = load_case(path)
    resources, seen, plan = planned(case)
    asked: set[Question[Any]] = {BackupOwed(), Identity()}
    wanted: set[Question[Any]] = set()
    for _ in range(3):
        # what was only asked along may have no answer, and is not asked again when it turns out not to matter
        known = Facts({question: seen[question] for question in asked if question in seen})
        wanted = {question for resource in resources for question in resource.asks(known)}
        asked |= wanted
    assert wanted <= set(seen), "the case leaves out what the resources ask for"
    known = Facts({question: seen[question] for question in asked if question in seen})
    assert make_plan(resources, known, allowed(case)) == plan


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_plan_of_a_case_is_above_its_risk(path: Path) -> None:
    case = load_case(path)
    allow = allowed(case).allow
    assert all(step.change.risk <= allow for step in planned(case)[2].steps)


def test_every_boot_cfg_is_in_a_case() -> None:
    used = "".join(path.read_text(encoding="utf-8") for path in FILES)
    assert [it.name for it in (CASES / "boot_cfg").iterdir() if f"@{it.name}" not in used] == []
