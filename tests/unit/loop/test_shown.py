"""What the pages show of a pass that goes on."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.events import Carrying, Connecting, Finished, Looking
from reconciler.loop.shown import Shown
from tests.unit.loop.hosts import host, report

AT = datetime(2026, 11, 27, tzinfo=UTC)


def shown() -> Shown:
    made = Shown()
    made.renew([host("a"), host("b")])
    return made


def doing(at: Shown) -> dict[str, str | None]:
    return {state.report.name: state.doing for state in at.states()}


def test_what_a_pass_does_is_shown_until_it_has_ended() -> None:
    loop = shown()
    assert doing(loop) == {"a": None, "b": None}
    loop.hear(Connecting("a", "10.0.0.1"))
    loop.hear(Looking("b", 3))
    assert doing(loop) == {"a": "connecting to 10.0.0.1", "b": "looking at 3 things"}
    loop.hear(Carrying("b", "img", 512, 1024, "to_host", 512))
    assert (doing(loop)["b"] or "").startswith("img: 512 B of 1.0 KiB")
    loop.hear(Finished("b", "in-sync", 1.0))
    assert doing(loop) == {"a": "connecting to 10.0.0.1", "b": None}


def test_a_pass_that_broke_off_without_a_word_does_nothing_any_more() -> None:
    loop = shown()
    loop.hear(Connecting("a", "10.0.0.1"))
    loop.passed(report(host("a")), AT, "r1", 0)
    assert doing(loop)["a"] is None


def test_a_host_that_was_let_go_leaves_nothing_behind() -> None:
    loop = shown()
    loop.hear(Connecting("a", "10.0.0.1"))
    loop.renew([host("b")])
    loop.hear(Looking("a", 3))
    loop.renew([host("a"), host("b")])
    assert doing(loop) == {"a": None, "b": None}
