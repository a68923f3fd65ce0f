"""When a host is due next."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.loop.schedule import Pace

PACE = Pace(interval=300.0, max_backoff=1800.0)


@pytest.mark.parametrize(("dice", "seconds"), [(0.0, 270.0), (0.5, 300.0), (1.0, 330.0)])
def test_hosts_do_not_march_in_step(dice: float, seconds: float) -> None:
    assert PACE.next_due(1000.0, 0, dice) == pytest.approx(1000.0 + seconds)


def test_a_host_that_fails_is_tried_after_half_a_minute_and_then_twice_as_long_each_time() -> None:
    waits = [PACE.next_due(0.0, failures, 0.7) for failures in range(1, 9)]
    assert waits == [30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1800.0, 1800.0]


def test_the_first_try_again_is_no_later_than_the_interval() -> None:
    assert Pace(5.0, 1800.0).next_due(0.0, 1, 0.0) == 5.0
    assert Pace(300.0, 10.0).next_due(0.0, 1, 0.0) == 10.0


@given(st.floats(0.1, 1e6), st.floats(0.1, 1e6), st.integers(0, 10**9), st.floats(0, 1))
@example(300.0, 1800.0, 10**9, 0.0)
def test_a_host_is_always_due_again_within_its_limits(
    interval: float, most: float, failures: int, dice: float
) -> None:
    wait = Pace(interval, most).next_due(0.0, failures, dice)
    assert 0 < wait <= (most if failures else interval * 1.1 + 1e-6)
