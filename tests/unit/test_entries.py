"""What of a pass becomes an entry of the history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.entries import Entry, of_fault, of_status, of_step
from reconciler.kinds.model import Difference
from reconciler.report import Status
from tests.unit.render import reports

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
FAILED, CONVERGED = reports.case("applied").hosts[:2]


def test_a_step_is_an_entry_with_its_fields_and_how_it_ended() -> None:
    done, failed, skipped = FAILED.steps
    assert of_step(NOW, "esx", done, 1.5, None, "abc") == Entry(
        NOW, "step", "esx", "portGroup/Private", "create", done.fields, "done", 1.5, "abc"
    )
    entry = of_step(NOW, "esx", failed, None, FAILED.fault, None)
    assert (entry.outcome, entry.seconds, entry.fault, entry.revision) == ("failed", None, FAILED.fault, None)
    assert of_step(NOW, "esx", replace(skipped, outcome=None), None, None, None).outcome is None


def test_a_status_is_an_entry_when_it_is_another_one() -> None:
    assert of_status(NOW, CONVERGED, "converged", "abc") is None
    for before in (None, "drifted"):
        assert of_status(NOW, CONVERGED, before, "abc") == Entry(
            NOW,
            "status",
            CONVERGED.name,
            fields=(Difference("status", before, "converged"),),
            revision="abc",
        )


def test_a_fault_is_an_entry_of_its_own_when_no_step_tells_it() -> None:
    assert of_fault(NOW, CONVERGED, "abc") is None
    assert of_fault(NOW, FAILED, "abc") is None
    unreachable = replace(FAILED, status=Status.UNREACHABLE, steps=())
    assert of_fault(NOW, unreachable, "abc") == Entry(
        NOW, "fault", FAILED.name, revision="abc", fault=FAILED.fault
    )
