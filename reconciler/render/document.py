"""The report as one document of maps, lists and scalars: what JSON and YAML are made of."""

from __future__ import annotations

import re
from typing import Any

from reconciler.facts import Product
from reconciler.plan import Note
from reconciler.render.visible import visible
from reconciler.report import FaultReport, HeldReport, HostReport, Report, StepReport, summary

FORMAT_VERSION = "1.0"
_SURROGATE = re.compile("[\ud800-\udfff]")


def report_document(report: Report) -> dict[str, Any]:
    """The whole report; what does not apply is None."""
    return {
        "formatVersion": FORMAT_VERSION,
        "dryRun": report.dry_run,
        "hosts": [host_document(host) for host in report.hosts],
        "summary": summary(report),
    }


def host_document(host: HostReport) -> dict[str, Any]:
    """One host of it. Bytes that were no UTF-8 stand there as `\\x80`: no JSON or YAML can hold them."""
    return {key: whole(value) for key, value in _host(host).items()}


def whole(value: Any) -> Any:
    """A value of a document, fit for JSON and YAML: bytes that were no UTF-8 are shown, tuples are lists."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole(item) for item in value]
    return _SURROGATE.sub(lambda match: visible(match[0]), value) if isinstance(value, str) else value


def _host(host: HostReport) -> dict[str, Any]:
    return {
        "name": host.name,
        "address": host.address,
        "transport": host.transport,
        "product": _product(host.product),
        "status": host.status.value,
        "steps": [_step(step) for step in host.steps],
        "held": [_held(held) for held in host.held],
        "unknown": [_note(note) for note in host.unknown],
        "findings": [_note(note) for note in host.findings],
        "fault": fault_document(host.fault),
    }


def _product(product: Product | None) -> dict[str, Any] | None:
    if product is None:
        return None
    return {"name": product.name, "version": product.version_text, "build": product.build}


def _step(step: StepReport) -> dict[str, Any]:
    return {
        "resource": step.resource,
        "verb": step.verb,
        "risk": step.risk,
        "fields": [{"field": it.field, "before": it.before, "after": it.after} for it in step.fields],
        "actions": [{"title": it.title, "commands": it.commands} for it in step.actions],
        "needs": step.needs,
        "why": step.why,
        "source": {"file": step.source.file, "line": step.source.line},
        "outcome": step.outcome.value if step.outcome is not None else None,
    }


def _held(held: HeldReport) -> dict[str, Any]:
    return {"resource": held.resource, "why": held.why, "step": _step(held.step) if held.step else None}


def _note(note: Note) -> dict[str, Any]:
    return {"resource": note.resource, "why": note.why}


def fault_document(fault: FaultReport | None) -> dict[str, Any] | None:
    """A fault as reports and the history show it."""
    if fault is None:
        return None
    return {"kind": fault.kind.value, "message": fault.message, "next": fault.next}
