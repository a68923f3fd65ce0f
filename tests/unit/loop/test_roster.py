"""Which host is due, which one is worked on, and who may change his."""

from __future__ import annotations

import math

from reconciler.loop.guard import WHY, Guard, Limit
from reconciler.loop.roster import Roster, Ticket
from reconciler.loop.schedule import Pace
from reconciler.report import Status
from tests.unit.loop.hosts import host, report

AT = "2026-11-26T17:00:00+00:00"


def roster(*names: str, workers: int = 9, limit: str = "10%", revision: str = "r1") -> Roster:
    made = Roster(Pace(300.0, 1800.0), workers, Guard(Limit(limit), revision), lambda: 0.5)
    made.renew(revision, [host(name) for name in names], 0.0)
    return made


def names(tickets: list[Ticket]) -> list[str]:
    return [ticket.host.name for ticket in tickets]


def end(at: Roster, ticket: Ticket, status: Status, now: float) -> bool:
    return at.end(ticket, report(ticket.host, status), now, AT)


def test_every_host_is_due_at_the_start_and_then_after_its_interval() -> None:
    loop = roster("a", "b")
    for ticket in loop.begin(0.0).begun:
        assert end(loop, ticket, Status.IN_SYNC, 5.0)
    turn = loop.begin(304.0)
    assert (turn.begun, turn.soonest) == ([], 305.0)
    assert names(loop.begin(305.0).begun) == ["a", "b"]


def test_a_host_that_never_answers_is_tried_for_ever() -> None:
    loop, now = roster("a"), 0.0
    for _ in range(12):
        [ticket] = loop.begin(now).begun
        end(loop, ticket, Status.UNREACHABLE, now)
        now = loop.begin(now).soonest
    assert now < 12 * 1800.0


def test_the_next_turn_is_that_of_the_host_that_is_due_first() -> None:
    loop = roster("a", "b", "c")
    first, second, third = loop.begin(0.0).begun
    for ticket, now in ((first, 7.0), (second, 5.0), (third, 6.0)):
        end(loop, ticket, Status.IN_SYNC, now)
    assert loop.begin(8.0).soonest == 305.0


def test_a_host_is_never_worked_on_twice_at_a_time() -> None:
    loop = roster("a")
    [ticket] = loop.begin(0.0).begun
    loop.due_now("a", 1.0)
    assert loop.begin(1.0).begun == []
    end(loop, ticket, Status.IN_SYNC, 2.0)
    assert names(loop.begin(2.0).begun) == ["a"]


def test_nor_under_another_name() -> None:
    loop = roster()
    loop.renew("r1", [host("old", address="10.0.0.1")], 0.0)
    [ticket] = loop.begin(0.0).begun
    loop.renew("r2", [host("new", address="10.0.0.1")], 1.0)
    turn = loop.begin(1.0)
    assert (turn.begun, turn.waiting, turn.soonest, loop.behind) == ([], 0, math.inf, True)
    assert not end(loop, ticket, Status.IN_SYNC, 2.0)
    assert names(loop.begin(2.0).begun) == ["new"]


def test_of_two_names_for_one_host_one_comes_after_the_other() -> None:
    loop = roster()
    loop.renew("r1", [host("one", address="10.0.0.1"), host("other", address="10.0.0.1")], 0.0)
    [first] = loop.begin(0.0).begun
    assert loop.behind
    assert loop.begin(1.0).begun == []
    end(loop, first, Status.IN_SYNC, 2.0)
    [second] = loop.begin(2.0).begun
    assert {first.host.name, second.host.name} == {"one", "other"}


def test_no_more_look_at_a_time_than_there_are_workers_and_who_waits_longest_is_first() -> None:
    loop = roster("a", "b", "c", workers=2)
    first, second = loop.begin(0.0).begun
    turn = loop.begin(0.0)
    assert (turn.begun, turn.waiting, turn.soonest, loop.behind) == ([], 1, math.inf, True)
    end(loop, first, Status.IN_SYNC, 1.0)
    loop.due_now("a", 1.0)
    assert names(loop.begin(1.0).begun) == ["c"]
    end(loop, second, Status.IN_SYNC, 2.0)
    assert names(loop.begin(2.0).begun) == ["a"]


