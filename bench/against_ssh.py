"""A dry run over 200 hosts in sync, cold, beside one `ssh` process a host with one exec of the very same reads.

    python -m bench.against_ssh [--small] [--rounds N] [--out FILE]

Without latency and with a round trip of 50 ms. A bare paramiko client shows what is left to save.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from bench.lab import others
from bench.lab.contest import Contestant, Result, compared, contest
from bench.lab.figures import ratio, table
from bench.lab.hosts import simulated
from bench.lab.progress import main

HOSTS, LATENCIES = 200, (0, 50)


def tables(small: bool, rounds: int) -> str:
    return "\n".join(_tables(9 if small else HOSTS, rounds))


def _tables(count: int, rounds: int) -> Iterator[str]:
    reached = []
    for latency in LATENCIES:
        with simulated(count, latency) as hosts:
            contestants = {
                "reconcile": Contestant(hosts.dry_run()),
                others.SSH: others.openssh(hosts),
                "bare paramiko": others.bare_paramiko(hosts),
            }
            results = contest(contestants, hosts, rounds)
        where = f"a round trip of {latency} ms" if latency else "no latency"
        yield f"### {count} hosts in sync, cold dry run, {where}; medians of {rounds}\n"
        yield compared(results, count, others.SSH)
        reached += _reached(results, where)
    yield table(("against ssh", "goal", "measured"), reached)


def _reached(results: dict[str, Result], where: str) -> list[tuple[str, str, str]]:
    ours, ssh = results["reconcile"].cost, results[others.SSH].cost
    return [
        (f"wall, {where}", "at most 1", ratio(ours.wall, ssh.wall)),
        (f"client CPU, {where}", "at most 1", ratio(ours.cpu, ssh.cpu)),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, tables, rounds=5))
