"""Open files: each simulated host has ports that listen, and a connection for each client of it."""

from __future__ import annotations

import resource
from contextlib import suppress

from reconciler.simulator.errors import SimulatorError

SPARE = 200
PLENTY = 65536


def raise_open_files(hosts: int, ports: int) -> None:
    """Make the soft limit wide enough for `hosts` with `ports` each and a connection to each of them.

    Raises SimulatorError where the hard limit forbids that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = hosts * ports * 2 + SPARE
    wanted = max(needed, PLENTY)
    if hard != resource.RLIM_INFINITY:
        wanted = min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft != resource.RLIM_INFINITY and soft < needed:
        raise SimulatorError(
            f"{hosts} simulated hosts need {needed} open files, and {soft} are allowed (raise the limit with "
            f"`ulimit -n {needed}`, or simulate fewer hosts)"
        )
