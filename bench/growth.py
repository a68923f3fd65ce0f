"""Growth from 100 to 1,000 hosts in sync: wall time, CPU and memory of a cold dry run, and straight lines through them.

    python -m bench.growth [--small] [--rounds N] [--out FILE]

The hosts are always the same ones; of their specs so many are given to `reconcile`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.lab.contest import Contestant, Result, contest
from bench.lab.figures import COLUMNS, MIB, cells, fit, table
from bench.lab.hosts import Hosts, simulated
from bench.lab.progress import main

COUNTS, FEW = (100, 250, 500, 1000), (2, 8)


def tables(small: bool, rounds: int) -> str:
    counts = FEW if small else COUNTS
    with simulated(counts[-1]) as hosts:
        contestants = {
            f"{count} hosts": Contestant(hosts.dry_run(_some_specs(hosts, count))) for count in counts
        }
        results = list(contest(contestants, hosts, rounds).values())
    rows = [(f"{count}", *cells(it.cost, count)) for count, it in zip(counts, results, strict=True)]
    return "\n".join(
        (
            f"### Growth: cold dry run, no latency; medians of {rounds}\n",
            table(("hosts", *COLUMNS), rows),
            table(
                ("fit (goal: linear)", "at the start", "for a host", "R²", "exponent"), _fits(counts, results)
            ),
        )
    )


def _some_specs(hosts: Hosts, count: int) -> Path:
    """A folder beside the specs with those of the first hosts, and their profile."""
    folder = hosts.folder / f"specs-{count}"
    folder.mkdir()
    files = sorted(hosts.specs.glob("esx-*.yaml"), key=lambda file: int(file.stem.rpartition("-")[2]))
    for file in (hosts.specs / "lab.yaml", *files[:count]):
        (folder / file.name).write_text(file.read_text())
    return folder


def _fits(counts: Sequence[int], results: Sequence[Result]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for what, values, base, slope in (
        ("wall", [it.cost.wall for it in results], "{:.2f} s", "{:.4f} s"),
        ("CPU", [it.cost.cpu for it in results], "{:.2f} s", "{:.4f} s"),
        ("peak memory", [it.cost.peak / MIB for it in results], "{:.0f} MiB", "{:.3f} MiB"),
    ):
        line = fit(counts, values)
        figures = (f"{line.r2:.4f}", f"{line.exponent:.2f}")
        rows.append((what, base.format(line.base), slope.format(line.slope), *figures))
    return rows


if __name__ == "__main__":
    sys.exit(main(__doc__, tables, rounds=3))
