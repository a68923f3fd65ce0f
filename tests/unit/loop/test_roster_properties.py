"""Whatever happens in whatever order: one pass a host, as many as there are workers, and few hosts that break."""

from __future__ import annotations

import math
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reconciler.fleet import machine
from reconciler.loop.guard import Guard, Limit
from reconciler.loop.roster import Roster
from reconciler.loop.schedule import Pace
from reconciler.report import Status
from tests.unit.loop.hosts import host, report

NAMES = "abcdefgh"
WORKERS = 3
HOSTS = st.lists(
    st.builds(
        host,
        st.sampled_from(NAMES),
        st.sampled_from(["enforce", "enforce", "observe", "paused"]),
        address=st.sampled_from(["10.0.0.1", "10.0.0.2", "", "", ""]),
        rack=st.sampled_from("12"),
    ),
    unique_by=lambda it: it.name,
)
ENDS = st.sampled_from(
    [Status.IN_SYNC, Status.CONVERGED, Status.DRIFTED, Status.HELD, Status.FAILED, Status.UNREACHABLE]
)


class Days(RuleBasedStateMachine):
    """The roster's days."""

    @initialize(hosts=HOSTS, limit=st.sampled_from(["10%", "50%", "3", "0"]))
    def start(self, hosts: list[object], limit: str) -> None:
        self.now, self.revisions = 0.0, 0
        self.roster = Roster(Pace(300.0, 1800.0), WORKERS, Guard(Limit(limit)), lambda: 0.5)
        self.renew(hosts)

    @rule(hosts=HOSTS)
    def renew(self, hosts: list[object]) -> None:
        self.revisions += 1
        self.roster.renew(f"r{self.revisions}", hosts, self.now)  # type: ignore[arg-type]

    @rule(seconds=st.floats(0, 400))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.roster.begin(self.now)

    @rule(which=st.integers(0, 20))
    def ask_to_change(self, which: int) -> None:
        looking = [ticket for ticket in self.roster.going if not ticket.changing]
        if looking:
            ticket = looking[which % len(looking)]
            assert not (self.roster.may_change(ticket) and self.roster.guard.tripped)

    @rule(which=st.integers(0, 20), status=ENDS)
    def end_a_pass(self, which: int, status: Status) -> None:
        if self.roster.going:
            ticket = self.roster.going[which % len(self.roster.going)]
            self.roster.end(ticket, report(ticket.host, status), self.now, "now")

    @rule()
    def hurry(self) -> None:
        self.roster.all_due(self.now)

    @invariant()
    def one_pass_a_host(self) -> None:
        if hasattr(self, "roster"):
            going = Counter(machine(ticket.host) for ticket in self.roster.going)
            assert all(number == 1 for number in going.values())

    @invariant()
    def no_more_look_than_may(self) -> None:
        if hasattr(self, "roster"):
            assert self.roster.looking <= WORKERS

    @invariant()
    def what_is_due_begins_or_waits_for_a_worker(self) -> None:
        if hasattr(self, "roster"):
            held = {ticket.host.name for ticket in self.roster.going}
            shut = {machine(ticket.host) for ticket in self.roster.going}
            turn = self.roster.begin(self.now)
            names = {ticket.host.name for ticket in self.roster.going}
            machines = {machine(ticket.host) for ticket in self.roster.going}
            places = [it for it in self.roster.places.values() if it.host.mode != "paused"]
            left = [it for it in places if it.due <= self.now and it.host.name not in names]
            free = [it for it in left if machine(it.host) not in machines]
            assert turn.waiting == len(free)
            assert not free or self.roster.looking == WORKERS
            assert self.roster.behind == bool(left)
            later = [
                it.due
                for it in places
                if it.due > self.now and it.host.name not in held and machine(it.host) not in shut
            ]
            assert turn.soonest == min(later, default=math.inf)

    @invariant()
    def those_that_break_are_few(self) -> None:
        if hasattr(self, "roster"):
            guard = self.roster.guard
            at = guard.limit.trips_at(self.roster.enforced)
            assert at is None or len(guard.failed) < at or guard.tripped


TestDays = Days.TestCase


def test_a_day_that_broke_one_more_host_than_it_should_have() -> None:
    """Pinned: two hosts may change, one failed, and the other is still at it: nobody else may begin."""
    roster = Roster(Pace(300.0, 1800.0), 9, Guard(Limit("2")), lambda: 0.5)
    roster.renew("r", [host(name) for name in NAMES], 0.0)
    tickets = roster.begin(0.0).begun
    assert [roster.may_change(ticket) for ticket in tickets].count(True) == 3
    roster.end(tickets[0], report(tickets[0].host, Status.FAILED), 1.0, "now")
    assert not roster.may_change(tickets[3])
    for ticket in tickets[1:3]:
        roster.end(ticket, report(ticket.host, Status.FAILED), 1.0, "now")
    assert roster.guard.failed == frozenset("abc")
    assert roster.guard.tripped