def test_a_host_that_is_changed_keeps_nobody_from_looking() -> None:
    loop = roster("a", "b", workers=1)
    [ticket] = loop.begin(0.0).begun
    assert loop.may_change(ticket)
    assert names(loop.begin(0.0).begun) == ["b"]


def test_a_revision_makes_due_what_it_changes_and_leaves_the_others_their_time() -> None:
    loop = roster("a", "b", "c")
    for ticket in loop.begin(0.0).begun:
        end(loop, ticket, Status.IN_SYNC, 0.0)
    newer = [host("a"), host("b", rack="r3"), host("d")]
    assert [it.name for it in loop.changed(newer)] == ["b"]
    loop.renew("r2", newer, 10.0)
    assert names(loop.begin(10.0).begun) == ["b", "d"]
    assert "c" not in loop.places


def test_a_pass_ends_with_the_spec_it_began_with_and_the_host_is_due_anew() -> None:
    loop = roster("a")
    [ticket] = loop.begin(0.0).begun
    loop.renew("r2", [host("a", rack="r3")], 1.0)
    end(loop, ticket, Status.IN_SYNC, 2.0)
    [again] = loop.begin(2.0).begun
    assert (ticket.revision, dict(ticket.host.labels)) == ("r1", {})
    assert (again.revision, dict(again.host.labels)) == ("r2", {"rack": "r3"})


def test_a_host_whose_spec_vanished_is_let_go() -> None:
    loop = roster("a", "b")
    first, second = loop.begin(0.0).begun
    loop.renew("r2", [host("b")], 1.0)
    assert (end(loop, first, Status.FAILED, 2.0), end(loop, second, Status.IN_SYNC, 2.0)) == (False, True)
    assert names(loop.begin(1000.0).begun) == ["b"]


def test_paused_hosts_are_not_even_looked_at_nor_waited_for() -> None:
    loop = roster()
    loop.renew("r1", [host("a", "paused"), host("b", "observe")], 0.0)
    assert loop.unready() == ["b"]
    [ticket] = loop.begin(0.0).begun
    assert ticket.host.name == "b"
    end(loop, ticket, Status.UNREACHABLE, 1.0)
    assert (loop.unready(), loop.begin(1.0).waiting, loop.enforced) == ([], 0, 0)


def test_failures_are_tried_again_at_longer_and_longer_intervals() -> None:
    loop = roster("a")
    [ticket] = loop.begin(0.0).begun
    end(loop, ticket, Status.UNREACHABLE, 0.0)
    [ticket] = loop.begin(30.0).begun
    end(loop, ticket, Status.FAILED, 30.0)
    assert loop.begin(89.0).begun == []
    [ticket] = loop.begin(90.0).begun
    end(loop, ticket, Status.CONVERGED, 90.0)
    assert loop.places["a"].failures == 0
    loop.put_off("a", 900.0)
    assert loop.begin(899.0).begun == []


def test_as_many_change_at_a_time_as_failures_are_wanting_and_the_others_are_called_in_their_order() -> None:
    loop = roster("a", "b", "c", "d")
    tickets = loop.begin(0.0).begun
    assert [loop.may_change(ticket) for ticket in tickets] == [True, True, False, False]
    for ticket in reversed(tickets[2:]):
        end(loop, ticket, Status.DRIFTED, 1.0)
    assert loop.begin(1.0).begun == []
    end(loop, tickets[0], Status.FAILED, 2.0)
    assert loop.begin(2.0).begun == [], "one failure is wanting, and one host is being changed"
    end(loop, tickets[1], Status.CONVERGED, 3.0)
    [called] = loop.begin(3.0).begun
    assert called.host.name == "c"
    assert loop.may_change(called)
    end(loop, called, Status.CONVERGED, 4.0)
    assert names(loop.begin(4.0).begun) == ["d"]


