"""Lines about a copy that goes on: rate, time left, and not too many of them."""

from __future__ import annotations

from reconciler.events import Carrying
from reconciler.listeners.pace import LINE_SECONDS, Pace

MIB = 1 << 20


def copy(done: int, total: int = 100 * MIB, what: str = "img") -> Carrying:
    return Carrying("h", what, done, total, "to_host", 0)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left_come_from_what_was_carried_since_the_start() -> None:
    clock = Clock()
    pace = Pace(clock)
    # a resumed copy begins with what lies there already: that was not carried now
    assert pace.words(copy(20 * MIB)) == "img: 20.0 MiB of 100.0 MiB"
    clock.now += 4
    assert pace.words(copy(40 * MIB)) == "img: 40.0 MiB of 100.0 MiB, 5.0 MiB/s, 12 s left"


def test_long_times_are_told_in_minutes_and_hours() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.words(copy(0))
    clock.now += 10
    assert pace.words(copy(2 * MIB)).endswith("8 min left")
    assert pace.words(copy(MIB // 10)).endswith("2.8 h left")


def test_a_line_is_due_now_and_then_and_at_the_end() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert not pace.due(copy(1))
    clock.now += LINE_SECONDS
    assert pace.due(copy(2))
    assert not pace.due(copy(3))
    assert pace.due(copy(100 * MIB))


def test_copies_are_told_apart_and_a_new_one_of_the_same_disk_begins_anew() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.words(copy(50 * MIB))
    clock.now += 1
    assert pace.words(copy(0)) == "img: 0 B of 100.0 MiB"
    assert pace.words(copy(10 * MIB, what="other")) == "other: 10.0 MiB of 100.0 MiB"


def test_a_copy_of_a_day_does_not_fill_the_log() -> None:
    clock, lines = Clock(), 0
    pace = Pace(clock)
    for second in range(0, 86_400, 5):
        clock.now = 100.0 + second
        lines += pace.due(copy(second, total=86_400))
    assert 50 < lines < 100
