"""Plan and report for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from reconciler.plan import Note
from reconciler.render.groups import Group, groups
from reconciler.render.paint import Paint
from reconciler.render.values import changed
from reconciler.render.visible import lines, visible
from reconciler.render.words import SIGNS, STYLES, counted, many, place, product, quiet
from reconciler.report import FaultReport, HeldReport, HostReport, Outcome, Report, StepReport

WIDTH = 100

_OUTCOMES = {Outcome.DONE: "good", Outcome.FAILED: "bad", Outcome.SKIPPED: "held"}


def to_text(report: Report, paint: Paint, *, only_summary: bool = False) -> str:
    """The whole report, ending with a newline; with `only_summary` its last line."""
    closing = paint("bold", counted(report)) + "\n"
    if only_summary:
        return closing
    blocks = [_group_text(group, paint) for group in groups(report.hosts)]
    return "".join(f"{block}\n" for block in [*blocks, closing])[:-1]


def _group_text(group: Group, paint: Paint) -> str:
    if group.single:
        head = [_heading(group.said, paint)]
    elif quiet(group.said):
        return "".join(f"{paint('dim', line)}\n" for line in _names(group, " in sync: "))
    else:
        head = [_group_heading(group, paint), *_names(group), *_others(group)]
    return "".join(f"{line}\n" for line in [*head, *_body(group.said, paint)])


def _body(host: HostReport, paint: Paint) -> Iterator[str]:
    yield from _in_sync(host, paint)
    for step in host.steps:
        yield from _step(step, paint)
    for held in host.held:
        yield from _held(held, paint)
    for note in host.unknown:
        yield from _note("?", "unknown", note, paint("held", "?"), paint)
    for note in host.findings:
        yield from _note("i", "finding", note, paint("note", "i"), paint)
    yield from _fault(host.fault, paint)


def _heading(host: HostReport, paint: Paint) -> str:
    address = visible(host.address) if host.address != host.name else ""
    parts = [paint("bold", visible(host.name)), address, visible(product(host)), _status(host, paint)]
    return "  ".join(part for part in parts if part)


def _group_heading(group: Group, paint: Paint) -> str:
    alone = visible(group.products[0][0]) if len(group.products) == 1 else ""
    parts = [paint("bold", many(len(group.hosts), "host")), alone, _status(group.said, paint)]
    return "  ".join(part for part in parts if part)


def _names(group: Group, said: str = "") -> list[str]:
    """The names of its hosts; `said` after their number, if they stand on a line with it."""
    names = ", ".join(visible(host.name) for host in group.hosts)
    return _wrapped(names, f"{many(len(group.hosts), 'host')}{said}" if said else "  ", "  ")


def _others(group: Group) -> Iterator[str]:
    """What else its hosts do not have in common: products, and what stands for each one's own."""
    if len(group.products) > 1:
        products = ", ".join(f"{visible(name)} ({number})" for name, number in group.products)
        yield from _wrapped(products, "  ", "    ")
    if group.stand_ins:
        yield "  below, " + " and ".join(f"{sign} is each host's {word}" for sign, word in group.stand_ins)


def _status(host: HostReport, paint: Paint) -> str:
    return paint(STYLES[host.status], host.status.value) + (" (observed only)" if host.observe_only else "")


def _in_sync(host: HostReport, paint: Paint) -> Iterator[str]:
    touched = {step.resource for step in host.steps}
    names = [visible(name) for name in host.in_sync if name not in touched]
    if names:
        for line in _wrapped(", ".join(names), "  = in sync  ", " " * 13):
            yield paint("dim", line)


def _step(step: StepReport, paint: Paint, indent: str = "  ") -> Iterator[str]:
    outcome = paint(_OUTCOMES[step.outcome], step.outcome.value) if step.outcome else ""
    sign = paint(step.verb, f"{SIGNS[step.verb]} {step.verb}")
    where = paint("dim", place(step.source))
    parts = [f"{sign} {paint('bold', visible(step.resource))}", outcome, f"risk {step.risk}", where]
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
