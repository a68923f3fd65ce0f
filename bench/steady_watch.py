"""The loop in its steady state: CPU per host and pass over connections that rested, beside a pass that opens them anew.

    python -m bench.steady_watch [--small] [--rounds N] [--out FILE]

One `reconcile watch`. SIGHUP has it log in anew everywhere: the passes of the time after it are cold. Those of the two
intervals that follow are warm; what the loop uses while it waits is in both, second for second. Passes are counted by its
metrics, which are asked for between the times that are measured.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.lab import processes
from bench.lab.figures import mebibytes, milliseconds, ratio, table
from bench.lab.hosts import Hosts, simulated
from bench.lab.progress import main, note
from statistics import median

HOSTS, INTERVAL = 200, 30
FEW, SHORT = 4, 4
UP_SECONDS = 60
PASSES = re.compile(r'^reconciler_passes_total\{.*status="in-sync"\} ([0-9.e+]+)$', re.MULTILINE)


@dataclass(frozen=True)
class Time:
    """Some seconds of the loop: its CPU in them, and the passes that ended."""

    cpu: float
    passes: float

    @property
    def each(self) -> float:
        """CPU seconds for a pass."""
        return self.cpu / self.passes


def tables(small: bool, rounds: int) -> str:
    count, interval = (FEW, SHORT) if small else (HOSTS, INTERVAL)
    cold, warm = [], []
    with simulated(count) as hosts, _loop(hosts, interval) as (pid, metrics):
        for number in range(1, rounds + 1):
            _signal_and_wait = None
            cold.append(_measured(pid, metrics, 0.8 * interval, hurry=True))
            warm.append(_measured(pid, metrics, 2 * interval))
            note(
                f"round {number} of {rounds}: {cold[-1].passes:.0f} cold passes, {milliseconds(cold[-1].each)} each, "
                f"{warm[-1].passes:.0f} warm ones, {milliseconds(warm[-1].each)}"
            )
        memory = processes.peak(pid)
    anew, rested = (median(it.each for it in times) for times in (cold, warm))
    rows = [("cold", milliseconds(anew), ""), ("warm", milliseconds(rested), ratio(rested, anew))]
    title = f"### `watch` over {count} hosts in sync, no latency, an interval of {interval} s; medians of {rounds}\n"
    return "\n".join(
        (
            title,
            table(("", "CPU a host and pass", "warm / cold (goal: at most 0.33)"), rows),
            f"Peak memory of the loop: {mebibytes(memory)}.\n",
        )
    )


