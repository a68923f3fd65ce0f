"""The loop in its steady state: CPU per host and pass over connections that rested, beside passes that log in anew.

    python -m bench.steady_watch [--small] [--rounds N] [--out FILE]

One `reconcile watch`. SIGHUP has it log in anew everywhere: the passes of the time after it are cold. Those of the two
intervals that follow are warm. What the loop uses while it waits is in both, second for second. Passes are counted by
its metrics, which are asked for between the times that are measured.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import IO

from bench.lab import processes
from bench.lab.figures import mebibytes, milliseconds, ratio, table
from bench.lab.hosts import Hosts, simulated
from bench.lab.progress import main, note

HOSTS, INTERVAL = 200, 30
FEW, SHORT = 4, 3
UP_SECONDS, DOWN_SECONDS = 120, 60
PASSES = re.compile(r'^reconciler_passes_total\{.*status="in-sync".*\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Passes:
    """How many passes ended in some time, and the CPU seconds of the loop for one."""

    number: float
    each: float


class Loop:
    """A `reconcile watch` that runs."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self._port = pid, port

    def passes(self) -> float:
        """How many have ended so far. Raises OSError while the port is not open."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=30) as answer:
            return sum(map(float, PASSES.findall(answer.read().decode())))

    def measured(self, seconds: float, *, anew: bool = False) -> Passes:
        """What it does in so many seconds. With `anew` it logs in again everywhere, at once."""
        before = self.passes()
        cpu = processes.cpu(self.pid)
        if anew:
            os.kill(self.pid, signal.SIGHUP)
        time.sleep(seconds)
        cpu, number = processes.cpu(self.pid) - cpu, self.passes() - before
        if not number:
            raise processes.RunFailed(f"no pass of the loop ended in {seconds:.0f} s")
        return Passes(number, cpu / number)


def tables(small: bool, rounds: int) -> str:
    count, interval = (FEW, SHORT) if small else (HOSTS, INTERVAL)
    cold, warm = [], []
    with simulated(count) as hosts, _loop(hosts, interval) as loop:
        for number in range(1, rounds + 1):
            cold.append(loop.measured(0.8 * interval, anew=True))
            warm.append(loop.measured(2 * interval))
            note(f"round {number} of {rounds}: {_said(cold[-1])} cold, {_said(warm[-1])} warm")
        memory = processes.peak(loop.pid)
    anew, rested = (median(it.each for it in times) for times in (cold, warm))
    rows = [("cold", milliseconds(anew), ""), ("warm", milliseconds(rested), ratio(rested, anew))]
    title = f"### `watch` over {count} hosts in sync, no latency, an interval of {interval} s; medians of {rounds}\n"
    head = ("passes", "CPU a host and pass", "of the cold one (goal: at most 0.33)")
    return "\n".join((title, table(head, rows), f"Peak memory of the loop: {mebibytes(memory)}.\n"))


def _said(passes: Passes) -> str:
    return f"{passes.number:.0f} passes of {milliseconds(passes.each)}"


@contextmanager
def _loop(hosts: Hosts, interval: int) -> Iterator[Loop]:
    """The loop, once it has passed over every host."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [
        "--interval",
        f"{interval}s",
        "--listen",
        f"127.0.0.1:{port}",
        "--state-dir",
        str(hosts.folder / "loop"),
    ]
    command = [sys.executable, "-m", "reconciler", "watch", "-f", str(hosts.specs), *options]
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            loop = Loop(process.pid, port)
            _wait_for_first_passes(process, loop, len(list(hosts.specs.glob("esx-*.yaml"))), said)
            yield loop
        finally:
            process.terminate()
            process.wait(DOWN_SECONDS)


def _wait_for_first_passes(process: subprocess.Popen[bytes], loop: Loop, count: int, said: IO[bytes]) -> None:
    end = time.monotonic() + UP_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if loop.passes() >= count:
                return
        except OSError:
            pass
        time.sleep(0.5)
    said.seek(0)
    text = said.read().decode("utf-8", "replace")[-2000:]
    raise processes.RunFailed(f"the loop has not passed over every host within {UP_SECONDS} s:\n{text}")


if __name__ == "__main__":
    sys.exit(main(__doc__, tables, rounds=3))
