"""Which exit status and which counts a report gives."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.faults import LoginRefused
from reconciler.kinds.model import Source
from reconciler.plan import Note
from reconciler.report import (
    FaultReport,
    HeldReport,
    HostReport,
    Outcome,
    Report,
    Status,
    StepReport,
    exit_status,
    summary,
)

HELD = (HeldReport("x", "no"),)
UNKNOWN = (Note("x", "no answer"),)
RANKS = (1, 3, 4, 2, 0)


def step(outcome: Outcome | None = None) -> StepReport:
    return StepReport("x", "create", "safe", (), (), (), "why", Source("a.yaml", 1), outcome)


IN_SYNC = HostReport("h", "h", Status.IN_SYNC, findings=(Note("x", "look"),))
DRIFTED = HostReport("h", "h", Status.DRIFTED, steps=(step(),))
CONVERGED = HostReport("h", "h", Status.CONVERGED, steps=(step(Outcome.DONE),))
EACH = [
    (IN_SYNC, 0, 0),
    (HostReport("h", "h", Status.PAUSED), 0, 0),
    (DRIFTED, 0, 2),
    (CONVERGED, 0, 0),
    (HostReport("h", "h", Status.DRIFTED, steps=(step(Outcome.SKIPPED),)), 0, 2),
    (HostReport("h", "h", Status.DRIFTED, steps=(step(),), observe_only=True), 4, 4),
    (HostReport("h", "h", Status.IN_SYNC, observe_only=True), 0, 0),
    (HostReport("h", "h", Status.HELD, held=HELD), 4, 4),
    (HostReport("h", "h", Status.HELD, unknown=UNKNOWN), 4, 4),
    (HostReport("h", "h", Status.DRIFTED, steps=(step(),), held=HELD), 4, 4),
    (HostReport("h", "h", Status.UNREACHABLE), 3, 3),
    (HostReport("h", "h", Status.FAILED, steps=(step(Outcome.FAILED),), held=HELD), 1, 1),
]


@pytest.mark.parametrize(("host", "plain", "detailed"), EACH)
def test_one_host_gives_its_exit_status(host: HostReport, plain: int, detailed: int) -> None:
    report = Report(True, (host,))
    assert exit_status(report) == plain
    assert exit_status(report, detailed=True) == detailed


@pytest.mark.parametrize("detailed", [False, True])
def test_the_highest_rank_wins(detailed: bool) -> None:
    for one, other in itertools.product(EACH, EACH):
        ranks = [RANKS.index(it[2] if detailed else it[1]) for it in (one, other)]
        assert exit_status(Report(False, (one[0], other[0])), detailed=detailed) == RANKS[min(ranks)]


def test_no_hosts_are_done() -> None:
    assert exit_status(Report(False)) == 0


def test_an_interrupted_run_says_so_whatever_else_happened() -> None:
    assert exit_status(Report(False, (EACH[-1][0],), interrupted=True)) == 130


@given(st.lists(st.sampled_from([it[0] for it in EACH]), max_size=6))
@example([it[0] for it in EACH])
def test_the_summary_counts_what_is_there(hosts: list[HostReport]) -> None:
    counts = summary(Report(True, tuple(hosts)))
    assert list(counts) == ["hosts", "drifted", "steps", "held", "unknown", "failed", "unreachable"]
    assert counts["hosts"] == len(hosts)
    assert counts["steps"] == sum(len(it.steps) for it in hosts)
    assert counts["held"] == sum(len(it.held) for it in hosts)
    assert counts["unknown"] == sum(it.unknown == UNKNOWN for it in hosts)
    for name in ("drifted", "failed", "unreachable"):
        assert counts[name] == sum(it.status == name for it in hosts)


def test_a_fault_is_reported_without_its_exception() -> None:
    fault = LoginRefused("h refused the key", next="look at the key")
    assert FaultReport.of(fault) == FaultReport(fault.kind, "h refused the key", "look at the key")
