"""The page of all hosts, as values: which hosts, in which order, and what is said of each. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reconciler.board import HostState, Overview
from reconciler.records import record
from reconciler.render.words import many, product
from reconciler.report import HostReport, Outcome, Status
from reconciler.secrets import mask
from reconciler.web.queries import Filter

WORST_FIRST = (
    Status.FAILED,
    Status.UNREACHABLE,
    Status.DRIFTED,
    Status.HELD,
    Status.PENDING,
    Status.PAUSED,
    Status.CONVERGED,
    Status.IN_SYNC,
)
_UNSEEN = (Status.PENDING, Status.PAUSED)


@record
class Row:
    """A host; `notes` are what a person should know at once, `product` is empty where it could not be seen."""

    state: HostState
    product: str
    drift: str
    notes: tuple[str, ...]


@record
class Tab:
    """A link to the hosts of one status (None: to all)."""

    status: Status | None
    number: int
    link: str
    current: bool


def tabs(overview: Overview, wanted: Filter) -> list[Tab]:
    """All, and each status that a host has, the worst first."""
    numbers = Counter(state.report.status for state in overview.hosts)
    there = [status for status in WORST_FIRST if numbers[status] or status is wanted.status]
    rest = [Tab(it, numbers[it], wanted.link(it), it is wanted.status) for it in there]
    return [Tab(None, len(overview.hosts), wanted.link(None), wanted.status is None), *rest]


def rows(overview: Overview, wanted: Filter) -> list[Row]:
    """The hosts that are wanted, the worst first, then by name."""
    part = wanted.name.casefold()
    chosen = [
        state
        for state in overview.hosts
        if wanted.status in (None, state.report.status) and part in state.report.name.casefold()
    ]
    chosen.sort(key=lambda state: (WORST_FIRST.index(state.report.status), state.report.name))
    return [
        Row(it, product(it.report), drift(it.report), tuple(_notes(it, overview.specs.revision)))
        for it in chosen
    ]


def drift(report: HostReport) -> str:
    """`2 to do, 1 held`; `none` for a host that is as its spec says, nothing for one that was not seen."""
    numbers = Counter(step.outcome for step in report.steps)
    counted = (
        (numbers[None], "to do"),
        (numbers[Outcome.FAILED], "failed"),
        (numbers[Outcome.SKIPPED], "skipped"),
        (numbers[Outcome.DONE], "done"),
        (len(report.held), "held"),
        (len(report.unknown), "unknown"),
    )
    said = ", ".join(f"{number} {word}" for number, word in counted if number)
    if said or report.fault is not None or report.status in _UNSEEN:
        return said
    return "none"


def heading(overview: Overview) -> str:
    """For the window: `2 failed, 1 drifted`, or `all in sync`."""
    numbers = Counter(state.report.status for state in overview.hosts)
    troubles = [f"{numbers[status]} {status.value}" for status in WORST_FIRST[:4] if numbers[status]]
    return ", ".join(troubles) or many(len(overview.hosts), "host")


def _notes(state: HostState, in_force: str | None) -> Iterator[str]:
    if state.doing is not None:
        yield f"now: {state.doing}"
    if state.report.fault is not None:
        # the host's page has all lines; what is cut must have been masked before
        first = mask(state.report.fault.message).partition("\n")[0].removesuffix(":")
        yield f"{state.report.fault.kind.value}: {first}"
    if state.failures > 1:
        yield f"{state.failures} failures in a row"
    if state.mode == "observe":
        yield "observed only"
    if state.report.findings:
        yield many(len(state.report.findings), "finding")
    if state.revision is not None and state.revision != in_force:
        yield f"last pass with revision {state.revision[:12]}"
