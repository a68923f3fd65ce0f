"""Who gets which session, and when one is closed. The sessions are stand-ins; real ones are in tests/live/passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event

import pytest

from reconciler.transports.pool import RENEW_SECONDS, Pool

PLACE = ("esx", "ssh")


@dataclass
class Session:
    """`sound`: it may be used again; `up`: the other side answers."""

    sound: bool = True
    up: bool = True
    gone: Event = field(default_factory=Event)

    def rest(self) -> bool:
        return self.sound

    def stands(self) -> bool:
        return self.up

    def close(self) -> None:
        self.gone.set()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(clock: Clock) -> Pool:
    return Pool(600.0, clock=clock)


def rested(pool: Pool, key: str = "key") -> Session:
    """A session that was used once and given back."""
    lease = pool.lease(PLACE, key, Session)
    lease.close()
    return lease.session


def closed(session: Session) -> bool:
    """Closing goes on behind."""
    return session.gone.wait(5)


def test_only_so_many_rest_and_the_others_are_closed(clock: Clock) -> None:
    pool = Pool(600.0, clock=clock, most=1)
    kept, other = rested(pool), pool.lease(("another", "ssh"), "key", Session)
    other.close()
    assert closed(other.session)
    assert pool.lease(PLACE, "key", Session).session is kept


def test_a_session_is_used_again_and_by_one_at_a_time(pool: Pool) -> None:
    first = rested(pool)
    lease, beside = pool.lease(PLACE, "key", Session), pool.lease(PLACE, "key", Session)
    assert lease.session is first
    assert beside.session is not first
    lease.close()
    beside.close()
    assert beside.session.gone.is_set(), "one is kept for a place"
    assert not first.gone.is_set()


def test_a_pool_that_keeps_nothing_closes_at_once() -> None:
    assert rested(Pool()).gone.is_set()


@pytest.mark.parametrize("why", ["another key", "dead", "at rest too long", "too old"])
def test_a_session_is_not_used_any_more(pool: Pool, clock: Clock, why: str) -> None:
    first = rested(pool)
    first.up = why != "dead"
    if why == "at rest too long":
        clock.now += 600
    if why == "too old":
        for _ in range(int(RENEW_SECONDS / 300)):
            clock.now += 300
            lease = pool.lease(PLACE, "key", Session)
            lease.close()
    second = pool.lease(PLACE, "other" if why == "another key" else "key", Session).session
    assert second is not first
    assert closed(first)


def test_what_went_wrong_or_must_not_be_used_again_is_closed(pool: Pool) -> None:
    broken = pool.lease(PLACE, "key", lambda: Session(sound=False))
    broken.close()
    left = pool.lease(PLACE, "key", Session)
    left.kept = False
    left.close()
    assert broken.session.gone.is_set()
    assert left.session.gone.is_set()


def test_tidying_closes_what_is_over_and_what_nobody_owns(pool: Pool, clock: Clock) -> None:
    other = pool.lease(("other", "sdk"), "key", Session)
    session = rested(pool)
    clock.now += 300
    other.close()
    pool.tidy({"esx", "other"})
    clock.now += 300
    pool.tidy()
    assert closed(session)
    assert not other.session.gone.is_set()
    pool.tidy({"esx"})
    assert closed(other.session)


def test_everything_can_be_had_anew_and_ends_with_the_pool(pool: Pool) -> None:
    old = rested(pool)
    pool.afresh()
    assert closed(old)
    resting, used = rested(pool), pool.lease(("other", "ssh"), "key", Session)
    pool.close()
    assert resting.gone.is_set()
    assert not used.session.gone.is_set()
    used.close()
    assert used.session.gone.is_set()
    pool.close()


def test_a_farewell_that_hangs_does_not_keep_the_program(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.transports.pool.FAREWELL_SECONDS", 0.01)
    end = Event()

    class Stuck(Session):
        def close(self) -> None:
            end.wait()

    pool.lease(PLACE, "key", Stuck).close()
    pool.close()
    end.set()


def test_who_cannot_connect_leaves_the_place_free(pool: Pool) -> None:
    def fails() -> Session:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        pool.lease(PLACE, "key", fails)
    assert not rested(pool).gone.is_set()
