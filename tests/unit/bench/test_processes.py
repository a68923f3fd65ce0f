"""What the bench reads from the operating system: of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.lab import processes

BURN = "import time\nwhile time.process_time() < 0.2: pass"
HOLD = "room = bytearray(b'x') * (50 << 20); print(flush=True); input()"


@pytest.fixture
def grandchild() -> Iterator[int]:
    """The pid of a shell whose child holds 50 MiB until its input ends."""
    command = ["sh", "-c", f'"{sys.executable}" -c "{HOLD}"; true']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid


def test_the_cpu_of_children_that_were_waited_for_is_counted() -> None:
    cost = processes.run(["sh", "-c", f'"{sys.executable}" -c "{BURN}"; true'])
    assert cost.cpu >= 0.2
    assert cost.wall >= 0.2
    assert cost.peak > 1 << 20


def test_the_environment_is_ours_and_what_is_given() -> None:
    processes.run(["sh", "-c", '[ "$BENCHED" = yes ] && [ -n "$PATH" ]'], given={"BENCHED": "yes"})


def test_the_cpu_of_the_hosts_is_that_of_the_time_of_the_run() -> None:
    readings = iter([10.0, 12.5])
    assert processes.run(["true"], lambda: next(readings)).hosts == 2.5


def test_a_program_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(processes.RunFailed, match="sh ended with status 3:\nthe reason"):
        processes.run(["sh", "-c", "echo the reason >&2; exit 3"])


def test_a_tree_has_grandchildren_and_their_cpu(grandchild: int) -> None:
    assert len(list(processes.tree(grandchild))) == 2
    assert processes.cpu(grandchild) > 0


def test_a_process_that_is_gone_has_used_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert processes.cpu(process.pid) == 0


def test_the_memory_of_all_children_together_is_that_of_the_largest_moment() -> None:
    keep = f'"{sys.executable}" -c "import time; room = bytearray(b\'x\') * (30 << 20); time.sleep(0.5)"'
    with processes.whole_peak() as peak:
        processes.run(["sh", "-c", f"{keep} & {keep} & wait"])
    assert peak() > 60 << 20


def test_the_peak_of_a_running_process() -> None:
    assert processes.peak(os.getpid()) > 1 << 20
