"""Desired hosts without files, and reports of them."""

from __future__ import annotations

from typing import Any

from reconciler.desired.host import DesiredHost
from reconciler.desired.model import HostSpec
from reconciler.desired.nodes import Node
from reconciler.faults import FaultKind
from reconciler.kinds.model import Source
from reconciler.report import FaultReport, HostReport, Status


def host(name: str, mode: str = "enforce", address: str | None = None, **labels: str) -> DesiredHost:
    """`labels` make one wish another."""
    spec: Any = HostSpec.model_validate({"mode": mode})
    node = Node({}, "hosts.yaml", 1, 1, 1, 1)
    return DesiredHost(name, address or name, labels, spec, Source("hosts.yaml", 1), node)


def report(of: DesiredHost, status: Status = Status.IN_SYNC) -> HostReport:
    fault = (
        FaultReport(FaultKind.REFUSED, "no", "look")
        if status in (Status.FAILED, Status.UNREACHABLE)
        else None
    )
    return HostReport(of.name, of.address, status, fault=fault)
