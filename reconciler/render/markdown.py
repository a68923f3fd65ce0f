"""Plan and report for a comment in a merge request (GitHub and GitLab Markdown)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.kinds.model import Difference
from reconciler.plan import Note
from reconciler.render.groups import Group, groups
from reconciler.render.values import changed, shown
from reconciler.render.visible import lines, visible
from reconciler.render.words import SIGNS, counted, many, place, quiet
from reconciler.report import FaultReport, HeldReport, Report, StepReport

_MARKUP = re.compile(r"[^\w .,:;/()\-=+'@%?]|_", re.UNICODE)
_SHORTEST_FENCE = 3


def to_markdown(report: Report, *, only_summary: bool = False) -> str:
    """A table of all hosts, those alike in one row, and what there is to say of each, folded; ends with a newline."""
    title = "### Plan" if report.dry_run else "### Report"
    blocks = [f"{title}: {_text(counted(report))}"]
    if not only_summary:
        # a comment that is too long is cut at its end
        found = sorted(groups(report.hosts), key=lambda group: quiet(group.said))
        blocks.append("\n".join(_table(found)))
        told = (group for group in found if not (group.single and quiet(group.said)))
        blocks += [block for group in told for block in _folded(group)]
    return "\n\n".join(blocks) + "\n"


def _table(found: list[Group]) -> Iterator[str]:
    yield "| host | address | product | status | steps | held | unknown |"
    yield "|---|---|---|---|---:|---:|---:|"
    for group in found:
        said = group.said
        numbers = (len(said.steps), len(said.held), len(said.unknown))
        cells = (_who(group), _address(group), _products(group), said.status.value, *numbers)
        yield f"| {' | '.join(map(str, cells))} |"


def _who(group: Group) -> str:
    return _code(group.said.name) if group.single else f"{many(len(group.hosts), 'host')}, each"


def _address(group: Group) -> str:
    return _code(group.said.address) if group.single else ""


def _products(group: Group) -> str:
    numbered = len(group.products) > 1
    return ", ".join(_text(name) + (f" ({number})" if numbered else "") for name, number in group.products)


def _folded(group: Group) -> Iterator[str]:
    host = group.said
    who = _code(host.name) if group.single else many(len(group.hosts), "host")
    yield f"<details><summary>{who}: {host.status.value}</summary>"
    if not group.single:
        yield ", ".join(_code(it.name) for it in group.hosts)
        yield from (f"Below, {_code(sign)} is each host's {word}." for sign, word in group.stand_ins)
    for step in host.steps:
        yield from _step(step)
    for held in host.held:
        yield from _held(held)
    yield from (_note("unknown", note) for note in host.unknown)
    yield from (_note("finding", note) for note in host.findings)
    if host.fault is not None:
        yield _fault(host.fault)
    yield "</details>"


def _step(step: StepReport) -> Iterator[str]:
    sign = _text(SIGNS[step.verb])
    parts = [
        f"**{sign} {step.verb}** {_code(step.resource)}",
        f"risk {step.risk}",
        _code(place(step.source)),
        *([f"**{step.outcome.value}**"] if step.outcome else []),
    ]
    yield f"{' · '.join(parts)}<br>{_prose(step.why)}"
    if step.fields:
        yield _fenced("diff", [line for it in step.fields for line in _diff(it, step.verb)])
    commands = [
        line
        for action in step.actions
        for line in (f"# {visible(action.title)}", *_commands(action.commands))
    ]
    if commands:
        yield _fenced("sh", commands)


def _commands(commands: tuple[str, ...]) -> Iterator[str]:
    for command in commands:
        yield from lines(command)


def _diff(difference: Difference, verb: str) -> Iterator[str]:
    name = visible(difference.field)
    marked = list(changed(difference, verb))
    if [mark for mark, _ in marked] == ["~"]:
        marked = [("-", shown(difference.before)), ("+", shown(difference.after))]
    yield from (f"{mark} {name}: {text}" for mark, text in marked)


def _held(held: HeldReport) -> Iterator[str]:
    yield f"**held** {_code(held.resource)}: {_prose(held.why)}"
    if held.step is not None:
        yield from _step(held.step)


def _note(word: str, note: Note) -> str:
    return f"**{word}** {_code(note.resource)}: {_prose(note.why)}"


def _fault(fault: FaultReport) -> str:
    return f"**{fault.kind.value}**: {_prose(fault.message)}<br>{_prose(f'next: {fault.next}')}"


def _code(text: str) -> str:
    """An HTML element, since a code span could be ended by what stands in it."""
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """On one line, with nothing left that is markup, or that calls a person's name."""
    plain = _MARKUP.sub(lambda match: f"&#{ord(match[0])};", visible(text))
    return plain.replace("@", "@<!-- -->")


def _prose(text: str) -> str:
    """A text that may have several lines."""
    return "<br>".join(map(_text, text.split("\n")))


def _fenced(language: str, content: list[str]) -> str:
    """A block whose fence is longer than any in it."""
    longest = max((len(run) for line in content for run in re.findall("`+", line)), default=0)
    fence = "`" * max(_SHORTEST_FENCE, longest + 1)
    return "\n".join([f"{fence}{language}", *content, fence])
