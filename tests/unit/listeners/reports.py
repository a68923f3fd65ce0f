"""Reports of passes, as short as a test wants them."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.facts import Product
from reconciler.faults import FaultKind
from reconciler.kinds.model import Source
from reconciler.plan import Note
from reconciler.report import FaultReport, HeldReport, HostReport, Outcome, Status, StepReport

PRODUCT = Product("VMware ESXi", (6, 7, 0), "8169922")


def step(resource: str, outcome: Outcome | None = None, verb: str = "update") -> StepReport:
    return StepReport(resource, verb, "safe", (), (), (), "why", Source("specs/hosts.yaml", 14), outcome)


def held(resource: str, why: str = "its risk is data, and no more than service is allowed") -> HeldReport:
    return HeldReport(resource, why)


def fault(kind: FaultKind, message: str = "it said no", next: str = "look at it") -> FaultReport:
    return FaultReport(kind, message, next)


def passed(
    host: str,
    status: Status = Status.IN_SYNC,
    *,
    steps: Iterable[StepReport] = (),
    items: Iterable[HeldReport] = (),
    unknown: Iterable[str] = (),
    in_sync: Iterable[str] = (),
    fault: FaultReport | None = None,
    observe_only: bool = False,
) -> HostReport:
    """A pass that has seen its host."""
    notes = tuple(Note(name, "could not look") for name in unknown)
    return HostReport(
        host,
        host,
        status,
        "ssh",
        PRODUCT,
        tuple(steps),
        tuple(items),
        notes,
        (),
        tuple(in_sync),
        fault,
        observe_only,
    )


def blind(host: str, kind: FaultKind, message: str = "it said no", next: str = "look at it") -> HostReport:
    """A pass that has seen nothing."""
    status = Status.UNREACHABLE if kind is FaultKind.UNREACHABLE else Status.FAILED
    return HostReport(host, host, status, fault=fault(kind, message, next))
