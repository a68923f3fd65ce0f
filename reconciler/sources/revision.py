"""What a source of specs finds, told to the loop as values."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from reconciler.desired import DesiredHost, Mistake
from reconciler.records import record


@record
class Revision:
    """Valid specs, in force from now on. `name` is the commit, or the digest of the files."""

    name: str
    hosts: tuple[DesiredHost, ...]
    warnings: tuple[Mistake, ...] = ()


@record
class Rejected:
    """The newest specs are wrong, empty or gone, so that those in force stay. `name` as of a revision, if it has one;
    there is at least one mistake."""

    name: str | None
    mistakes: tuple[Mistake, ...]


@record
class Trouble:
    """The newest specs can't be read at all: `why`, and what to do `next`. `passing`: a server is away, and it is tried
    again; nothing is wrong with the specs."""

    why: str
    next: str
    passing: bool = False


@record
class Fetched:
    """A git repository was asked for news; `ok`: it answered, and has the branch."""

    ok: bool


Found = Revision | Rejected | Trouble | Fetched
Tell = Callable[[Found], None]


class Source(Protocol):
    """Where specs come from. `origin` is for people, and never holds a secret."""

    @property
    def origin(self) -> str: ...

    def run(self, tell: Tell, stop: threading.Event) -> None:
        """Tell what is found, first of all what is there now, until soon after `stop` is set. Never raises.

        When that is wrong or away, the last good revision that was kept is told before it. A revision is told when
        it is new, or when what was wrong meanwhile is over; what is wrong, when it changes.
        """


class Telling:
    """Tells only what is news. `key` of a revision is the same when all that it was read from is."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._wrong: Rejected | Trouble | None = None
        self.key: str | None = None

    def good(self, revision: Revision, key: str) -> None:
        """The newest specs are valid."""
        if key != self.key or self._wrong is not None:
            self.key, self._wrong = key, None
            self._tell(revision)

    def wrong(self, found: Rejected | Trouble) -> None:
        """They are not."""
        if found != self._wrong:
            self._wrong = found
            self._tell(found)


def unexpected(error: Exception) -> Trouble:
    """What nobody foresaw, in words that a person can report."""
    text = " ".join(str(error).split())[:300]
    return Trouble(
        f"the specs can't be read: {type(error).__name__}: {text}",
        "it is tried again; if it stays, report it as a bug",
    )
