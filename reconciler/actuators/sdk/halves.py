"""Changes of two calls, of which the first takes something away: the second must not be left out.

Over SSH both are one command line that the host runs to its end. Over the SDK the link, or hostd, can go away between
them. So the second one is tried for about a minute, and each further try is decided by a look.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.actuators.sdk.session import Stumbled
from reconciler.actuators.work import Work
from reconciler.faults import Fault, Unreachable
from reconciler.transports.sdk.answers import Passing

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds; hostd is back within a minute after a restart."""


def finish(work: Work, act: Callable[[], None], there: Callable[[], bool]) -> None:
    """Make the second call; `there` looks whether it has had its effect. A person who wants it to end waits for it.

    Raises what the host refuses it with at once; Passing or faults.Unreachable when the host stays away.
    """

    def look_first() -> None:
        try:
            done = there()
        except Stumbled as unseen:
            # a host that is coming up may not show all of itself yet
            raise Passing("", str(unseen)) from unseen
        if not done:
            act()

    gone = _tried(act)
    for pause in PAUSES:
        if gone is None:
            return
        work.pause(pause)
        gone = _tried(look_first)
    if gone is not None:
        raise gone


def _tried(act: Callable[[], None]) -> Passing | Unreachable | None:
    """What was in the way, if it may pass."""
    try:
        act()
    except (Passing, Unreachable) as gone:
        return gone
    return None


def left_undone(gone: Fault, what: str) -> Fault:
    """The same fault with a word on what is half done."""
    return type(gone)(f"{gone.message}; {what}", next=gone.next)
