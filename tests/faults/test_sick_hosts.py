"""One host is sick, whatever it has: it is told in one message, and the hosts beside it are put right."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired import load
from reconciler.fleet import Options, run
from reconciler.observers.ssh.eyes import SshEyes
from reconciler.report import Report, Status
from reconciler.simulator import Farm, HostModel
from tests.faults.program import Ended, reconcile
from tests.live.passes.world import LEGACY, VERSIONS, Keys, _shared_keys, full_spec, standard_storage

# exit status by SPEC section 2, and the fault's kind (None: no fault, something is held or unknown)
SICK: list[tuple[str, dict[str, Any], int, str | None]] = [
    ("refuse", {}, 3, "unreachable"),
    ("hang", {}, 3, "unreachable"),
    ("garbage", {}, 3, "unreachable"),
    ("cut-before", {"count": 2}, 3, "unreachable"),
    ("cut-after", {"count": 5}, 3, "unreachable"),
    ("power-loss", {"count": 5}, 3, "unreachable"),
    ("flood", {}, 1, "refused"),
    ("disk-full", {}, 1, "refused"),
    ("silent-backup", {}, 1, "refused"),
    ("backup-locked", {}, 1, "refused"),
    ("nfs-deny", {}, 1, "refused"),
    ("nfs-down", {}, 1, "refused"),
    ("bootbank-tmp", {}, 1, "refused"),
    ("hostd-down", {"polls": 12}, 0, None),
    ("slow", {"seconds": 0.005}, 0, None),
]
CONNECTING = ("refuse", "hang", "garbage")


@contextmanager
def fleet(folder: Path, versions: list[str]) -> Iterator[tuple[Farm, Path]]:
    """Hosts of these versions, esx-0 and so on, with specs for all of them in one file."""
    keys = Keys(_shared_keys())
    installed = keys.public("root").encode() + b"\n"
    models = [
        HostModel(f"esx-{at}", version, authorized_keys=installed) for at, version in enumerate(versions)
    ]
    with Farm.start(models, storage=standard_storage()) as farm:
        file = folder / "specs.yaml"
        file.write_text(yaml.safe_dump_all([_document(farm, name, keys) for name in farm.hosts]))
        yield farm, file


def _document(farm: Farm, name: str, keys: Keys) -> dict[str, Any]:
    host = farm.host(name)
    ssh = {
        "port": host.port,
        "key": str(keys.private("root")),
        "hostKey": host.host_keys[0],
        "legacyAlgorithms": host.version in LEGACY,
    }
    return {
        "apiVersion": "reconciler/v1",
        "kind": "Host",
        "metadata": {"name": name},
        "spec": {**full_spec(keys), "address": host.address, "access": {"ssh": ssh}},
    }


def _run(folder: Path, file: Path, *arguments: str) -> tuple[Ended, dict[str, Any]]:
    ended = reconcile(
        folder, "--yes", "-f", str(file), "--state-dir", str(folder / "state"), "-o", "json", *arguments
    )
    assert "Traceback" not in ended.said
    report = json.loads(ended.out)
    return ended, {host["name"]: host for host in report["hosts"]}


@pytest.mark.parametrize(("name", "details", "status", "kind"), SICK, ids=[case[0] for case in SICK])
def test_a_sick_host_is_told_and_the_others_converge(
    tmp_path: Path, name: str, details: dict[str, Any], status: int, kind: str | None
) -> None:
    with fleet(tmp_path, ["4.1", "6.7", "8.0"]) as (farm, file):
        farm.host("esx-1").fault(name, **details)
        ended, hosts = _run(tmp_path, file)
        assert ended.status == status, ended.said
        assert [hosts[other]["status"] for other in ("esx-0", "esx-2")] == ["converged", "converged"]
        fault = hosts["esx-1"]["fault"]
        assert (fault["kind"] if fault else None) == kind, fault
        if fault:
            assert fault["message"].count("esx-1")
            assert fault["next"]
            assert ended.err.count(b"Traceback") == 0
        if name in CONNECTING:
            assert ended.seconds < 30 + 5, "30 s for the connection, and what the program needs itself"


def test_a_bug_ends_one_hosts_pass_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fleet(tmp_path, ["6.7", "6.7", "7.0"]) as (farm, file):
        ask = SshEyes.look
        sick = farm.host("esx-1").address

        def broken(self: Any, questions: Any, known: Any) -> Any:
            if self._session._client.target.address == sick:
                raise KeyError("a parser that nobody has tried on this")
            return ask(self, questions, known)

        monkeypatch.setattr(SshEyes, "look", broken)
        report = _in_process(tmp_path, file)
        ill = report.hosts[1]
        assert [it.status for it in report.hosts] == [Status.CONVERGED, Status.FAILED, Status.CONVERGED]
        assert ill.fault is not None
        assert ill.fault.kind.value == "bug"
        assert "\n" not in ill.fault.message
        assert ill.fault.next


def _in_process(folder: Path, file: Path) -> Report:
    options = Options(False, None, (), 50, folder / "state")
    return run(load([file]).hosts, options, lambda event: None, threading.Event())


@pytest.mark.parametrize("concurrency", ["3", "50"])
def test_thirty_hosts_of_mixed_versions_converge(tmp_path: Path, concurrency: str) -> None:
    versions = [VERSIONS[at % len(VERSIONS)] for at in range(30)]
    with fleet(tmp_path, versions) as (_, file):
        ended, hosts = _run(tmp_path, file, "--concurrency", concurrency)
        assert ended.status == 0, ended.said
        assert {host["status"] for host in hosts.values()} == {"converged"}
        assert len(hosts) == len(versions)
