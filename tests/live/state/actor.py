"""A process of its own that works with a state folder: `python -m tests.live.state.actor WHAT FOLDER [ARGUMENT]`.

It says on standard output what it has come to, a word on a line, and goes on when it reads a line.
"""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from reconciler.report import HostReport, Outcome, Status, StepReport
from reconciler.state import history as module
from reconciler.state.files import read_json, write_json
from reconciler.state.folder import StateFolder
from reconciler.state.history import History
from reconciler.state.trouble import StateTrouble
from tests.unit.render import reports

KEEP = timedelta(days=90)
PLENTY = 1 << 40


def step(name: str) -> StepReport:
    """A step that is done on a resource of that name."""
    return replace(reports.case("applied").hosts[1].steps[0], resource=name, outcome=Outcome.DONE)


def a_host(name: str, status: Status) -> HostReport:
    """A host of that name and status after a pass that did nothing."""
    return replace(reports.case("healthy").hosts[0], name=name, status=status)


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def loop(folder: Path, argument: str) -> None:
    """Be the one loop, with a child that outlives it when `argument` says how to start one."""
    state = StateFolder(folder)
    state.open()
    try:
        with state.only_loop():
            if argument:
                say(subprocess.Popen(["sleep", argument], stdout=subprocess.DEVNULL).pid)
            say("loop")
            sys.stdin.readline()
    except StateTrouble as trouble:
        say(trouble)


def turn(folder: Path, argument: str) -> None:
    """Have the turn on the host `argument`."""
    state = StateFolder(folder)
    state.open()
    with state.turn(argument, lambda: False, lambda: say("waiting")) as had:
        say(f"had {had}")
        sys.stdin.readline()


def steps(folder: Path, argument: str) -> None:
    """Write steps without end, or `argument` of them, and say each that is written."""
    history = History(folder / "history.db", KEEP, say)
    journal = history.journal(None)
    for number in itertools.count() if not argument else range(int(argument)):
        journal.step("esx", step(f"image/{number}"), 1.0, None)
        say(number)
    history.close()


def full(folder: Path, argument: str) -> None:
    """Write steps on a disk that fills up, and is made room on when a line comes."""
    module.AGAIN_SECONDS = 0.0
    history = History(folder / "history.db", KEEP, say)
    journal = history.journal("abc")
    journal.step("esx", step("image/0"), 1.0, None)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 * 1024, PLENTY))
    for number in range(1, 100):
        journal.step("esx", step(f"image/{number}"), 1.0, None)
    say(f"trouble {history.trouble is not None} unwritten {history.unwritten > 0} lost {history.lost}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (PLENTY, PLENTY))
    limit = time.monotonic() + 30
    while history.unwritten and time.monotonic() < limit:
        history.passed(reports.case("healthy").hosts[0], "abc")
    say(f"trouble {history.trouble is not None} unwritten {history.unwritten} lost {history.lost}")
    history.close()


def full_file(folder: Path, argument: str) -> None:
    """Change a small file on a full disk."""
    path = folder / "guard.json"
    write_json(path, {"was": True})
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, PLENTY))
    try:
        write_json(path, ["x" * 100_000])
    except StateTrouble as trouble:
        say(trouble)
    say(read_json(path, say))


ROLES: dict[str, Callable[[Path, str], None]] = {
    "loop": loop,
    "turn": turn,
    "steps": steps,
    "full": full,
    "full_file": full_file,
}

if __name__ == "__main__":
    ROLES[sys.argv[1]](Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
