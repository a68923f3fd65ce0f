"""The three set-ups of VCL's wiki page, each on its own host beside the others, through the program itself."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator.lab import Lab
from reconciler.simulator.lab_images import LINUX, NOWHERE, WINDOWS
from tests.faults.program import reconcile
from tests.live.images.setup import VERSIONS
from tests.simulator.client import tool

WANTED = {1: (LINUX, WINDOWS), 2: (LINUX, WINDOWS), 3: (LINUX,)}


@pytest.mark.parametrize("version", VERSIONS)
def test_over_nfs_from_here_and_on_shared_storage(version: str, tmp_path: Path) -> None:
    lab = Lab(3, [version], tmp_path, images=True)
    try:
        hosts = _reconcile(tmp_path, "--yes", "--allow", "link")
        assert [host["status"] for host in hosts] == ["converged", "converged", "held"], hosts
        for number, (name, host) in enumerate(lab.farm.hosts.items(), 1):
            place = "datastore1" if number < 3 else "scratch/masters"
            for image in WANTED[number]:
                flat = f"/vmfs/volumes/{place}/{image}/{image}-flat.vmdk"
                assert _digest(host.files.read(flat)) == _kept(tmp_path, image), (name, image)
        (held,) = hosts[2]["held"]
        assert held["resource"] == f"image/{NOWHERE}"
        assert "it is not on [scratch] masters, and the spec names no repository" in held["why"]
        again = _reconcile(tmp_path, "--dry-run")
        assert [(host["status"], host.get("steps", [])) for host in again] == [
            ("in-sync", []),
            ("in-sync", []),
            ("held", []),
        ], again
    finally:
        lab.close()


def _reconcile(folder: Path, *options: str) -> Any:
    ended = reconcile(folder, "-f", "specs", "--state-dir", "state", "-o", "json", *options)
    report = json.loads(ended.out)
    return sorted(report["hosts"], key=lambda host: str(host["name"]))


def _kept(folder: Path, image: str) -> str:
    raw = folder / f"{image}.raw"
    source = folder / "repository" / image / f"{image}.vmdk"
    subprocess.run([tool("qemu-img", "qemu-utils"), "convert", "-O", "raw", source, raw], check=True)
    return _digest(raw.read_bytes())


def _digest(data: bytes | None) -> str:
    assert data is not None
    return hashlib.sha256(data).hexdigest()
