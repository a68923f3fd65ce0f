"""Passes of one fleet again and again: sessions are kept warm between them, and never hide what is true."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import paramiko
import pytest

from reconciler import plan as plans
from reconciler.desired import load
from reconciler.fleet import Fleet, Options
from reconciler.report import HostReport, Status
from tests.live.passes.world import World, full_spec, world

LAB: dict[str, Any] = {"portGroups": {"Lab": {"vswitch": "vSwitch0", "vlan": 10}}}
ONLY_SDK = {"prefer": "sdk"}
PROBE = "DeleteDatastoreFile_Task"


class Again:
    """One fleet, and pass after pass over its host with the spec of now."""

    def __init__(self, there: World, idle: float) -> None:
        self.there = there
        options = Options(False, None, (), 50, there.folder / "state")
        self.fleet = Fleet([], options, there.events.append, threading.Event(), idle=idle)
        self._spec: dict[str, Any] | None = None

    def over(self) -> HostReport:
        if self._spec != self.there.spec:
            self._spec = deepcopy(self.there.spec)
            self.hosts = load([self.there.write()]).hosts
            self.fleet.know(self.hosts)
        return self.fleet.pass_over(self.hosts[0])

    def settled(self) -> None:
        """Two passes: what is to be done is done, and found in order; then the host's record begins anew."""
        assert self.over().status in (Status.CONVERGED, Status.IN_SYNC)
        assert self.over().status is Status.IN_SYNC
        self.there.host.forget()

    @property
    def logins(self) -> int:
        return len(self.there.host.logins)


@contextmanager
def again(there: World, idle: float = 600.0) -> Iterator[Again]:
    passes = Again(there, idle)
    try:
        yield passes
    finally:
        passes.fleet.close()


@pytest.mark.parametrize("version", ["4.1", "6.7", "8.0"])
def test_a_host_in_sync_is_looked_at_in_one_exec_over_one_connection(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}) as there, again(there) as passes:
        there.spec = full_spec(there.keys)
        passes.settled()
        for number in range(1, 6):
            assert passes.over().status is Status.IN_SYNC
            assert (there.host.execs, there.host.logins) == (number, [])


def test_what_was_likely_decides_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there, again(there) as passes:
        there.spec = full_spec(there.keys)
        passes.settled()
        there.host.fault("nfs-down")
        over_warm = passes.over()
        assert (over_warm.status, over_warm.unknown) == ((cold := there.look()).status, cold.unknown)
        there.host.clear_faults()
        there.host.unmount_nfs("vms")
        assert passes.over().status is Status.CONVERGED


