"""`SPEC STATE SEED MOMENTS`: a loop that is killed and started again and again, each time in its first pass.

Each life ends after up to MOMENTS seconds, without warning, as by SIGKILL; with 0 within its first login.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path
from threading import Event
from typing import Any

from reconciler.desired import load
from reconciler.fleet import Fleet, Options
from reconciler.state.refusals import Refusals
from reconciler.transports import login, ssh

LIVES = 30


def live(spec: Path, state: Path) -> None:
    """One life: it goes on to its end when nothing strikes."""
    hosts = load([spec]).hosts
    refusals = Refusals(state / "refusals.json", print)
    options = Options(False, None, (), 1, state)
    fleet = Fleet(hosts, options, lambda event: None, Event(), refusals=refusals, idle=600.0)
    fleet.pass_over(hosts[0])


def die_in_the_login() -> None:
    """The host has answered; nobody has heard of it yet."""
    log_in = login.log_in

    def struck(*args: Any) -> object:
        try:
            return log_in(*args)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(ssh, "log_in", struck)  # noqa: B010 - it is where the session has it from


def main(spec: Path, state: Path, seed: int, moments: float) -> None:
    chance = random.Random(seed)
    for _ in range(LIVES if moments else 1):
        child = os.fork()
        if not child:
            if moments:
                # nobody handles that signal: it ends the process at once
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.001, moments))
            else:
                die_in_the_login()
            live(spec, state)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
