"""Hosts that say nothing come last, and get all the time that there is then."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
import yaml

from reconciler.contact import circumstances
from reconciler.desired import load
from reconciler.desired.host import DesiredHost
from reconciler.events import Event, Finished, Postponed
from reconciler.fleet import Options, run
from reconciler.report import HostReport, Status
from tests.faults.test_sick_hosts import fleet

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circumstances, "HASTY_SECONDS", 0.3)


def options(folder: Path) -> Options:
    return Options(dry_run=True, allow=None, only=(), concurrency=1, state_dir=folder / "state")


def test_the_living_are_done_first_and_who_wakes_up_meanwhile_is_done_as_well(tmp_path: Path) -> None:
    heard: list[Event] = []
    done: list[str] = []
    with fleet(tmp_path, ["6.7", "7.0", "8.0"]) as (farm, file):
        farm.host("esx-0").fault("hang")

        def each(report: HostReport) -> None:
            done.append(report.name)
            if len(done) == 2:
                farm.host("esx-0").fault("clear")

        report = run(load([file]).hosts, options(tmp_path), heard.append, threading.Event(), each)
    assert done == ["esx-1", "esx-2", "esx-0"]
    assert {it.name: it.status for it in report.hosts} == dict.fromkeys(farm.hosts, Status.DRIFTED)
    assert [event.host for event in heard if isinstance(event, Postponed)] == ["esx-0"]
    assert [event.host for event in heard if isinstance(event, Finished)] == done


@pytest.mark.parametrize("way", ["ssh", "sdk"])
def test_over_each_way_nothing_is_concluded_from_a_short_silence(tmp_path: Path, way: str) -> None:
    stop, heard = threading.Event(), list[Event]()

    def hear(event: Event) -> None:
        heard.append(event)
        if isinstance(event, Postponed):
            stop.set()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = [silent_host(tmp_path, name, way, silent.getsockname()[1]) for name in ("a", "b")]
        report = run(hosts, options(tmp_path), hear, stop)
    assert report.hosts == ()
    assert report.interrupted
    assert [event.host for event in heard if isinstance(event, Postponed)] == ["a"]
    assert not any(isinstance(event, Finished) for event in heard)


def silent_host(folder: Path, name: str, way: str, port: int) -> DesiredHost:
    """A host behind that port, reached over that way alone."""
    (folder / "password").write_text("geheim")
    access = {
        "ssh": {"ssh": {"port": port, "password": {"file": str(folder / "password")}}},
        "sdk": {"sdk": {"port": port, "password": {"file": str(folder / "password")}}, "prefer": "sdk"},
    }
    spec = {"address": "127.0.0.1", "access": access[way]}
    file = folder / f"{name}.yaml"
    document = {"apiVersion": "reconciler/v1", "kind": "Host", "metadata": {"name": name}, "spec": spec}
    file.write_text(yaml.safe_dump(document))
    return load([file]).hosts[0]
