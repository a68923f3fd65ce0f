"""Plan and report for a comment in a merge request (GitHub and GitLab Markdown)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.kinds.model import Difference
from reconciler.plan import Note
from reconciler.render.values import changed, shown
from reconciler.render.visible import lines, visible
from reconciler.render.words import SIGNS, counted, product, quiet
from reconciler.report import FaultReport, HeldReport, HostReport, Report, StepReport

_MARKUP = re.compile(r"[^\w .,:;/()\-=+'@%?]|_", re.UNICODE)
_SHORTEST_FENCE = 3


def to_markdown(report: Report, *, only_summary: bool = False) -> str:
    """A table of all hosts, and what there is to say of each, folded; ends with a newline."""
    title = "### Plan" if report.dry_run else "### Report"
    blocks = [f"{title}: {_text(counted(report))}"]
    if not only_summary:
        blocks.append("\n".join(_table(report)))
        blocks += [block for host in report.hosts if not quiet(host) for block in _host(host)]
    return "\n\n".join(blocks) + "\n"


def _table(report: Report) -> Iterator[str]:
    yield "| host | address | product | status | steps | held | unknown |"
    yield "|---|---|---|---|---:|---:|---:|"
    for host in report.hosts:
        numbers = (len(host.steps), len(host.held), len(host.unknown))
        cells = (_code(host.name), _code(host.address), _text(product(host)), host.status.value, *numbers)
        yield f"| {' | '.join(map(str, cells))} |"


def _host(host: HostReport) -> Iterator[str]:
    yield f"<details><summary>{_code(host.name)}: {host.status.value}</summary>"
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
        _code(f"{step.source.file}:{step.source.line}"),
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
