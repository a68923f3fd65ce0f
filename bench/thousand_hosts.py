"""1,000 hosts with a round trip of 50 ms: a cold dry run with default settings.

python -m bench.thousand_hosts [--small] [--rounds N] [--out FILE]
"""

from __future__ import annotations

import sys

from bench.lab.contest import Contestant, contest
from bench.lab.figures import COLUMNS, cells, mebibytes, seconds, table
from bench.lab.hosts import simulated
from bench.lab.progress import main

HOSTS, LATENCY = 1000, 50
NAME = "reconcile"


def tables(small: bool, rounds: int) -> str:
    count = 20 if small else HOSTS
    with simulated(count, LATENCY) as hosts:
        cost = contest({NAME: Contestant(hosts.dry_run())}, hosts, rounds)[NAME].cost
        theirs = mebibytes(hosts.peak())
    title = f"### {count} hosts in sync, cold dry run, a round trip of {LATENCY} ms; medians of {rounds}\n"
    goals = [
        ("wall", "under 60 s", seconds(cost.wall)),
        ("peak memory", "under 400 MiB", mebibytes(cost.peak)),
        ("peak memory of the simulated hosts", "under 2048 MiB", theirs),
    ]
    return "\n".join(
        (
            title,
            table(("", *COLUMNS), [(NAME, *cells(cost, count))]),
            table(("of them", "goal", "measured"), goals),
        )
    )


if __name__ == "__main__":
    sys.exit(main(__doc__, tables, rounds=3))
