"""Entries of the history: as documents, which JSON and the file of the history are made of, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.entries import Entry
from reconciler.faults import FaultKind
from reconciler.kinds.model import Difference
from reconciler.render.document import FORMAT_VERSION, fault_document, whole
from reconciler.render.paint import Paint
from reconciler.render.values import ARROW, changed
from reconciler.render.visible import visible
from reconciler.render.words import SIGNS
from reconciler.report import FaultReport

LONGEST_VALUE = 100
"""So many signs of a value stand on an entry's line; a public key has hundreds. The document has them all."""
LONGEST_REVISION = 12
PLAIN = Paint()


def entries_document(entries: Iterable[Entry]) -> dict[str, Any]:
    """What `reconcile history -o json` prints."""
    return {"formatVersion": FORMAT_VERSION, "entries": [entry_document(entry) for entry in entries]}


def entry_document(entry: Entry) -> dict[str, Any]:
    """One entry; what does not apply is None, the time is RFC 3339 in UTC with milliseconds."""
    document = {
        "time": time_text(entry.time),
        "event": entry.event,
        "host": entry.host,
        "resource": entry.resource,
        "verb": entry.verb,
        "fields": _fields(entry.fields),
        "outcome": entry.outcome,
        "seconds": round(entry.seconds, 3) if entry.seconds is not None else None,
        "revision": entry.revision,
        "fault": fault_document(entry.fault),
    }
    return {key: whole(value) for key, value in document.items()}


def entry_of(document: Mapping[str, Any]) -> Entry:
    """The entry that a document was made of. Raises KeyError, TypeError, ValueError for what is none."""
    fields, fault = document["fields"], document["fault"]
    return Entry(
        datetime.fromisoformat(document["time"]),
        document["event"],
        document["host"],
        document["resource"],
        document["verb"],
        tuple(Difference(it["field"], it["before"], it["after"]) for it in fields)
        if fields is not None
        else None,
        document["outcome"],
        document["seconds"],
        document["revision"],
        FaultReport(FaultKind(fault["kind"]), fault["message"], fault["next"]) if fault is not None else None,
    )


def time_text(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: such texts sort as their times do."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entries_text(entries: Iterable[Entry], paint: Paint) -> str:
    """A line for each entry, times and hosts below each other."""
    rows = [(time_text(it.time)[:19].replace("T", " "), visible(it.host or "-"), it) for it in entries]
    width = max((len(host) for _, host, _ in rows), default=0)
    return "".join(
        f"{paint('dim', f'{time}Z')}  {paint('bold', host)}{' ' * (width - len(host))}  {entry_line(entry, paint)}\n"
        for time, host, entry in rows
    )


def entry_line(entry: Entry, paint: Paint = PLAIN) -> str:
    """What happened, in one line, without its time and host."""
    match entry.event:
        case "step":
            return _step(entry, paint)
        case "status":
            return f"status {_status(entry)}"
        case "revision":
            return f"specs {visible((entry.revision or '')[:LONGEST_REVISION])} came into force"
        case _:
            return _fault(entry.fault, paint)


def _step(entry: Entry, paint: Paint) -> str:
    verb, outcome = entry.verb or "", entry.outcome or ""
    did = f"{paint(verb, f'{SIGNS[verb]} {verb}')} {paint('bold', visible(entry.resource or ''))}"
    ended = paint("good" if outcome == "done" else "bad", outcome)
    after = f" after {entry.seconds:.1f} s" if entry.seconds is not None else ""
    why = f"; {_fault(entry.fault, paint)}" if entry.fault is not None else ""
    changes = f" ({_changes(entry)})" if entry.fields else ""
    return f"{did}: {ended}{after}{why}{changes}"


def _changes(entry: Entry) -> str:
    verb = entry.verb or "update"
    rows = ((it.field, mark, text) for it in entry.fields or () for mark, text in changed(it, verb))
    return "; ".join(
        f"{visible(field)} {'' if mark == '~' else mark}{_short(text)}" for field, mark, text in rows
    )


def _status(entry: Entry) -> str:
    return ", ".join(
        f"{it.before}{ARROW}{it.after}" if it.before is not None else str(it.after)
        for it in entry.fields or ()
    )


def _fault(fault: FaultReport | None, paint: Paint) -> str:
    return f"{paint('bad', fault.kind.value)}: {visible(fault.message)}" if fault is not None else ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _fields(fields: tuple[Difference, ...] | None) -> list[dict[str, Any]] | None:
    if fields is None:
        return None
    return [{"field": it.field, "before": it.before, "after": it.after} for it in fields]
