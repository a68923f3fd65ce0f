"""`reconcile simulate --sdk` and the specs that it writes: all hosts in one run, and still right after a power loss."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from reconciler.desired import load
from reconciler.fleet import Options, run
from reconciler.kinds.model import Risk
from reconciler.report import Report, Status
from reconciler.simulator.lab import Lab

VERSIONS = ["4.1", "5.0", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0"]


def passed(out: Path, *, dry: bool = False) -> Report:
    hosts = load([out / "specs"]).hosts
    options = Options(dry, Risk.LINK, (), 50, out / "state")
    return run(hosts, options, lambda event: None, threading.Event())


def test_the_ways_differ_and_the_end_is_the_same(tmp_path: Path) -> None:
    lab = Lab(8, VERSIONS, tmp_path, sdk=True)
    try:
        assert stat.S_IMODE((tmp_path / "keys/root.password").stat().st_mode) == 0o600
        assert "SSH is off" in lab.drift["esx-60-04"]
        assert "free licence" in lab.drift["esx-67-06"]
        before = {it.name: it for it in passed(tmp_path, dry=True).hosts}
        assert before["esx-60-04"].transport == "sdk"
        assert {it.status for it in passed(tmp_path).hosts} <= {Status.CONVERGED, Status.IN_SYNC}
        assert {it.status for it in passed(tmp_path, dry=True).hosts} == {Status.IN_SYNC}
        free = lab.farm.host("esx-67-06")
        assert not {"CreateNasDatastore", "AddPortGroup", "StartService", "MakeDirectory"} & set(
            free.sdk_calls
        )
        for host in lab.farm.hosts.values():
            host.reboot(power_loss=True)
        assert {it.status for it in passed(tmp_path, dry=True).hosts} == {Status.IN_SYNC}
    finally:
        lab.close()
