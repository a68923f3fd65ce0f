"""What a report says of steps that were planned and turned out not to be needed."""

from __future__ import annotations

from reconciler.actuators.answer import Answer
from reconciler.ledger import Ledger
from reconciler.plan import Plan
from reconciler.report import HostReport, Outcome, Status
from reconciler.verbs import Verb
from tests.unit.images.worlds import MIB, Volumes, plan_of, whole, wish


class Silent:
    """Hands that are never asked to do anything."""

    def cannot(self, verb: Verb) -> str | None:
        return None

    def describe(self, verb: Verb) -> tuple[str, ...]:
        return (verb.title,)

    def do(self, verb: Verb) -> Answer:
        raise AssertionError(verb)


def test_an_eviction_that_was_not_needed_in_the_end_is_not_said_to_be_done() -> None:
    there = Volumes({"old-1-v1": whole()}, {"old-1-v1": whole(), "new-2-v1": whole(40 * MIB)}, free=35 * MIB)
    plan = plan_of(wish({"new-2-v1": {}}, there, mode="dedicated"), there)
    assert [step.change.verb for step in plan.steps] == ["delete", "delete", "create"]
    ledger = Ledger(Silent(), plan, HostReport("esx", "esx", Status.IN_SYNC))
    ledger.settle(Plan(in_sync=("virtualDisk", "repository", "image/new-2-v1")))
    assert [(it.verb, it.outcome) for it in ledger.ended.values()] == [("create", Outcome.DONE)]


def test_a_step_that_is_wanted_still_is_skipped() -> None:
    there = Volumes({}, {"a-1-v1": whole()})
    plan = plan_of(wish({"a-1-v1": {}}, there), there)
    ledger = Ledger(Silent(), plan, HostReport("esx", "esx", Status.IN_SYNC))
    ledger.settle(plan)
    assert [it.outcome for it in ledger.ended.values()] == [Outcome.SKIPPED]
