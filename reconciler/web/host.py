"""The page of one host, as values: its plan with old and new values. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.kinds.model import Difference
from reconciler.records import record
from reconciler.render.values import shown
from reconciler.render.words import SIGNS, many
from reconciler.report import HeldReport, HostReport, Outcome, Status, StepReport


@record
class Item:
    """A value, or one of a list; `changes`: the other side has no such item."""

    text: str
    changes: bool


@record
class Cells:
    """A field with its old and new value."""

    field: str
    before: tuple[Item, ...]
    after: tuple[Item, ...]


@record
class StepView:
    """A step, with the sign of its verb."""

    report: StepReport
    sign: str
    cells: tuple[Cells, ...]


@record
class HeldView:
    """What is held, with its step where there is one."""

    report: HeldReport
    step: StepView | None


def steps(report: HostReport) -> list[StepView]:
    """The plan, in order."""
    return [_step(step) for step in report.steps]


def held(report: HostReport) -> list[HeldView]:
    """What is held back."""
    return [HeldView(it, _step(it.step) if it.step is not None else None) for it in report.held]


def in_sync(report: HostReport) -> list[str]:
    """What was as wished and was not touched."""
    touched = {step.resource for step in report.steps}
    return [name for name in report.in_sync if name not in touched]


def plan_summary(report: HostReport) -> str:
    """What became of the plan, or why there is none."""
    done = sum(step.outcome is Outcome.DONE for step in report.steps)
    if report.steps:
        return f"{done} of {many(len(report.steps), 'step')} done"
    if report.status is Status.PENDING:
        return "Not looked at yet."
    if report.status is Status.PAUSED:
        return "Not looked at: its mode is paused."
    return "No plan came about." if report.fault is not None else "Nothing to do."


def _step(step: StepReport) -> StepView:
    return StepView(step, SIGNS[step.verb], tuple(map(_cells, step.fields)))


def _cells(difference: Difference) -> Cells:
    old, new = _values(difference.before), _values(difference.after)
    return Cells(difference.field, _items(old, new), _items(new, old))


def _items(values: list[Any], others: list[Any]) -> tuple[Item, ...]:
    return tuple(Item(shown(value), value is not None and value not in others) for value in values)


def _values(value: Any) -> list[Any]:
    """The items of a list; a list without any looks like what is not there."""
    return list(value) or [None] if isinstance(value, Iterable) and not isinstance(value, str) else [value]
