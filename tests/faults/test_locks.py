"""Real runs that want one volume at the same time: one is stopped for longer than its lock lives, or killed at any
operation on the lock."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from reconciler.report import Status
from reconciler.simulator import Executed
from tests.faults.healing import all_has_ended, program
from tests.faults.images import LOCK, Case, image_case
from tests.faults.program import Program, at_command
from tests.live.images.setup import DISK, MIB, WIN, put_on

LOST = (
    "the lock on the volume was taken away by another run",
    "the lock on the volume was lost: another run may",
)
STREAM = {
    "disk made": 7,
    "part arrived": 8,
    "part half applied": 10,
    "reference sent": 15,
    "before it is named": 16,
}
"""Changing commands of a stream with its lock, counted from the lock's own first one, without beats."""
HELD = 3
"""So many, and a beat, take the lock."""
ABSENT = 14
"""So many changing commands set a folder aside and delete it, each below a lock of its own."""
LAST_WORK = 12


def hasty(case: Case, state: str) -> Program:
    """A run with a state folder of its own, and a lock with a faster pace."""
    home = case.there.folder / f"home-{state}"
    home.mkdir()
    words = ["-f", str(case.there.write()), "--state-dir", str(home / "state"), "--yes", "--output", "json"]
    return Program(home, words, module="tests.faults.hasty")


def whole(case: Case) -> None:
    """All is as it should be, and nothing of ours is left."""
    all_has_ended(case.there)
    case.whole()
    assert [name for name in case.there.host.files.names(DISK) if name.startswith(".")] == []


def tells_why(said: str) -> None:
    assert any(text in said for text in LOST), said


def works(command: Executed) -> bool:
    """A changing command that is no beat: those come when they come."""
    return command.changing and "/beat-" not in command.argv[-1]


def clones(command: Executed) -> bool:
    """The first sign of life of a clone on the host."""
    return command.argv == ("echo", "1")


def owners(case: Case) -> list[str]:
    try:
        names: list[str] = case.there.host.files.names(f"{DISK}/{LOCK}")
    except FileNotFoundError:
        return []
    return names


def overtaken(case: Case, count: int, counts: Callable[[Executed], bool] = works) -> str:
    """One run is stopped when it has run so many commands; a second one takes over and ends well. What the first one
    says when it is let go on: it may have nothing left to do, and harms nothing."""
    first, second = hasty(case, "first"), hasty(case, "second")
    at_command(case.there.host, count, partial(first.signal, signal.SIGSTOP), counts)
    first.start().until_stopped()
    try:
        ended = second.start().end()
        assert ended.status == 0, ended.said
        case.whole()
    finally:
        # what the host still runs of the stopped one's session waits for it
        first.signal(signal.SIGCONT)
        said = first.end().said
    whole(case)
    assert case.there.run().status is Status.IN_SYNC
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("count", STREAM.values(), ids=STREAM)
def test_a_stream_that_was_stopped_and_overtaken_writes_nothing_more(count: int, tmp_path: Path) -> None:
    with image_case(tmp_path, "6.7", "stream") as case:
        tells_why(overtaken(case, count))


def test_a_removal_that_was_stopped_before_its_work_and_overtaken_does_nothing_more(tmp_path: Path) -> None:
    with image_case(tmp_path, "5.5", "absent") as case:
        tells_why(overtaken(case, HELD))


@pytest.mark.parametrize("way", ["clone", "capture"])
def test_a_clone_whose_run_was_stopped_and_overtaken_is_ended_by_the_other_one(
    way: str, tmp_path: Path
) -> None:
    with image_case(tmp_path, "4.1", way) as case:
        case.there.host.set_clone_rate(4 * MIB)
        tells_why(overtaken(case, 1, clones))


def test_a_run_that_was_stopped_when_its_work_was_done_harms_nothing(tmp_path: Path) -> None:
    with image_case(tmp_path, "5.5", "absent") as case:
        overtaken(case, HELD + 1)


def test_a_run_that_finds_another_one_at_its_work_fails_and_says_why(tmp_path: Path) -> None:
    """The clone that it began goes on on the host, and is the other one's now."""
    with image_case(tmp_path, "4.1", "clone") as case:
        host = case.there.host
        host.set_clone_rate(1 * MIB)
        first, second = hasty(case, "first"), hasty(case, "second")
        at_command(host, 1, partial(first.signal, signal.SIGSTOP), clones)
        first.start().until_stopped()
        before = owners(case)
        second.start()
        try:
            while owners(case) in (before, []):
                threading.Event().wait(0.02)
        finally:
            first.signal(signal.SIGCONT)
            ended, other = first.end(), second.end()
        assert ended.status == 1, ended.said
        tells_why(ended.said)
        assert other.status == 0, other.said
        whole(case)
        assert sum(it.argv[:2] == ("vmkfstools", "-i") for it in host.executed) == 1


@pytest.mark.parametrize("count", range(1, ABSENT + 1))
def test_killed_at_any_operation_on_a_lock(count: int, tmp_path: Path) -> None:
    """The command in which it happens runs to its end on the host. What can be left is a lock that is dead, and only
    when nothing else was to be done any more: the next step on that volume clears it."""
    with image_case(tmp_path, "6.7", "absent") as case:
        there = case.there
        run = program(there, "--yes")
        at_command(there.host, count, run.kill)
        assert run.start().end().status == -signal.SIGKILL
        case.heals()
        assert there.host.files.names(DISK) in ([], [LOCK] if count == LAST_WORK else [])
        put_on(there, DISK, WIN)
        assert there.run().status is Status.CONVERGED
        assert there.host.files.names(DISK) == []
