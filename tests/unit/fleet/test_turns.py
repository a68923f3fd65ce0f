"""Hosts that share a volume take turns."""

from __future__ import annotations

import threading

from reconciler.turns import Turns


def never() -> bool:
    return False


def test_whoever_comes_second_waits_and_knows_it() -> None:
    turns, order, waiting = Turns(), [], threading.Event()

    def second() -> None:
        with turns.on("vol", never, waiting.set) as waited:
            order.append(waited)

    with turns.on("vol", never, waiting.set) as waited:
        order.append(waited)
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        assert order == [False]
    thread.join(10)
    assert order == [False, True]


def test_other_volumes_are_free() -> None:
    turns = Turns()
    with (
        turns.on("a", never, lambda: None) as first,
        turns.on("b", never, lambda: None) as second,
    ):
        assert (first, second) == (False, False)


def test_a_wait_ends_when_a_person_wants_it_and_takes_no_turn() -> None:
    turns = Turns()
    with turns.on("vol", never, lambda: None), turns.on("vol", lambda: True, lambda: None) as waited:
        assert waited is None
    with turns.on("vol", never, lambda: None) as waited:
        assert waited is False


def test_a_volume_that_filled_up_is_tried_again_after_a_while() -> None:
    now = 0.0
    turns = Turns(600.0, lambda: now)
    turns.fill("vol", "first")
    now = 599.0
    turns.fill("other", "second")
    assert (turns.filled("vol"), turns.filled("other")) == ("first", "second")
    now = 600.0
    assert (turns.filled("vol"), turns.filled("other")) == (None, "second")


def test_volumes_that_nobody_uses_any_more_leave_nothing_behind() -> None:
    turns = Turns()
    for number in range(100):
        with turns.on(f"vol{number}", never, lambda: None), turns.on("vol", lambda: True, lambda: None):
            assert len(turns._turns) == 2
    assert turns._turns == {}


def test_a_volume_that_filled_up_stays_so_for_the_run() -> None:
    turns = Turns()
    assert turns.filled("vol") is None
    turns.fill("vol", "first")
    turns.fill("vol", "second")
    assert turns.filled("vol") == "first"
    assert turns.filled("other") is None
