"""What the history keeps: one entry for each step, status, revision or fault. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from reconciler.kinds.model import Difference
from reconciler.records import record
from reconciler.report import FaultReport, HostReport, Outcome, StepReport

Happening = Literal["step", "status", "revision", "fault"]


@record
class Entry:
    """Something that happened, with None for what does not apply. `time` is in UTC, `seconds` how long a step took.

    `step`: it was done, or failed (then with its fault). `status`: a host has another one than before, in the one field
    `status`. `revision`: specs came into force. `fault`: what no step names (unreachable, a refused login, a bug).
    """

    time: datetime
    event: Happening
    host: str | None = None
    resource: str | None = None
    verb: str | None = None
    fields: tuple[Difference, ...] | None = None
    outcome: str | None = None
    seconds: float | None = None
    revision: str | None = None
    fault: FaultReport | None = None


def of_step(
    time: datetime,
    host: str,
    step: StepReport,
    seconds: float | None,
    fault: FaultReport | None,
    revision: str | None,
) -> Entry:
    """A step that ended."""
    outcome = step.outcome.value if step.outcome is not None else None
    return Entry(time, "step", host, step.resource, step.verb, step.fields, outcome, seconds, revision, fault)


def of_status(time: datetime, report: HostReport, before: str | None, revision: str | None) -> Entry | None:
    """A host's status, where it is another one than `before`."""
    if report.status.value == before:
        return None
    change = Difference("status", before, report.status.value)
    return Entry(time, "status", report.name, fields=(change,), revision=revision)


def of_fault(time: datetime, report: HostReport, revision: str | None) -> Entry | None:
    """What ended a pass, where no step of it failed."""
    if report.fault is None or any(step.outcome is Outcome.FAILED for step in report.steps):
        return None
    return Entry(time, "fault", report.name, revision=revision, fault=report.fault)
