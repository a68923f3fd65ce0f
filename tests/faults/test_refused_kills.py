"""A loop that is killed and started again all the time must not lock root: ESXi does so after 5 failures."""

from __future__ import annotations

import random
from pathlib import Path
from threading import Event

import pytest

from reconciler.desired import load
from reconciler.fleet import Fleet, Options
from reconciler.report import HostReport, Status
from reconciler.state.refusals import UNCLEAR_MAX, Refusals
from tests.faults.conftest import Tally
from tests.faults.hasty_restarts import LIVES
from tests.faults.program import Program
from tests.live.passes.world import World, world

WRONG = "not-it"


def restarts(there: World, password: str, seed: int, moments: float) -> None:
    """Many lives of a loop, each cut short; with 0 one that ends in its login."""
    (there.folder / "state").mkdir(exist_ok=True)
    secret = there.folder / "secret"
    if not secret.exists():
        secret.write_text(password)
    there.spec["access"] = {"ssh": {"key": None, "password": {"file": str(secret)}}}
    arguments = (str(there.write()), str(there.folder / "state"), str(seed), str(moments))
    ended = Program(there.folder, arguments, module="tests.faults.hasty_restarts").start().end()
    assert ended.status == 0, ended.said


def last_life(there: World) -> HostReport:
    state = there.folder / "state"
    hosts = load([there.folder / "host.yaml"]).hosts
    gate = Refusals(state / "refusals.json", pytest.fail)
    fleet = Fleet(
        hosts, Options(True, None, (), 1, state), there.events.append, Event(), refusals=gate, idle=60.0
    )
    try:
        return fleet.pass_over(hosts[0])
    finally:
        fleet.close()


def test_a_host_that_refuses_sees_few_tries_however_often_the_loop_is_killed(
    tmp_path: Path, seed: int, tally: Tally
) -> None:
    moments = random.Random(seed).choice([0.1, 0.2, 0.4])
    with world(tmp_path, "6.7", {"ssh": {"enabled": True}}) as there:
        restarts(there, WRONG, seed, moments)
        assert last_life(there).fault is not None
        failures = [method for method, right in there.host.logins if not right]
        assert 1 <= len(failures) <= UNCLEAR_MAX < 5
        for _ in range(LIVES):
            tally("kills of a login")


def test_a_loop_that_died_in_a_login_logs_in_again_at_once(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {"ssh": {"enabled": True}}) as there:
        restarts(there, "VMware1!", 0, 0)
        assert last_life(there).status is Status.IN_SYNC
        assert [right for _, right in there.host.logins] == [True, True]


def test_a_loop_that_always_dies_when_it_was_refused_is_stopped_in_time(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {"ssh": {"enabled": True}}) as there:
        for _ in range(UNCLEAR_MAX + 2):
            restarts(there, WRONG, 0, 0)
        report = last_life(there)
        assert report.fault is not None
        assert "ended in an unknown way" in report.fault.message
        assert len(there.host.logins) == UNCLEAR_MAX
