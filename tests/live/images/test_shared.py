"""Hosts that share a volume: one copy for all, and nothing is taken that another host uses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired import load
from reconciler.events import Event
from reconciler.fleet import Options, run
from reconciler.kinds.model import Risk
from reconciler.report import HostReport, Status
from reconciler.simulator import Farm, HostModel, NfsMount
from reconciler.simulator.model import Disk, Machine
from tests.live.images.setup import MIB, REPOSITORY, SIZE, WIN, content, raw_digest
from tests.live.passes.world import PATH, SERVER, Keys, _shared_keys, standard_storage

MASTERS = "/vmfs/volumes/masters"


@dataclass
class Fleet:
    """Hosts that mount one export for their masters, each under a name of its own."""

    farm: Farm
    folder: Path
    keys: Keys
    events: list[Event]

    def write(self, specs: Mapping[str, Mapping[str, Any]]) -> Path:
        file = self.folder / "specs" / "hosts.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(yaml.safe_dump_all([self._document(name, spec) for name, spec in specs.items()]))
        return file

    def _document(self, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        host = self.farm.host(name)
        ssh = {"port": host.port, "key": str(self.keys.private("root")), "hostKey": host.host_keys[0]}
        access = {"ssh": {**ssh, "legacyAlgorithms": host.version in ("4.1", "5.5", "6.0")}}
        access |= self.sdk_access(name) if spec.get("access") == "sdk" else {}
        whole = {**spec, "address": host.address, "access": access}
        return {"apiVersion": "reconciler/v1", "kind": "Host", "metadata": {"name": name}, "spec": whole}

    def sdk_access(self, name: str) -> dict[str, Any]:
        """A host that is asked over the SDK alone."""
        host, secret = self.farm.host(name), self.folder / "root.password"
        secret.write_text("VMware1!")
        sdk = {"port": host.sdk_port, "password": {"file": str(secret)}, "thumbprint": host.thumbprint}
        return {"prefer": "sdk", "sdk": sdk}

    def run(
        self, specs: Mapping[str, Mapping[str, Any]], only: Sequence[str] = (), allow: Risk | None = None
    ) -> dict[str, HostReport]:
        hosts = load([self.write(specs)]).hosts
        chosen = [it for it in hosts if not only or it.name in only]
        options = Options(False, allow, (), 50, self.folder / "state")
        report = run(chosen, options, self.events.append, threading.Event(), everyone=hosts)
        return {it.name: it for it in report.hosts}


def wish(images: Mapping[str, Any], path: str = "masters", **more: Any) -> dict[str, Any]:
    return {"virtualDisk": {"path": path}, "repository": {"path": REPOSITORY}, "images": dict(images), **more}


@contextmanager
def fleet(folder: Path, versions: Sequence[str], **model: Any) -> Iterator[Fleet]:
    keys = Keys(_shared_keys())
    mounts = (NfsMount("repository", SERVER, PATH), NfsMount("masters", SERVER, "/export/vms"))
    models = [
        HostModel(
            f"h{number}", version, authorized_keys=keys.public("root").encode() + b"\n", nfs=mounts, **model
        )
        for number, version in enumerate(versions, 1)
    ]
    with Farm.start(models, storage=standard_storage()) as farm:
        yield Fleet(farm, folder, keys, [])


def put(there: Fleet, base: str, form: str, host: str = "h1", name: str = WIN) -> str:
    there.farm.host(host).files.put_disk(f"{base}/{name}/{name}.vmdk", SIZE, content(), form, 0o644)
    return raw_digest(content())


def clones(there: Fleet) -> list[tuple[str, ...]]:
    every = [it.argv for host in there.farm.hosts.values() for it in host.executed]
    return [argv for argv in every if argv[:2] == ("vmkfstools", "-i")]


def test_an_image_is_copied_to_a_shared_volume_once(tmp_path: Path) -> None:
    with fleet(tmp_path, ["5.5", "6.0", "4.1"]) as there:
        digest = put(there, REPOSITORY, "2gbsparse")
        for host in there.farm.hosts.values():
            host.set_clone_rate(4 * MIB)
        reports = there.run({name: wish({WIN: {}}) for name in there.farm.hosts})
        assert {str(it.status) for it in reports.values()} <= {"converged", "in-sync"}, reports
        assert len(clones(there)) == 1
        assert there.farm.host("h3").files.disk_digest(f"{MASTERS}/{WIN}/{WIN}.vmdk") == digest


def test_what_another_host_uses_stays(tmp_path: Path) -> None:
    with fleet(tmp_path, ["6.7", "8.0"]) as there:
        put(there, MASTERS, "thin")
        put(there, REPOSITORY, "2gbsparse")
        chain = (f"[masters] {WIN}/{WIN}.vmdk", "[datastore1] vm9/vm9-000001.vmdk")
        machine = Machine(9, "vm9", "datastore1", "vm9/vm9.vmx", disks=(Disk(chain),))
        there.farm.host("h2").register_vm(machine)
        specs = {"h1": wish({WIN: "absent"}), "h2": wish({})}
        report = there.run(specs, only=["h1"], allow=Risk.DATA)["h1"]
        assert [it.why for it in report.held] == ["it is in use: virtual machine 'vm9' (registered) on h2"]
        there.farm.host("h2").unregister_vm(9)
        report = there.run(specs, only=["h1"], allow=Risk.DATA)["h1"]
        assert "the delta" in report.held[0].why
        assert there.farm.host("h1").files.exists(f"{MASTERS}/{WIN}/{WIN}.vmdk")


def test_a_host_that_is_reached_over_the_sdk_alone_is_asked_too(tmp_path: Path) -> None:
    with fleet(tmp_path, ["6.7", "8.0"], sdk=True) as there:
        put(there, MASTERS, "thin")
        put(there, REPOSITORY, "2gbsparse")
        disk = Disk((f"[masters] {WIN}/{WIN}.vmdk",))
        there.farm.host("h2").register_vm(Machine(7, "web", "datastore1", "web/web.vmx", disks=(disk,)))
        specs = {"h1": wish({WIN: "absent"}), "h2": {"access": "sdk"}}
        report = there.run(specs, ["h1"])["h1"]
        assert "'web'" in "".join(it.why for it in report.held)
        assert there.farm.host("h2").execs == 0
        there.farm.host("h2").unregister_vm(7)
        unregistered = there.run(specs, ["h1"])["h1"]
        assert "the unregistered machine [datastore1] web/web.vmx on h2" in unregistered.held[0].why
        assert there.farm.host("h1").files.exists(f"{MASTERS}/{WIN}/{WIN}.vmdk")


@pytest.mark.parametrize("trouble", ["paused", "refuse", "login"])
def test_a_host_that_can_not_be_asked_keeps_everything(trouble: str, tmp_path: Path) -> None:
    with fleet(tmp_path, ["6.7", "8.0"]) as there:
        put(there, MASTERS, "thin")
        put(there, REPOSITORY, "2gbsparse")
        other = wish({}) | ({"mode": "paused"} if trouble == "paused" else {})
        if trouble == "refuse":
            there.farm.host("h2").fault("refuse")
        if trouble == "login":
            there.farm.host("h2").files.write(there.farm.host("h2").keys_path, b"")
        specs = {"h1": wish({WIN: "absent"}), "h2": other}
        report = there.run(specs, only=["h1"])["h1"]
        assert report.status is Status.HELD
        assert "h2 can't be asked" in report.held[0].why
        assert there.farm.host("h1").files.exists(f"{MASTERS}/{WIN}/{WIN}.vmdk")


def test_every_spec_protects_its_images(tmp_path: Path) -> None:
    with fleet(tmp_path, ["6.7", "8.0"]) as there:
        put(there, MASTERS, "thin")
        put(there, REPOSITORY, "2gbsparse")
        specs = {"h1": wish({WIN: "absent"}), "h2": wish({WIN: {}})}
        report = there.run(specs, only=["h1"])["h1"]
        assert [it.why for it in report.held] == ["it is in use: the spec of h2, which wants it"]


# -- two reconcilers -------------------------------------------------------------------------------------------


def start(there: Fleet, file: Path, state: str, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "reconciler",
        "-f",
        str(file),
        "--yes",
        "--state-dir",
        str(there.folder / state),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [*command, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )


def wait_for(condition: Any, process: subprocess.Popen[str]) -> None:
    """Until a condition holds, while the program runs."""
    while not condition():
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        threading.Event().wait(0.02)


def busy(there: Fleet) -> bool:
    return any(host.running for host in there.farm.hosts.values())


def test_two_reconcilers_copy_an_image_once(tmp_path: Path) -> None:
    with fleet(tmp_path, ["5.5", "6.0"]) as there:
        digest = put(there, REPOSITORY, "2gbsparse")
        for host in there.farm.hosts.values():
            host.set_clone_rate(2 * MIB)
        file = there.write({name: wish({WIN: {}}) for name in there.farm.hosts})
        first = start(there, file, "one", "--host", "h1")
        wait_for(lambda: busy(there), first)
        second = start(there, file, "two", "--host", "h2")
        said = [process.communicate(timeout=120)[0] for process in (first, second)]
        assert (first.returncode, second.returncode) == (0, 0), said
        assert len(clones(there)) == 1
        assert there.farm.host("h2").files.disk_digest(f"{MASTERS}/{WIN}/{WIN}.vmdk") == digest


def test_a_killed_reconciler_is_no_obstacle_and_its_clone_is_gone_on_with(tmp_path: Path) -> None:
    with fleet(tmp_path, ["5.5", "6.0"]) as there:
        digest = put(there, REPOSITORY, "2gbsparse")
        for host in there.farm.hosts.values():
            host.set_clone_rate(1 * MIB)
        file = there.write({name: wish({WIN: {}}) for name in there.farm.hosts})
        first = start(there, file, "one", "--host", "h1")
        wait_for(lambda: busy(there), first)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        second = start(there, file, "two", "--host", "h2")
        said = second.communicate(timeout=120)[0]
        assert second.returncode == 0, said
        assert len(clones(there)) == 1
        host = there.farm.host("h2")
        assert host.files.disk_digest(f"{MASTERS}/{WIN}/{WIN}.vmdk") == digest
        assert [it for it in host.files.names(MASTERS) if it.startswith(".")] == []
