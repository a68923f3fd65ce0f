"""SIGKILL at any moment of the real program: a fresh pass heals, nothing is lost and nothing done twice."""

from __future__ import annotations

import random
import signal
import threading
from pathlib import Path

from tests.faults.conftest import Moments, Tally
from tests.faults.healing import drifted, heals, program
from tests.faults.kept import told_is_kept
from tests.faults.program import at_command
from tests.live.passes.world import VERSIONS

RUNS = 8


def test_killed_after_any_command(tmp_path: Path, moments: Moments, tally: Tally) -> None:
    for count in moments.of(tmp_path / "undisturbed"):
        tally("kills")
        with drifted(tmp_path / str(count), moments.version, exclusive=moments.exclusive) as there:
            run = program(there, "--yes", "--log-level", "debug")
            at_command(there.host, count, run.kill)
            ended = run.start().end()
            assert ended.status == -signal.SIGKILL, count
            told_is_kept(there, ended.said)
            heals(there, exclusive=moments.exclusive)


def test_killed_again_and_again_at_any_time(tmp_path: Path, seed: int, tally: Tally) -> None:
    chance = random.Random(seed)
    exclusive = chance.random() < 0.5
    with drifted(tmp_path / "esx", chance.choice(VERSIONS), exclusive=exclusive) as there:
        there.host.fault("slow", seconds=0.001)
        for _ in range(RUNS):
            run = program(there, "--yes").start()
            timer = threading.Timer(chance.uniform(0.2, 2.5), run.kill)
            timer.start()
            ended = run.end()
            timer.cancel()
            if ended.status == 0:
                break
            assert ended.status == -signal.SIGKILL, ended.said
            tally("kills")
        heals(there, exclusive=exclusive)
