"""Reports from data: the document that JSON shows, with `inSync` and `observeOnly` beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from reconciler.facts import Product
from reconciler.faults import FaultKind
from reconciler.kinds.model import Difference, Source
from reconciler.plan import Note
from reconciler.report import Action, FaultReport, HeldReport, HostReport, Outcome, Report, Status, StepReport

CASES = Path(__file__).parents[2] / "cases" / "render"


def names() -> list[str]:
    return sorted(folder.name for folder in CASES.iterdir())


def case(name: str) -> Report:
    return report(yaml.safe_load((CASES / name / "report.yaml").read_text(encoding="utf-8")))


def report(data: dict[str, Any]) -> Report:
    return Report(data["dryRun"], tuple(map(host, data["hosts"])))


def host(data: dict[str, Any]) -> HostReport:
    return HostReport(
        data["name"],
        data["address"],
        Status(data["status"]),
        data.get("transport"),
        _product(data.get("product")),
        tuple(map(_step, data.get("steps", ()))),
        tuple(map(_held, data.get("held", ()))),
        tuple(Note(**note) for note in data.get("unknown", ())),
        tuple(Note(**note) for note in data.get("findings", ())),
        tuple(data.get("inSync", ())),
        _fault(data.get("fault")),
        data.get("observeOnly", False),
    )


def _product(data: dict[str, str] | None) -> Product | None:
    if data is None:
        return None
    major, minor, patch = map(int, data["version"].split("."))
    return Product(data["name"], (major, minor, patch), data["build"])


def _step(data: dict[str, Any]) -> StepReport:
    return StepReport(
        data["resource"],
        data["verb"],
        data["risk"],
        tuple(Difference(**field) for field in data["fields"]),
        tuple(Action(action["title"], tuple(action["commands"])) for action in data["actions"]),
        tuple(data.get("needs", ())),
        data["why"],
        Source(**data["source"]),
        Outcome(data["outcome"]) if data.get("outcome") else None,
    )


def _held(data: dict[str, Any]) -> HeldReport:
    return HeldReport(data["resource"], data["why"], _step(data["step"]) if data["step"] else None)


def _fault(data: dict[str, str] | None) -> FaultReport | None:
    return FaultReport(FaultKind(data["kind"]), data["message"], data["next"]) if data else None
