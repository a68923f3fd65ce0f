"""What is told, and what is not told again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.faults import FaultKind
from reconciler.listeners.bulletin import BODY, Message, message
from reconciler.listeners.digest import Digest, HostNews, Told
from reconciler.report import HostReport, Status
from tests.unit.listeners.reports import blind, fault, held, passed, step

AWAY = blind("a", FaultKind.UNREACHABLE, "a: nothing answers on a:22", "switch it on")
LOGIN = blind("a", FaultKind.LOGIN, "a: root's key was refused", "check the key")


def tell(digest: Digest, now: float = 0) -> Message | None:
    """What is told now, to one who hears it."""
    news = digest.news()
    digest.tell(news, now)
    return message(news) if news else None


def after(*reports: HostReport, mode: str = "enforce") -> Digest:
    digest = Digest()
    for report in reports:
        digest.passed(report, mode, 0)
    return digest


def test_a_fleet_in_order_is_no_news() -> None:
    digest = after(passed("a"), passed("b", Status.CONVERGED))
    digest.guard(False, (), 0)
    digest.specs((), 0)
    assert (digest.closes, tell(digest)) == (None, None)


def test_a_failed_host_is_told_with_its_fault_and_once() -> None:
    digest = after(LOGIN)
    told = tell(digest)
    assert told == Message(
        "reconciler: 1 host failed",
        "1 host failed:\n- a: root's key was refused. Next: check the key",
        "failure",
    )
    digest.passed(LOGIN, "enforce", 300)
    assert (digest.closes, tell(digest)) == (None, None)


def test_another_fault_of_the_same_host_is_news_another_wording_of_it_is_not() -> None:
    digest = after(LOGIN)
    tell(digest)
    digest.passed(blind("a", FaultKind.LOGIN, "a: refused for the 2nd time"), "enforce", 0)
    assert tell(digest) is None
    digest.passed(blind("a", FaultKind.HOST_KEY, "a: its host key is another one"), "enforce", 0)
    told = tell(digest)
    assert told is not None
    assert "its host key is another one" in told.body


def test_an_unreachable_host_is_told_at_the_second_pass_in_a_row() -> None:
    digest = after(AWAY, passed("a"), AWAY)
    assert tell(digest) is None
    digest.passed(AWAY, "enforce", 0)
    told = tell(digest)
    assert told is not None
    assert told.title == "reconciler: 1 host unreachable"
    assert "- a: nothing answers on a:22. Next: switch it on" in told.body


def test_recovery_is_told_to_who_was_told_of_the_trouble() -> None:
    digest = after(LOGIN)
    tell(digest)
    digest.passed(AWAY, "enforce", 0)
    assert tell(digest) is None
    digest.passed(passed("a"), "enforce", 0)
    assert tell(digest) == Message(
        "reconciler: 1 host recovered", "1 host recovered:\n- a: in-sync", "success"
    )
    assert tell(digest) is None


def test_what_came_and_went_within_a_window_is_not_told() -> None:
    digest = after(LOGIN, passed("a"))
    assert digest.closes is not None
    assert tell(digest) is None
    assert digest.closes is None


def test_the_window_opens_with_the_first_news_and_what_happens_in_it_is_one_message() -> None:
    digest = Digest(window=30)
    digest.passed(LOGIN, "enforce", 100)
    digest.passed(blind("b", FaultKind.LOGIN), "enforce", 120)
    digest.guard(True, ["b", "a"], 125)
    assert digest.closes == 130
    told = tell(digest, 130)
    assert told is not None
    assert told.title == "reconciler: guard tripped, 2 hosts failed"
    assert told.body.startswith(
        "Guard tripped: no host is changed any more; a new revision or SIGHUP releases it.\n- failed: a, b\n"
    )


def test_what_happens_while_a_message_is_sent_opens_the_next_window() -> None:
    digest = after(LOGIN)
    news = digest.news()
    digest.passed(passed("a"), "enforce", 40)
    digest.passed(blind("b", FaultKind.LOGIN), "enforce", 40)
    digest.tell(news, 50)
    assert digest.closes == 80
    told = tell(digest)
    assert told is not None
    assert told.title == "reconciler: 1 host failed, 1 host recovered"


def test_drift_is_told_of_hosts_in_observe_alone() -> None:
    drifted = passed("a", Status.DRIFTED, steps=[step("portGroup/x"), step("image/y", verb="create")])
    assert tell(after(drifted)) is None
    digest = after(drifted, mode="observe")
    told = tell(digest)
    assert told == Message(
        "reconciler: drift on 1 host",
        "Drift on 1 host:\n- a: update portGroup/x, create image/y",
        "warning",
    )
    digest.passed(passed("a", Status.DRIFTED, steps=[step("portGroup/x")]), "observe", 0)
    assert tell(digest) is None
    digest.passed(drifted, "observe", 0)
    told = tell(digest)
    assert told is not None
    assert told.body.endswith("- a: create image/y")


def test_newly_held_items_are_told_with_their_reason() -> None:
    one, two = held("image/x", "no room"), held("image/y", "in use")
    digest = after(passed("a", Status.HELD, items=[one]))
    assert tell(digest) == Message(
        "reconciler: newly held on 1 host", "Newly held on 1 host:\n- a: image/x (no room)", "warning"
    )
    digest.passed(
        passed("a", Status.HELD, items=[held("image/x", "no room: 3 GiB are wanting"), two]), "enforce", 0
    )
    told = tell(digest)
    assert told is not None
    assert told.body.endswith("- a: image/y (in use)")


def test_what_a_pass_did_not_see_is_neither_over_nor_new() -> None:
    digest = after(passed("a", Status.HELD, items=[held("image/x")]))
    tell(digest)
    digest.passed(LOGIN, "enforce", 0)
    tell(digest)
    digest.passed(passed("a", Status.HELD, items=[held("image/x")]), "enforce", 0)
    told = tell(digest)
    assert told is not None
    assert told.title == "reconciler: 1 host recovered"


def test_what_the_guard_holds_is_told_as_the_guard() -> None:
    digest = after(passed("a", Status.HELD, items=[held("ssh", "guard: too many hosts failed")]))
    assert tell(digest) is None
    digest.guard(True, (), 0)
    told = tell(digest)
    assert told is not None
    assert (told.title, told.body.count("\n")) == ("reconciler: guard tripped", 0)
    digest.guard(False, (), 0)
    told = tell(digest)
    assert told == Message(
        "reconciler: guard released", "Guard released: hosts are changed again.", "success"
    )


def test_specs_are_told_when_they_become_invalid_when_they_are_so_otherwise_and_when_valid_again() -> None:
    digest = Digest()
    digest.specs(("specs/a.yaml:3:5: spec.sssh: unknown field (did you mean ssh?)",), 0)
    assert tell(digest) == Message(
        "reconciler: specs invalid",
        "Specs invalid: what was in force stays in force.\n"
        "- specs/a.yaml:3:5: spec.sssh: unknown field (did you mean ssh?)",
        "failure",
    )
    digest.specs(("specs/a.yaml:3:5: spec.sssh: unknown field (did you mean ssh?)",), 0)
    assert tell(digest) is None
    digest.specs([f"specs/a.yaml:{line}:1: wrong" for line in range(20)], 0)
    told = tell(digest)
    assert told is not None
    assert told.body.endswith("- and 8 more mistakes")
    digest.specs((), 0)
    assert tell(digest) == Message("reconciler: specs valid again", "Specs valid again.", "success")


PAUSED = HostReport("a", "a", Status.PAUSED)
LEAVING: list[Callable[[Digest], None]] = [
    lambda digest: digest.forget("a"),
    lambda digest: digest.passed(PAUSED, "paused", 0),
]


@pytest.mark.parametrize("leave", LEAVING)
def test_a_host_that_left_or_is_paused_is_no_news_any_more(leave: Callable[[Digest], None]) -> None:
    digest = after(LOGIN)
    news = digest.news()
    leave(digest)
    assert tell(digest) is None
    digest.tell(news, 0)
    assert digest.told == Told()
    digest.passed(passed("a"), "enforce", 0)
    assert tell(digest) is None


def test_what_was_told_is_remembered_over_a_restart() -> None:
    digest = after(LOGIN, passed("b", Status.HELD, items=[held("image/x")]), passed("c"))
    digest.guard(True, ["a"], 0)
    digest.specs(("wrong",), 0)
    tell(digest)
    kept = json.loads(json.dumps(digest.told.as_json()))
    assert kept["hosts"].keys() == {"a", "b"}
    again = Digest()
    again.told = Told.of_json(kept)
    again.passed(LOGIN, "enforce", 0)
    again.passed(blind("b", FaultKind.LOGIN), "enforce", 0)
    again.guard(True, ["a"], 0)
    again.specs(("wrong",), 0)
    told = tell(again)
    assert told is not None
    assert told.body.count("\n- ") == 1
    again.passed(passed("b", Status.HELD, items=[held("image/x")]), "enforce", 0)
    told = tell(again)
    assert told is not None
    assert told.title == "reconciler: 1 host recovered"


@pytest.mark.parametrize("kept", [{}, {"hosts": []}, {"hosts": {"a": 1}, "guard": False, "mistakes": []}])
def test_what_was_kept_and_is_broken_is_as_if_nothing_had_been_told(kept: dict[str, Any]) -> None:
    assert Told.of_json(kept) == Told()


def test_three_hundred_failed_hosts_stay_readable() -> None:
    digest = Digest()
    for at in range(300):
        kind = FaultKind.LOGIN if at % 3 else FaultKind.REFUSED
        report = blind(f"vm{at:03}", kind, f"vm{at:03}: it said no" if at % 2 else f"vm{at:03}: no. {at}")
        digest.passed(report, "enforce", 0)
    told = tell(digest)
    assert told is not None
    first, biggest, *_, last = told.body.splitlines()
    assert first == "300 hosts failed:"
    assert biggest == (
        "- vm001, vm003, vm005, vm007, vm009, vm011, vm013, vm015, vm017, vm019 and 140 more: it said no. "
        "Next: look at it"
    )
    assert last == "- and 139 more hosts"


def test_hostile_texts_stay_on_their_line_and_within_bounds() -> None:
    digest = after(
        passed(
            "a",
            Status.FAILED,
            fault=fault(FaultKind.REFUSED, "x\n\x1b[2J" + "y" * 10_000),
            items=[held("image/\n" + "z" * 5000)],
        )
    )
    digest.specs([f"{at} " + "w" * 5000 for at in range(100)], 0)
    told = tell(digest)
    assert told is not None
    assert len(told.body) <= BODY
    assert "\x1b" not in told.body
    assert all(len(line) <= 300 for line in told.body.splitlines())


@dataclass
class Reader:
    """Who reads every message: what he thinks is so."""

    trouble: dict[str, str | None] = field(default_factory=dict)
    guard: bool = False
    mistakes: tuple[str, ...] = ()

    def read(self, digest: Digest) -> None:
        news = digest.news()
        for it in news.hosts:
            self._read_host(it)
        if news.guard is not None:
            assert news.guard != self.guard
            self.guard = news.guard
        if news.mistakes is not None:
            assert news.mistakes != self.mistakes
            self.mistakes = news.mistakes

    def _read_host(self, it: HostNews) -> None:
        assert it.changed == (it.now.trouble != self.trouble.get(it.name))
        assert it.changed or it.drift or it.held
        self.trouble[it.name] = it.now.trouble


HOSTS = st.sampled_from(["a", "b"])
REPORTS = (
    st.builds(passed, HOSTS)
    | st.builds(
        passed,
        HOSTS,
        st.just(Status.HELD),
        items=st.lists(st.builds(held, st.sampled_from("xyz")), max_size=2),
    )
    | st.builds(
        passed,
        HOSTS,
        st.just(Status.DRIFTED),
        steps=st.lists(st.builds(step, st.sampled_from("xy")), max_size=2),
    )
    | st.builds(blind, HOSTS, st.sampled_from(FaultKind))
)
ACTS = (
    REPORTS
    | st.booleans()
    | st.sampled_from([("m",), ("n",), ()])
    | st.sampled_from(["sent", "not sent", "restart"])
)


@given(st.lists(ACTS, max_size=25))
@example([LOGIN, "sent", "restart", LOGIN, "not sent", passed("a"), "sent", "sent"])
def test_a_reader_of_all_messages_knows_what_is_so_and_is_told_nothing_twice(acts: list[Any]) -> None:
    digest, reader, seen = Digest(), Reader(), dict[str, str]()
    guard, mistakes = None, None
    for act in [*acts, "sent"]:
        match act:
            case HostReport():
                digest.passed(act, "observe", 0)
                seen[act.name] = act.status.value
            case bool():
                guard = act
                digest.guard(act, (), 0)
            case tuple():
                mistakes = act
                digest.specs(act, 0)
            case "sent":
                if digest.closes is None:
                    assert not digest.news()
                reader.read(digest)
                tell(digest)
                assert not digest.news()
            case "not sent":
                digest.news()
            case _:
                told = json.loads(json.dumps(digest.told.as_json()))
                digest, guard, mistakes = Digest(), None, None
                digest.told = Told.of_json(told)
                seen.clear()
    assert guard in (None, reader.guard)
    assert mistakes in (None, reader.mistakes)
    for name, status in seen.items():
        expected = status in ("failed", "unreachable")
        assert status == "unreachable" or (reader.trouble.get(name) is not None) == expected
