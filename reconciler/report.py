"""What a pass says in the end: values that text, JSON, YAML and Markdown are made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum
from typing import Any

from reconciler.facts import Product
from reconciler.faults import Fault, FaultKind
from reconciler.kinds.model import Difference, Source
from reconciler.plan import Note
from reconciler.records import record


class Status(StrEnum):
    """A host's state after a pass, worst first."""

    PENDING = "pending"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    DRIFTED = "drifted"
    HELD = "held"
    CONVERGED = "converged"
    IN_SYNC = "in-sync"


class Outcome(StrEnum):
    """What became of a step."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@record
class Action:
    """One line for people, and the commands that run on the host."""

    title: str
    commands: tuple[str, ...]


@record
class StepReport:
    """A step as it is shown; `outcome` is None as long as nothing was tried."""

    resource: str
    verb: str
    risk: str
    fields: tuple[Difference, ...]
    actions: tuple[Action, ...]
    needs: tuple[str, ...]
    why: str
    source: Source
    outcome: Outcome | None = None


@record
class HeldReport:
    """What is held back, and why."""

    resource: str
    why: str
    step: StepReport | None = None


@record
class FaultReport:
    """A fault without its exception."""

    kind: FaultKind
    message: str
    next: str

    @classmethod
    def of(cls, fault: Fault) -> FaultReport:
        return cls(fault.kind, fault.message, fault.next)


@record
class HostReport:
    """One host after a pass. `in_sync` names the resources that were as wished when it was first looked at."""

    name: str
    address: str
    status: Status
    transport: str | None = None
    product: Product | None = None
    steps: tuple[StepReport, ...] = ()
    held: tuple[HeldReport, ...] = ()
    unknown: tuple[Note, ...] = ()
    findings: tuple[Note, ...] = ()
    in_sync: tuple[str, ...] = ()
    fault: FaultReport | None = None
    observe_only: bool = False


@record
class Report:
    """All hosts of a run, sorted by name."""

    dry_run: bool
    hosts: tuple[HostReport, ...] = field(default_factory=tuple)
    interrupted: bool = False


def exit_status(report: Report, *, detailed: bool = False) -> int:
    """The exit status of the highest rank: 1 failed, 3 unreachable, 4 held or unseen, 2 changes pending, 0 done."""
    if report.interrupted:
        return 130
    present = {status for host in report.hosts for status in _statuses(host, detailed)}
    return next((status for status in (1, 3, 4, 2) if status in present), 0)


def _statuses(host: HostReport, detailed: bool) -> Iterable[int]:
    if host.status is Status.FAILED:
        yield 1
    if host.status is Status.UNREACHABLE:
        yield 3
    if host.held or host.unknown or (host.observe_only and host.steps):
        yield 4
    if detailed and any(step.outcome is not Outcome.DONE for step in host.steps):
        yield 2


def summary(report: Report) -> dict[str, Any]:
    """The counts of the report's `summary`."""
    hosts = report.hosts
    return {
        "hosts": len(hosts),
        "drifted": sum(host.status is Status.DRIFTED for host in hosts),
        "steps": sum(len(host.steps) for host in hosts),
        "held": sum(len(host.held) for host in hosts),
        "unknown": sum(len(host.unknown) for host in hosts),
        "failed": sum(host.status is Status.FAILED for host in hosts),
        "unreachable": sum(host.status is Status.UNREACHABLE for host in hosts),
    }
