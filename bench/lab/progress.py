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

    See `publish`.
    """
    given = arguments(about, rounds).parse_args()
    return publish(given, lambda: work(given.small, rounds_of(given)))


def arguments(about: str | None, rounds: int) -> argparse.ArgumentParser:
    """What every program may be told; `rounds` is the default of a run that is not small."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--small", action="store_true", help="few hosts, one round: whether it still works")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"runs of which the median counts; default {rounds}"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the tables to this file too")
    parser.set_defaults(usual=rounds)
    return parser


def rounds_of(given: argparse.Namespace) -> int:
    """How many rounds are wanted."""
    rounds: int = given.rounds or (1 if given.small else given.usual)
    return rounds


def publish(given: argparse.Namespace, work: Callable[[], str]) -> int:
    """Print the tables that `work` gives, and write them to the file that is asked for, with what machine it was.

    The exit status is 1 only when nothing could be measured.
    """
    os.environ["NO_COLOR"] = "1"
    # what pip installs, the others too, has its bytecode beside it: a checkout has it after the first run
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        text = work()
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
