"""The documents below `/api/v1`: those of the commands, and what the loop knows beside them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from reconciler.board import HostState, Overview
from reconciler.entries import Entry
from reconciler.render.document import host_document, report_document
from reconciler.render.entry import entries_document, time_text
from reconciler.render.values import map_texts
from reconciler.report import Report
from reconciler.secrets import mask


def overview_report(overview: Overview) -> dict[str, Any]:
    """The report of a pass over all hosts, each with `observedAt` and `nextDue`."""
    whole = report_document(Report(overview.dry_run, tuple(state.report for state in overview.hosts)))
    return {**whole, "hosts": [host_state(state) for state in overview.hosts]}


def host_state(state: HostState) -> dict[str, Any]:
    """One host of it."""
    times = {"observedAt": _time(state.observed_at), "nextDue": _time(state.next_due)}
    return {**host_document(map_texts(state.report, mask)), **times}


def history(entries: Iterable[Entry], since: datetime | None) -> dict[str, Any]:
    """What `reconcile history -o json` prints, of what is not older than `since`."""
    return entries_document(
        map_texts(entry, mask) for entry in entries if since is None or entry.time >= since
    )


def _time(time: datetime | None) -> str | None:
    return time_text(time) if time is not None else None
