"""What a program of the bench is told, and how it says what it is doing and what came out."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.lab.processes import RunFailed


def note(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def main(about: str | None, work: Callable[[bool, int], str], *, rounds: int) -> int:
    """The `main` of a program: `work` is told whether a small run is wanted and how many rounds, and gives the tables.

    They go to standard output and, with --out, to a file. The exit status is 1 only when nothing could be measured.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--small", action="store_true", help="few hosts and one round: does it still work?")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"runs of each, of which the median counts; default {rounds}"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the tables to this file too")
    given = parser.parse_args()
    os.environ["NO_COLOR"] = "1"
    try:
        text = work(given.small, given.rounds or (1 if given.small else rounds))
    except RunFailed as failure:
        note(str(failure))
        return 1
    print(text, flush=True)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(f"{text}\n{machine()}\n")
    return 0


def machine() -> str:
    """What has to be known to read the figures: processors, system, versions."""
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr.strip()
    return (
        f"{len(os.sched_getaffinity(0))} processors ({platform.machine()}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {ssh}"
    )
