"""A dry run over 40 hosts in sync, cold, beside Ansible (`raw`, 50 forks, pipelining) and pyinfra (parallel 50).

    python -m bench.against_ansible_pyinfra [--small] [--rounds N] [--out FILE]

They do the very same reads, with `raw` and `server.shell`. They come from PyPI into environments below build/bench; one
that can't be installed is left out.
"""

from __future__ import annotations

import sys

from bench.lab import others
from bench.lab.contest import Contestant, compared, contest
from bench.lab.environments import environments
from bench.lab.figures import ratio, table
from bench.lab.hosts import simulated
from bench.lab.progress import main

HOSTS = 40
GOALS = {"Ansible": "at least 5", "pyinfra": "at least 2"}


def tables(small: bool, rounds: int) -> str:
    count, there = 3 if small else HOSTS, environments(("ansible", "pyinfra"))
    with simulated(count) as hosts:
        contestants = {"reconcile": Contestant(hosts.dry_run()), others.SSH: others.openssh(hosts)}
        if "ansible" in there:
            contestants["Ansible"] = others.ansible(hosts, there["ansible"])
        if "pyinfra" in there:
            contestants["pyinfra"] = others.pyinfra(hosts, there["pyinfra"])
        results = contest(contestants, hosts, rounds)
    ours, ssh = results["reconcile"].cost.wall, results[others.SSH].cost.wall
    reached = [("ssh, and", "at most 0.7 s more", f"{ours - ssh:+.2f} s")]
    for name, goal in GOALS.items():
        measured = (
            f"{ratio(results[name].cost.wall, ours)} times" if name in results else "left out: not installed"
        )
        reached.append((f"{name}, as fast", f"{goal} times", measured))
    title = f"### {count} hosts in sync, cold dry run, no latency; medians of {rounds}\n"
    return "\n".join(
        (title, compared(results, count, "reconcile"), table(("wall against", "goal", "measured"), reached))
    )


if __name__ == "__main__":
    sys.exit(main(__doc__, tables, rounds=5))
