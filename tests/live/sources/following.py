"""A source that runs in a thread, as the loop runs it, and what it tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import TypeVar

from reconciler.sources.revision import Fetched, Found, Rejected, Revision, Source, Trouble

SECONDS = 20.0
T = TypeVar("T", Revision, Rejected, Trouble, Fetched)


def host(name: str, spec: str = "{}") -> str:
    """A spec file with one host."""
    return f"apiVersion: reconciler/v1\nkind: Host\nmetadata: {{name: {name}}}\nspec: {spec}\n"


class Following:
    """Ends of fetches are kept apart: they are told at every interval."""

    def __init__(self) -> None:
        self.told: Queue[Found] = Queue()
        self.fetches: Queue[bool] = Queue()

    def tell(self, found: Found) -> None:
        if isinstance(found, Fetched):
            self.fetches.put(found.ok)
        else:
            self.told.put(found)

    def next(self, kind: type[T]) -> T:
        """What is told next, which has to be of that kind."""
        try:
            found = self.told.get(timeout=SECONDS)
        except Empty:
            raise AssertionError(f"no {kind.__name__} was told") from None
        assert isinstance(found, kind), found
        return found

    def revision(self) -> list[str]:
        """The hosts of the next thing told, which has to be a revision."""
        return sorted(it.name for it in self.next(Revision).hosts)

    def rejected(self) -> list[str]:
        """The mistakes of the next thing told."""
        return [str(mistake) for mistake in self.next(Rejected).mistakes]

    def fetched(self, ok: bool) -> None:
        """Wait for the end of a fetch that begins from now on."""
        deadline = time.monotonic() + SECONDS
        while not self.fetches.empty():
            self.fetches.get()
        # the one under way may have begun before
        for _ in range(2):
            assert self.fetches.get(timeout=deadline - time.monotonic()) is ok


@contextmanager
def following(source: Source) -> Iterator[Following]:
    """A source at work; at the end it has ended by itself, and nothing is left that was not expected."""
    stop, heard = threading.Event(), Following()
    thread = threading.Thread(target=source.run, args=(heard.tell, stop))
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(SECONDS)
    assert not thread.is_alive()
    assert list(heard.told.queue) == []
