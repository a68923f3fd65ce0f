"""Ctrl-C and SIGTERM on the real program: the step in hand is ended, what is owed is saved, nothing is half done."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import pytest

from reconciler.simulator.faults import Fault
from tests.faults.conftest import Moments, Tally
from tests.faults.healing import drifted, heals, lasting, let_in_again, program
from tests.faults.program import Program, at_command

INTERRUPTED = 130
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])


def test_the_first_signal_ends_after_the_step_in_hand_and_saves(
    tmp_path: Path, moments: Moments, tally: Tally
) -> None:
    for count in moments.of(tmp_path / "undisturbed"):
        tally("interrupts")
        with drifted(tmp_path / str(count), moments.version, exclusive=moments.exclusive) as there:
            run = program(there, "--yes")
            at_command(there.host, count, partial(run.signal, signal.SIGINT))
            ended = run.start().end()
            assert ended.status == INTERRUPTED, ended.said
            assert b"ending after the step in hand" in ended.err
            assert "Traceback" not in ended.said
            assert not there.host.files.exists("/var/run/reconciler-owed"), count
            done = lasting(there)
            there.host.reboot(power_loss=True)
            assert lasting(there) == done, count
            let_in_again(there)
            heals(there, exclusive=moments.exclusive)


@BOTH
def test_the_second_signal_cuts(tmp_path: Path, number: signal.Signals) -> None:
    with drifted(tmp_path / "esx", "6.7") as there:
        run = program(there, "--yes")

        def interrupt_and_crawl() -> None:
            there.host._host.faults.put(Fault("slow", seconds=1.0))
            run.signal(number)

        at_command(there.host, 5, interrupt_and_crawl)
        run.start().until("ending after the step in hand")
        _cut(run, number)
        heals(there)


@BOTH
def test_while_hostd_is_waited_for(tmp_path: Path, number: signal.Signals) -> None:
    with drifted(tmp_path / "esx", "6.7") as there:
        there.host.fault("hostd-down", seconds=3600)
        run = program(there, "--yes").start()
        run.until("waiting")
        run.signal(number)
        ended = run.end()
        assert ended.status == INTERRUPTED, ended.said
        assert "Traceback" not in ended.said
        heals(there)


def test_while_a_host_says_nothing(tmp_path: Path) -> None:
    with drifted(tmp_path / "esx", "6.7") as there:
        there.host.fault("hang")
        run = program(there, "--yes", "--log-level", "debug").start()
        run.until("connecting to")
        run.signal(signal.SIGINT)
        run.until("ending after the step in hand")
        _cut(run, signal.SIGTERM)
        heals(there)


def _cut(run: Program, number: signal.Signals) -> None:
    run.signal(number)
    ended = run.end()
    assert ended.status == INTERRUPTED, ended.said
    assert "Traceback" not in ended.said
