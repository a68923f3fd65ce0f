"""What a run that may change hosts keeps in the state folder: the history, and whose turn it is on a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from reconciler.cli.messages import say
from reconciler.engine import Journal, NoJournal
from reconciler.fleet import HostTurn, every_turn
from reconciler.records import record
from reconciler.report import HostReport
from reconciler.state.folder import HostTurns, StateFolder
from reconciler.state.history import History
from reconciler.state.trouble import StateTrouble


@record
class Kept:
    """`passed` is told of each host whose pass has ended."""

    journal: Callable[[], Journal] = NoJournal
    turn: HostTurn = every_turn
    passed: Callable[[HostReport], None] = lambda report: None


@contextmanager
def keeping(path: Path, keep: timedelta, revision: str) -> Iterator[Kept]:
    """Make the state folder, and write down what a run with specs of that revision does. Where that can't be made a
    person is told, and the run goes on without."""
    folder = StateFolder(path)
    try:
        folder.open()
    except StateTrouble as trouble:
        warn(f"{trouble}; there will be no history of this run, and no other one is waited for")
        yield Kept()
        return
    history = History(folder.history, keep, warn)
    try:
        history.revision(revision)
        yield Kept(
            partial(history.journal, revision),
            HostTurns(folder, warn).on,
            partial(history.passed, revision=revision),
        )
    finally:
        history.close()


def warn(text: str) -> None:
    """A warning on standard error."""
    say(text, "warning")
