"""The start: what `reconcile --help` and `validate` of one host cost, and which heavy libraries they load.

python -m bench.start [--small] [--rounds N] [--out FILE]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.lab.contest import Contestant
from bench.lab.figures import Cost, mebibytes, median, seconds, table
from bench.lab.hosts import RECONCILE
from bench.lab.processes import run
from bench.lab.progress import main

HEAVY = (
    "apprise", "asyncssh", "cryptography", "jinja2", "paramiko", "prometheus_client", "pydantic", "pyVmomi",
    "rich", "sqlite3", "waitress", "watchfiles",
)  # fmt: skip
SPEC = """\
apiVersion: reconciler/v1
kind: Host
metadata: {name: esx}
spec:
  address: esx.example.org
  access: {ssh: {user: root, key: /etc/vcl/vcl.key}}
  workingDirectory: "[datastore1] ${name}"
"""
GOALS = {"--help": "under 0.25 s", "validate": "under 0.4 s"}


def tables(small: bool, rounds: int) -> str:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        spec = Path(name) / "esx.yaml"
        spec.write_text(SPEC)
        contestants = {
            "python -c pass": Contestant([sys.executable, "-c", "pass"]),
            "--help": Contestant([*RECONCILE, "--help"]),
            "validate": Contestant([*RECONCILE, "validate", "-f", str(spec)]),
        }
        costs = {name: list[Cost]() for name in contestants}
        for number in range(rounds + 1):
            for name, it in contestants.items():
                cost = run(it.command)
                # the first run only warms up
                costs[name] += [cost] if number else []
        rows = [_row(name, median(costs[name]), _heavy([*it.command])) for name, it in contestants.items()]
    head = ("", "CPU", "goal", "wall", "peak memory", "heavy libraries")
    return f"### Start; medians of {rounds}\n\n" + table(head, rows)


def _row(name: str, cost: Cost, heavy: list[str]) -> tuple[str, ...]:
    loaded = ", ".join(heavy) or "none"
    return (name, seconds(cost.cpu), GOALS.get(name, ""), seconds(cost.wall), mebibytes(cost.peak), loaded)


def _heavy(command: list[str]) -> list[str]:
    """Which heavy libraries the program loads (python -X importtime)."""
    python, *arguments = command
    said = subprocess.run(
        [python, "-X", "importtime", *arguments], capture_output=True, text=True, check=True
    )
    names = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines()}
    return [name for name in HEAVY if name in names]


if __name__ == "__main__":
    sys.exit(main(__doc__, tables, rounds=9))
