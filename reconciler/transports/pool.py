"""Warm sessions: one at most for each way to a host, kept between its passes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from reconciler import open_files
from reconciler.records import record

RENEW_SECONDS = 3600.0
"""A session is used for so long at most (at least three quarters of it, so that not all hosts are due at once): then a
fresh login has to show that one still works."""
RESTING_MOST = 2000
"""Each session that rests is a thread and an open file. Where there are more hosts, the others get a new one for each
pass."""
FAREWELL_SECONDS, SIDE_BY_SIDE = 5.0, 16


class Session(Protocol):
    """What can be kept."""

    def rest(self) -> bool:
        """Nobody uses it for a while. Whether it may be used again later."""

    def stands(self) -> bool:
        """Whether the other side still answers on it after a rest; does not raise and does not wait long."""

    def close(self) -> None:
        """Hang up; never raises."""


S = TypeVar("S", bound=Session)


@dataclass
class Lease(Generic[S]):
    """A session for one user alone. `kept` is False when it must not be used again."""

    session: S
    _pool: Pool
    _place: tuple[str, str]
    _key: Hashable
    _until: float
    kept: bool = True

    def close(self) -> None:
        """Give it back."""
        self._pool._give_back(self)


@record
class _Resting:
    lease: Lease[Any]
    until: float


class Pool:
    """Sessions that rest, by place (an owner's name and a way). Safe to use from any thread.

    `idle` is how many seconds a session may rest unused; None: none is kept, a session that is given back is closed.
    `renew` is how many seconds it is used at most. `most` rest at once, and never more than a third of the files that
    this process may open.
    """

    def __init__(
        self,
        idle: float | None = None,
        renew: float = RENEW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        most: int = RESTING_MOST,
    ) -> None:
        self.idle, self._renew, self._clock = idle, renew, clock
        self._most = open_files.at_most(most)
        self._gate = threading.Lock()
        self._resting: dict[tuple[str, str], _Resting] = {}
        self._closed = False

    def lease(self, place: tuple[str, str], key: Hashable, connect: Callable[[], S]) -> Lease[S]:
        """The session that rests at that place if `key` (all that opening it depends on) is still the same and the
        other side still answers, else a new one. Raises what `connect` raises."""
        with self._gate:
            resting = self._resting.pop(place, None)
        if resting is not None:
            lease: Lease[S] = resting.lease
            if lease._key == key and self._clock() < resting.until and lease.session.stands():
                return Lease(lease.session, self, place, key, lease._until)
            _hang_up_behind([lease])
        until = self._clock() + self._renew * random.uniform(0.75, 1.0)  # noqa: S311 - no secret
        return Lease(connect(), self, place, key, until)

    def _give_back(self, lease: Lease[Any]) -> None:
        if not self._rests(lease):
            lease.session.close()

    def _rests(self, lease: Lease[Any]) -> bool:
        if self.idle is None or not lease.kept or not lease.session.rest():
            return False
        with self._gate:
            full = len(self._resting) >= self._most
            if self._closed or full or lease._place in self._resting:
                return False
            self._resting[lease._place] = _Resting(lease, min(lease._until, self._clock() + self.idle))
            return True

    def tidy(self, owners: Collection[str] | None = None) -> None:
        """Close what has rested too long, and what is of none of `owners`. Does not wait for it."""
        now = self._clock()
        with self._gate:
            over = [
                place
                for place, it in self._resting.items()
                if now >= it.until or (owners is not None and place[0] not in owners)
            ]
            gone = [self._resting.pop(place).lease for place in over]
        _hang_up_behind(gone)

    def afresh(self) -> None:
        """Have every next session opened anew. Does not wait."""
        with self._gate:
            gone, self._resting = self._resting, {}
        _hang_up_behind([it.lease for it in gone.values()])

    def close(self) -> None:
        """Hang up everywhere, within seconds; whatever is given back later is closed then."""
        with self._gate:
            self._closed = True
            gone, self._resting = self._resting, {}
        left: SimpleQueue[Lease[Any]] = SimpleQueue()
        for it in gone.values():
            left.put(it.lease)
        threads = [
            threading.Thread(target=_work_off, args=(left,), daemon=True)
            for _ in range(min(SIDE_BY_SIDE, len(gone)))
        ]
        end = time.monotonic() + FAREWELL_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))


def _hang_up_behind(leases: Iterable[Lease[Any]]) -> None:
    """Saying goodbye over a link that is dead takes seconds: nobody has to wait for it."""
    left: SimpleQueue[Lease[Any]] = SimpleQueue()
    for lease in leases:
        left.put(lease)
    if left.empty():
        return
    try:
        threading.Thread(target=_work_off, args=(left,), daemon=True).start()
    except RuntimeError:
        # no thread is left on this machine: the more it matters that these go
        _work_off(left)


def _work_off(left: SimpleQueue[Lease[Any]]) -> None:
    while True:
        try:
            lease = left.get_nowait()
        except Empty:
            return
        lease.session.close()
