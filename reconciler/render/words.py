"""Words and signs that all renderings for people share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from reconciler.kinds.model import Source
from reconciler.render.visible import visible
from reconciler.report import HostReport, Outcome, Report, Status, StepReport

SIGNS = {"create": "+", "update": "~", "delete": "-"}
PAST = {"create": "created", "update": "updated", "delete": "deleted"}
STYLES = {
    Status.PENDING: "note",
    Status.PAUSED: "note",
    Status.UNREACHABLE: "bad",
    Status.FAILED: "bad",
    Status.DRIFTED: "update",
    Status.HELD: "held",
    Status.CONVERGED: "good",
    Status.IN_SYNC: "good",
}


def many(number: int, noun: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def quiet(host: HostReport) -> bool:
    """Whether there is nothing to say of the host but that it is as wished."""
    return host.status is Status.IN_SYNC and not (host.steps or host.findings)


def product(host: HostReport) -> str:
    """`VMware ESXi 6.7.0 build 8169922`, or nothing when it could not be seen."""
    seen = host.product
    return f"{seen.name} {seen.version_text} build {seen.build}" if seen is not None else ""


def place(source: Source) -> str:
    """`specs/hosts.yaml:12`; in a group of hosts, line 0 says that each has a line of its own."""
    if source.line:
        return f"{visible(source.file)}:{source.line}"
    return f"{visible(source.file)} (each host's own line)".lstrip()


def statuses(numbers: Mapping[Status, int]) -> str:
    """`3 failed, 7 drifted`, worst first; `none` when there are none."""
    return ", ".join(f"{numbers[it]} {it.value}" for it in Status if numbers.get(it)) or "none"


def counted(report: Report) -> str:
    """The closing line: what is to be done, or was done, and how the hosts stand."""
    steps = [step for host in report.hosts for step in host.steps]
    done = [step for step in steps if step.outcome is Outcome.DONE]
    parts = [
        _verbs("to do: ", [step for step in steps if step.outcome is None], {verb: verb for verb in SIGNS}),
        _verbs("done: ", done, PAST),
        *(_outcome(steps, outcome) for outcome in (Outcome.FAILED, Outcome.SKIPPED)),
        _number(sum(len(host.held) for host in report.hosts), "held"),
        _number(sum(len(host.unknown) for host in report.hosts), "unknown"),
    ]
    said = "; ".join(part for part in parts if part)
    stand = statuses(Counter(host.status for host in report.hosts))
    return f"{many(len(report.hosts), 'host')} ({stand}). {_sentence(said or 'nothing to do')}."


def _verbs(head: str, steps: Iterable[StepReport], names: dict[str, str]) -> str:
    numbers = Counter(step.verb for step in steps)
    text = ", ".join(f"{numbers[verb]} {names[verb]}" for verb in SIGNS if numbers[verb])
    return head + text if text else ""


def _outcome(steps: Iterable[StepReport], outcome: Outcome) -> str:
    return _number(sum(step.outcome is outcome for step in steps), outcome.value)


def _number(number: int, word: str) -> str:
    return f"{number} {word}" if number else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
