"""`reconcile simulate`: a folder with specs and keys, a control line, and hosts with drift."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from reconciler.simulator import SimulatorError, lab
from reconciler.simulator.lab import Lab
from tests.simulator.client import openssh, tool


@contextmanager
def running(out: Path, hosts: int = 8, images: bool = False) -> Iterator[Lab]:
    started = Lab(hosts, [], out, images)
    try:
        yield started
    finally:
        started.close()


def test_the_folder_has_what_a_user_needs(tmp_path: Path) -> None:
    with running(tmp_path) as there:
        specs = [yaml.safe_load(file.read_text()) for file in sorted((tmp_path / "specs").glob("esx-*.yaml"))]
        assert len(specs) == 8
        assert stat.S_IMODE((tmp_path / "keys/root.key").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "control.sock").stat().st_mode) == 0o600
        last = specs[-1]
        host = there.farm.host(last["metadata"]["name"])
        access = last["spec"]["access"]["ssh"]
        assert (last["spec"]["address"], access["port"]) == (host.address, host.port)
        assert access["hostKey"] in host.host_keys
        assert openssh(host, tmp_path / "keys/root.key", "vmware -v").status == 0
        assert len(set(there.drift.values())) == 8
    assert not (tmp_path / "control.sock").exists()


def test_other_processes_reboot_hosts_and_give_them_faults(tmp_path: Path) -> None:
    with running(tmp_path) as there:
        host = there.farm.host("esx-67-06")
        host.files.write("/tmp/x", b"")
        lab.reboot(tmp_path, host.name, power_loss=True)
        assert not host.files.exists("/tmp/x")
        lab.fault(tmp_path, host.name, "slow", seconds=0)
        lab.fault(tmp_path, host.name, "clear")
        with pytest.raises(SimulatorError, match="no host 'nosuch'"):
            lab.reboot(tmp_path, "nosuch")
        with pytest.raises(SimulatorError, match="no fault 'nosuch'"):
            lab.fault(tmp_path, host.name, "nosuch")
        host.files.write("/bootbank/boot.cfg", b"")
        with pytest.raises(SimulatorError, match="no hypervisor found"):
            lab.reboot(tmp_path, host.name)


def test_a_long_path_has_a_control_line_too(tmp_path: Path) -> None:
    out = tmp_path / ("x" * 120)
    with running(out, hosts=1):
        assert stat.S_IMODE((out / "control.json").stat().st_mode) == 0o600
        lab.reboot(out, "esx-41-01")


def test_a_second_lab_in_one_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, hosts=1), pytest.raises(SimulatorError, match="already"):
        Lab(1, [], tmp_path)


def test_what_can_not_be_is_said(tmp_path: Path) -> None:
    for hosts, versions in ((0, []), (1, ["3.5"])):
        with pytest.raises(SimulatorError, match="would be right"):
            Lab(hosts, versions, tmp_path)
    with pytest.raises(SimulatorError, match="reconcile simulate --out"):
        lab.reboot(tmp_path, "h")
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulatorError, match="can't make the folder"):
        Lab(1, [], tmp_path / "file")


def test_it_runs_until_it_is_stopped(tmp_path: Path) -> None:
    said: list[str] = []
    stop = threading.Event()
    stop.set()
    lab.run(2, ["6.7", "8.0"], tmp_path, said.append, stop)
    assert [line.split()[0] for line in said[:2]] == ["esx-67-01", "esx-80-02"]


def test_of_many_hosts_it_says_how_many_are_how(tmp_path: Path) -> None:
    with running(tmp_path, hosts=48) as there:
        first, *kinds, last = there.summary()
        assert first.startswith("hosts by ESXi version: 4.1: 6, 5.0: 6, ")
        assert [line.split()[:2] for line in kinds] == [["6", "like"]] * 8
        assert "esx-41-01  127." in kinds[0]
        assert kinds[0].endswith("its keys would not survive a power loss")
        assert "48 simulated hosts; specs in" in last
        assert last.endswith("stop with Ctrl-C")


def test_too_few_open_files_are_told_before_anything_starts(tmp_path: Path) -> None:
    run = f"ulimit -n 300; exec {sys.executable} -m reconciler simulate --hosts 100 --out {tmp_path}/lab"
    done = subprocess.run(["sh", "-c", run], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "100 simulated hosts need 400 open files, and 300 are allowed" in done.stderr
    assert not (tmp_path / "lab").exists()


def test_the_soft_limit_of_open_files_is_raised(tmp_path: Path) -> None:
    run = (
        "import resource, pathlib, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (60, 1000));"
        "from reconciler.simulator.lab import Lab; Lab(60, [], pathlib.Path(sys.argv[1])).close();"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", run, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "(1000, 1000)\n"


def test_two_hundred_hosts_start(tmp_path: Path) -> None:
    with running(tmp_path, hosts=200) as there:
        assert len(there.farm.hosts) == 200
        assert openssh(there.farm.host("esx-80-200"), tmp_path / "keys/root.key", "true").status == 0


def seen_by_guest(disk: Path, scratch: Path) -> bytes:
    raw = scratch / f"{disk.name}.raw"
    subprocess.run([tool("qemu-img", "qemu-utils"), "convert", "-O", "raw", str(disk), str(raw)], check=True)
    return raw.read_bytes()


def test_a_lab_with_images_has_a_repository_and_hosts_that_want_from_it(tmp_path: Path) -> None:
    with running(tmp_path, hosts=3, images=True) as there:
        specs = [yaml.safe_load(file.read_text()) for file in sorted((tmp_path / "specs").glob("esx-*.yaml"))]
        documents = yaml.safe_load_all((tmp_path / "specs/images.yaml").read_text())
        profiles = {each["metadata"]["name"]: each["spec"] for each in documents}
        assert [spec["spec"]["profile"] for spec in specs] == [["lab", name] for name in profiles]
        here = tmp_path / "specs" / profiles["images-from-here"]["repository"]["path"]
        (master,) = there.farm.hosts["esx-55-03"].files.names("/vmfs/volumes/scratch/masters")
        for name in profiles["images-from-here"]["images"]:
            guest = seen_by_guest(here / name / f"{name}.vmdk", tmp_path)
            assert len(guest) == 64 << 20
            assert guest.count(0) < len(guest) - (1 << 20)
            if name == master:
                flat = f"/vmfs/volumes/scratch/masters/{name}/{name}-flat.vmdk"
                assert there.farm.hosts["esx-55-03"].files.read(flat) == guest
        host = there.farm.host(specs[0]["metadata"]["name"])
        for name in profiles["images-over-nfs"]["images"]:
            for file in (here / name).iterdir():
                assert host.files.read(f"/vmfs/volumes/repository/{name}/{file.name}") == file.read_bytes()
        before = {file: file.stat().st_mtime_ns for file in here.rglob("*")}
    with running(tmp_path, hosts=1, images=True):
        assert {file: file.stat().st_mtime_ns for file in here.rglob("*")} == before


def test_a_lab_with_images_needs_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SimulatorError, match="qemu-utils"):
        Lab(1, [], tmp_path, images=True)