def test_without_a_guard_all_that_wait_are_called() -> None:
    loop = roster("a", "b", limit="0")
    assert all(loop.may_change(ticket) for ticket in loop.begin(0.0).begun)


def test_a_host_that_is_as_wished_by_now_waits_no_more() -> None:
    loop = roster("a", "b", "c")
    tickets = loop.begin(0.0).begun
    assert [loop.may_change(ticket) for ticket in tickets] == [True, True, False]
    end(loop, tickets[2], Status.DRIFTED, 1.0)
    loop.due_now("c", 1.0)
    [again] = loop.begin(1.0).begun
    end(loop, again, Status.IN_SYNC, 2.0)
    end(loop, tickets[0], Status.CONVERGED, 3.0)
    assert loop.begin(3.0).begun == []


def test_once_the_guard_has_tripped_hosts_are_looked_at_and_nothing_is_changed() -> None:
    loop = roster("a", "b", "c")
    tickets = loop.begin(0.0).begun
    loop.may_change(tickets[0])
    loop.may_change(tickets[1])
    end(loop, tickets[0], Status.FAILED, 1.0)
    end(loop, tickets[1], Status.UNREACHABLE, 1.0)
    assert loop.guard.tripped
    assert not loop.may_change(tickets[2])
    end(loop, tickets[2], Status.DRIFTED, 1.0)
    [held] = loop.begin(1.0).begun
    assert (held.host.name, held.halted) == ("c", WHY)
    end(loop, held, Status.HELD, 1.0)
    loop.all_due(2.0)
    assert [(ticket.host.name, ticket.halted) for ticket in loop.begin(2.0).begun] == [
        ("a", None),
        ("b", None),
        ("c", None),
    ]


def test_a_host_that_is_paused_let_go_or_wished_otherwise_is_not_changed_by_a_pass_that_only_looked() -> None:
    for newer in ([host("a", "paused")], [], [host("a", rack="r3")]):
        loop = roster("a")
        [ticket] = loop.begin(0.0).begun
        loop.renew("r2", newer, 1.0)
        assert not loop.may_change(ticket)
        assert not loop.stands(ticket)


def test_a_pass_that_waits_for_another_run_needs_no_worker() -> None:
    loop = roster("a", "b", workers=1)
    [ticket] = loop.begin(0.0).begun
    ticket.waiting = True
    assert names(loop.begin(0.0).begun) == ["b"]


def test_without_a_guard_there_is_a_limit_too() -> None:
    loop = roster(*(f"h{number}" for number in range(60)), workers=60, limit="0")
    assert sum(loop.may_change(ticket) for ticket in loop.begin(0.0).begun) == 60
    loop = roster(*(f"h{number}" for number in range(60)), workers=20, limit="0")
    asked = [loop.may_change(ticket) for _ in range(4) for ticket in loop.begin(0.0).begun]
    assert asked.count(True) == 50


def test_a_pass_that_was_cut_says_nothing_of_the_revision() -> None:
    loop = roster("a", "b", "c", "d")
    first = loop.begin(0.0).begun[0]
    assert loop.may_change(first)
    end(loop, first, Status.FAILED, 1.0)
    loop.due_now("a", 2.0)
    [again] = loop.begin(2.0).begun
    assert loop.may_change(again)
    end(loop, again, Status.DRIFTED, 3.0)
    assert loop.guard.failed == frozenset("a")


def test_a_wait_that_was_cut_is_no_first_pass() -> None:
    loop = roster("a")
    [ticket] = loop.begin(0.0).begun
    end(loop, ticket, Status.PENDING, 1.0)
    assert loop.unready() == ["a"]
    assert names(loop.begin(1.0).begun) == ["a"]
