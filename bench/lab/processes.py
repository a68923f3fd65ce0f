"""What processes use, by the operating system's own accounting: wait4(2) and proc(5)."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.lab.figures import Cost

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.05


class RunFailed(Exception):
    """A program ended as it should not have; what it said is in the message."""


def run(
    command: Sequence[str], hosts: Callable[[], float] = lambda: 0.0, given: Mapping[str, str] | None = None
) -> Cost:
    """Run a program; what it and all children that it waited for cost.

    `hosts` tells the CPU seconds of the simulated hosts so far; `given` is added to the environment. Output goes to a
    file, so that nobody has to read along. Raises RunFailed when it does not end with status 0.
    """
    with tempfile.TemporaryFile() as said, open(os.devnull, "rb") as nothing:
        theirs, began = hosts(), time.monotonic()
        process = subprocess.Popen(
            command, stdin=nothing, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, **(given or {})}
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            text = said.read().decode("utf-8", "replace")[-2000:]
            raise RunFailed(f"{command[0]} ended with status {process.returncode}:\n{text}")
    return Cost(wall, used.ru_utime + used.ru_stime, hosts() - theirs, used.ru_maxrss * 1024)


def tree(pid: int) -> Iterator[int]:
    """The process and its children, and theirs."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))


def cpu(pid: int) -> float:
    """CPU seconds that a process tree has used so far, with those of children that have ended and were waited for."""
    return sum(_ticks(each) for each in tree(pid)) / TICKS


def _ticks(pid: int) -> int:
    with suppress(OSError):
        # the fields after the name: utime, stime, cutime, cstime are the 14th to 17th of all
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return 0


def peak(pid: int) -> int:
    """The most memory in bytes that a running process has had (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


@contextmanager
def whole_peak() -> Iterator[Callable[[], int]]:
    """The most memory in bytes of all our children together, looked at every 50 ms: what processes share is counted
    once (Pss). That costs time, so it is no run for the clock."""
    most, ended = [0], threading.Event()
    before = set(tree(os.getpid()))

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            now = sum(_share(each) for each in set(tree(os.getpid())) - before)
            most[0] = max(most[0], now)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        ended.set()
        thread.join()


def _share(pid: int) -> int:
    """Bytes, with a fair share of what it shares with others."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
