"""Plan and report for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from reconciler.plan import Note
from reconciler.render.paint import Paint
from reconciler.render.values import changed
from reconciler.render.visible import lines, visible
from reconciler.render.words import SIGNS, STYLES, counted, many, product, quiet
from reconciler.report import FaultReport, HeldReport, HostReport, Outcome, Report, StepReport

WIDTH = 100
NAMED_QUIET_HOSTS = 5
"""More hosts than this that are all as wished are only named, so that a healthy fleet fits on a screen."""

_OUTCOMES = {Outcome.DONE: "good", Outcome.FAILED: "bad", Outcome.SKIPPED: "held"}


def to_text(report: Report, paint: Paint, *, only_summary: bool = False) -> str:
    """The whole report, ending with a newline; with `only_summary` its last line."""
    closing = paint("bold", counted(report)) + "\n"
    if only_summary:
        return closing
    calm = [host for host in report.hosts if quiet(host)]
    gathered = calm if len(calm) > NAMED_QUIET_HOSTS else []
    blocks = [host_text(host, paint) for host in report.hosts if host not in gathered]
    if gathered:
        blocks.append(_gathered(gathered, paint))
    return "".join(f"{block}\n" for block in [*blocks, closing])[:-1]


def host_text(host: HostReport, paint: Paint) -> str:
    """One host, ending with a newline."""
    parts = (
        [_heading(host, paint)],
        _in_sync(host, paint),
        *(_step(step, paint) for step in host.steps),
        *(_held(held, paint) for held in host.held),
        *(_note("?", "unknown", note, paint("held", "?"), paint) for note in host.unknown),
        *(_note("i", "finding", note, paint("note", "i"), paint) for note in host.findings),
        _fault(host.fault, paint),
    )
    return "".join(f"{line}\n" for part in parts for line in part)


def _heading(host: HostReport, paint: Paint) -> str:
    address = visible(host.address) if host.address != host.name else ""
    status = paint(STYLES[host.status], host.status.value) + (" (observed only)" if host.observe_only else "")
    parts = [paint("bold", visible(host.name)), address, visible(product(host)), status]
    return "  ".join(part for part in parts if part)


def _in_sync(host: HostReport, paint: Paint) -> Iterator[str]:
    touched = {step.resource for step in host.steps}
    names = [visible(name) for name in host.in_sync if name not in touched]
    if names:
        for line in _wrapped(", ".join(names), "  = in sync  ", " " * 13):
            yield paint("dim", line)


def _step(step: StepReport, paint: Paint, indent: str = "  ") -> Iterator[str]:
    outcome = paint(_OUTCOMES[step.outcome], step.outcome.value) if step.outcome else ""
    sign = paint(step.verb, f"{SIGNS[step.verb]} {step.verb}")
    place = paint("dim", f"{visible(step.source.file)}:{step.source.line}")
    parts = [f"{sign} {paint('bold', visible(step.resource))}", outcome, f"risk {step.risk}", place]
    yield indent + "  ".join(part for part in parts if part)
    inner = indent + "    "
    yield from _paragraph(f"because {step.why}", inner)
    if step.needs:
        yield from _paragraph(f"after {', '.join(step.needs)}", inner)
    yield from _fields(step, paint, inner)
    if step.outcome is not Outcome.DONE:
        yield from _actions(step, paint, inner)
    else:
        notes = (action.title for action in step.actions if not action.commands)
        yield from (line for title in notes for line in _paragraph(title, inner))


def _fields(step: StepReport, paint: Paint, indent: str) -> Iterator[str]:
    styles = {"+": "create", "-": "delete", "~": "update"}
    rows = [(visible(it.field), mark, text) for it in step.fields for mark, text in changed(it, step.verb)]
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, mark, text in rows:
        yield f"{indent}{paint(styles[mark], mark)} {name:<{width}}  {text}"


def _actions(step: StepReport, paint: Paint, indent: str) -> Iterator[str]:
    """Commands are never wrapped, so that they can be copied."""
    for action in step.actions:
        yield f"{indent}{visible(action.title)}:"
        for command in action.commands:
            first, *more = lines(command)
            yield f"{indent}  {paint('dim', '$')} {first}"
            yield from (f"{indent}    {line}" for line in more)


def _held(held: HeldReport, paint: Paint) -> Iterator[str]:
    head = f"  {paint('held', '! held')} {paint('bold', visible(held.resource))}"
    yield from _said(head, len(f"  ! held {visible(held.resource)}"), held.why)
    if held.step is not None:
        yield from _step(held.step, paint, "      ")


def _note(sign: str, word: str, note: Note, mark: str, paint: Paint) -> Iterator[str]:
    name = visible(note.resource)
    yield from _said(f"  {mark} {word} {paint('bold', name)}", len(f"  {sign} {word} {name}"), note.why)


def _fault(fault: FaultReport | None, paint: Paint) -> Iterator[str]:
    if fault is not None:
        head = f"  {paint('bad', 'x')} {paint('bad', fault.kind.value)}"
        yield from _said(head, len(f"  x {fault.kind.value}"), fault.message)
        yield from _paragraph(f"next: {fault.next}", "      ")


def _said(head: str, width: int, text: str) -> Iterator[str]:
    """`head: text`, the text wrapped; `width` is how many columns the head takes."""
    first, *rest = _paragraph(text, "      ", taken=width + 2)
    yield f"{head}: {first.lstrip()}"
    yield from rest


def _paragraph(text: str, indent: str, taken: int = 0) -> list[str]:
    """The lines of a text, each wrapped; the first has `taken` columns less."""
    wrapped: list[str] = []
    for line in lines(text):
        if any(len(word) > WIDTH - len(indent) for word in line.split()):
            wrapped.append(indent + line)  # it can't be wrapped anyhow, and may be meant to be copied
            continue
        used = " " * taken if taken and not wrapped else indent
        wrapped += _wrapped(line, used, indent) or [indent]
    return wrapped


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """Words are never broken: an address or a path has to stay whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _gathered(hosts: Iterable[HostReport], paint: Paint) -> str:
    names = [visible(host.name) for host in hosts]
    text = _wrapped(", ".join(names), f"{many(len(names), 'host')} in sync: ", "  ")
    return "".join(f"{paint('dim', line)}\n" for line in text)
