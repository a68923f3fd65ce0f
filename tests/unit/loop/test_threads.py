"""Threads that take one pass after the other."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from queue import SimpleQueue

import pytest

from reconciler.loop.threads import Threads, Work

Desk = SimpleQueue[Work]
SECONDS = 20.0


def ident(threads: Threads) -> int:
    """The thread in which something is done now; it is idle again when this returns."""
    told: SimpleQueue[int] = SimpleQueue()
    threads.start(lambda: told.put(threading.get_ident()))
    found = told.get(timeout=SECONDS)
    while not threads._idle:
        pass
    return found


def test_a_thread_that_has_ended_its_work_takes_the_next() -> None:
    threads = Threads()
    assert ident(threads) == ident(threads)


def test_what_goes_on_at_a_time_is_done_side_by_side() -> None:
    threads, met = Threads(), threading.Barrier(8)

    def meet() -> None:
        met.wait(SECONDS)

    for _ in range(7):
        threads.start(meet)
    met.wait(SECONDS)


def test_a_thread_without_work_ends() -> None:
    threads, told = Threads(idle=0.0), SimpleQueue[threading.Thread]()
    threads.start(lambda: told.put(threading.current_thread()))
    thread = told.get(timeout=SECONDS)
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert not threads._idle


class TakenMeanwhile(deque[Desk]):
    """Somebody takes a thread's desk in the moment in which it gives up waiting, and puts work there a little later."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    def remove(self, desk: Desk) -> None:
        if self:
            threading.Timer(0.05, self.pop().put, (self._work,)).start()
        super().remove(desk)


def test_nothing_is_lost_that_is_given_to_a_thread_that_is_about_to_end() -> None:
    threads, told = Threads(idle=0.0), SimpleQueue[int]()

    def tell() -> None:
        told.put(threading.get_ident())

    threads._idle = TakenMeanwhile(tell)
    threads.start(tell)
    assert told.get(timeout=SECONDS) == told.get(timeout=SECONDS)


def test_a_thread_that_waits_keeps_nothing_of_its_last_pass() -> None:
    class Pass:
        def __call__(self) -> None:
            """What a pass does."""

    threads, work = Threads(), Pass()
    gone = weakref.ref(work)
    threads.start(work)
    del work
    while not threads._idle:
        pass
    assert gone() is None


def test_where_no_thread_can_be_had_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    threads, done = Threads(), list[int]()
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError):
        threads.start(lambda: done.append(1))
    assert not done