@pytest.mark.parametrize("version", ["4.1", "6.7", "8.0"])
def test_nothing_is_planned_anew_while_all_is_as_it_was(
    tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[plans.Plan] = []
    make_plan = plans.make_plan

    def counted(*given: Any) -> plans.Plan:
        made.append(make_plan(*given))
        return made[-1]

    with world(tmp_path, version, {}) as there, again(there) as passes:
        there.spec = full_spec(there.keys)
        passes.settled()
        monkeypatch.setattr(plans, "make_plan", counted)
        report = passes.over()
        assert (report, made) == (passes.over(), [])
        assert report == there.look()
        made.clear()
        there.host.unmount_nfs("vms")
        assert passes.over().status is Status.CONVERGED
        assert made


def test_a_spec_that_wants_something_else_of_a_host_as_it_was_is_planned(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there, again(there) as passes:
        passes.settled()
        there.spec = deepcopy(LAB)
        there.spec["portGroups"]["Lab"]["vlan"] = 11
        assert passes.over().status is Status.CONVERGED


def test_a_fleet_for_one_run_keeps_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there:
        there.run()
        there.host.forget()
        for _ in range(2):
            assert there.run().status is Status.IN_SYNC
        assert (len(there.host.logins), connections()) == (2, 0)


@pytest.mark.parametrize("how", ["cut", "reboot"])
def test_a_session_that_died_at_rest_is_opened_anew_and_nobody_hears_of_it(tmp_path: Path, how: str) -> None:
    with world(tmp_path, "6.7", LAB) as there, again(there) as passes:
        passes.settled()
        if how == "cut":
            there.host.fault("cut-now")
        else:
            there.host.reboot()
        report = passes.over()
        assert (report.status, report.fault, passes.logins) == (Status.IN_SYNC, None, 1)
        assert (passes.over().status, passes.logins) == (Status.IN_SYNC, 1)


def test_a_session_that_broke_in_a_pass_is_not_used_again(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there, again(there) as passes:
        passes.settled()
        there.host.fault("cut-after-bytes", count=200)
        assert passes.over().status is Status.UNREACHABLE
        assert (passes.over().status, passes.logins) == (Status.IN_SYNC, 1)


def test_a_host_whose_output_has_no_end_gets_a_new_session(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there, again(there) as passes:
        passes.settled()
        there.host.fault("flood")
        assert passes.over().status is Status.FAILED
        there.host.clear_faults()
        assert (passes.over().status, passes.logins) == (Status.IN_SYNC, 1)


def test_a_key_that_was_exchanged_is_logged_in_with_at_once(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there, again(there) as passes:
        own = tmp_path / "own"
        own.write_bytes(there.keys.private("root").read_bytes())
        there.spec["access"] = {"ssh": {"key": str(own)}}
        passes.settled()
        other = tmp_path / "fresh"
        other.write_bytes(there.keys.private("second").read_bytes())
        other.replace(own)
        report = passes.over()
        assert report.status is Status.FAILED, "the host does not know that key"
        assert report.fault is not None
        assert report.fault.kind.value == "login"
        assert passes.logins == 1


def test_a_spec_that_asks_for_another_user_gets_another_session(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there, again(there) as passes:
        passes.settled()
        there.spec["access"] = {"ssh": {"user": "somebody"}}
        assert passes.over().status is Status.FAILED


def test_after_ssh_was_switched_off_nothing_goes_over_the_old_session(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there, again(there) as passes:
        passes.settled()
        there.spec = {"ssh": {"enabled": False}, "allow": "link"}
        assert passes.over().status is Status.CONVERGED
        assert passes.over().status is Status.UNREACHABLE


def test_sessions_that_rest_too_long_or_whose_host_left_are_closed(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there:
        with again(there, idle=0.0) as passes:
            passes.settled()
            passes.fleet.tidy()
            until(lambda: connections() == 0)
        with again(there) as passes:
            passes.settled()
            assert connections() == 1
            passes.fleet.know([])
            until(lambda: connections() == 0)
            passes.settled()
            passes.fleet.afresh()
            until(lambda: connections() == 0)
            passes.settled()
            assert connections() == 1
        assert connections() == 0


def test_over_the_sdk_one_login_and_one_question_for_the_licence_do_for_many_passes(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {**LAB, "access": ONLY_SDK}, sdk=True) as there, again(there) as passes:
        for _ in range(6):
            assert passes.over().fault is None
        assert there.host.sdk_logins == [("root", True)]
        assert there.host.sdk_calls.count(PROBE) == 1
        assert "Logout" not in there.host.sdk_calls
        there.host.fault("sdk-expired")
        assert passes.over().status is Status.IN_SYNC
        there.host.reboot()
        assert passes.over().status is Status.IN_SYNC
        assert there.host.sdk_logins == [("root", True)] * 3
        passes.fleet.close()
        assert there.host.sdk_calls[-1] == "Logout"


def test_a_certificate_that_changes_is_seen_over_a_warm_session_too(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {**LAB, "access": ONLY_SDK}, sdk=True) as there, again(there) as passes:
        passes.settled()
        there.host.fault("sdk-certificate")
        report = passes.over()
        assert report.fault is not None
        assert report.fault.kind.value == "hostKey"


def test_sixty_passes_leave_nothing_behind(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", LAB) as there, again(there) as passes:
        passes.settled()
        before = threading.active_count(), len(os.listdir("/dev/fd"))
        for _ in range(60):
            assert passes.over().status is Status.IN_SYNC
        assert (threading.active_count(), len(os.listdir("/dev/fd"))) == before
        assert (there.host.logins, there.host.execs) == ([], 60)


def connections() -> int:
    """How many SSH connections this process holds."""
    return sum(isinstance(it, paramiko.Transport) and it.is_active() for it in threading.enumerate())


def until(there: Any) -> None:
    """Wait for something, at most ten seconds."""
    moment = threading.Event()
    for _ in range(200):
        if there():
            return
        moment.wait(0.05)
    assert there()
