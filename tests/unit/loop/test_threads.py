"""Threads that take one pass after the other."""

from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest

from reconciler.loop.threads import Threads

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


def test_none_is_lost_that_is_given_to_one_that_is_about_to_end() -> None:
    threads, done = Threads(idle=0.0), SimpleQueue[int]()
    for number in range(2000):
        threads.start(lambda number=number: done.put(number))  # type: ignore[misc]
    assert sorted(done.get(timeout=SECONDS) for _ in range(2000)) == list(range(2000))


def test_where_no_thread_can_be_had_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    threads, done = Threads(), list[int]()
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError):
        threads.start(lambda: done.append(1))
    assert not done
