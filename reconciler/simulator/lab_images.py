"""Master images of a lab: a repository folder with real disks, and the three set-ups that its hosts show.

A repository over NFS, a repository on this machine only, and network storage without a repository. The disks are made
by qemu-img and are small: a few MiB of data in 64 MiB.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.model import MIB
from reconciler.simulator.nodes import Node, Volume

CAPACITY = 64 * MIB
PIECE = 64 * 1024
STRIDE = 389
OPTIONS = "subformat=twoGbMaxExtentSparse,adapter_type=lsilogic"
NOWHERE = "vmwarewin7-old55-v3"
LINUX, WINDOWS = "vmwarelinux-base7-v0", "vmwarewinxp-base234-v12"
DATA = {LINUX: 3 * MIB, WINDOWS: 2 * MIB}
MASTERS = "masters"

PROFILES = f"""\
# The repository lies on a datastore that the hosts mount: they copy from there themselves.
apiVersion: reconciler/v1
kind: Profile
metadata:
  name: images-over-nfs
spec:
  virtualDisk: {{path: datastore1, mode: dedicated, reserve: 1GiB}}
  repository: {{path: /vmfs/volumes/repository}}
  images:
    {LINUX}: {{}}
    {WINDOWS}: {{verify: full}}
---
# The repository is a folder on this machine: the data is sent to the hosts.
apiVersion: reconciler/v1
kind: Profile
metadata:
  name: images-from-here
spec:
  virtualDisk: {{path: datastore1, mode: dedicated, reserve: 1GiB}}
  repository: {{path: ../repository}}
  images:
    {LINUX}: {{}}
    {WINDOWS}: {{protect: true}}
---
# Network storage that hosts share, and no repository: what is nowhere can't be copied.
apiVersion: reconciler/v1
kind: Profile
metadata:
  name: images-on-shared-storage
spec:
  virtualDisk: {{path: "[scratch] {MASTERS}", mode: shared}}
  images:
    {LINUX}: {{}}
    {NOWHERE}: {{}}
"""
SETUPS = ("images-over-nfs", "images-from-here", "images-on-shared-storage")


@dataclass(frozen=True)
class Repository:
    """The repository folder on this machine."""

    folder: Path

    def copy_to(self, volume: Volume, now: float) -> None:
        """All images, as they lie here, at the root of a volume."""
        for folder in sorted(each for each in self.folder.iterdir() if each.is_dir()):
            there = _folder(volume.root, folder.name, now)
            for file in sorted(folder.iterdir()):
                _file(there, file.name, now).put(0, file.read_bytes(), now)

    def master_on(self, volume: Volume, name: str, now: float) -> None:
        """One image as ESXi runs it, below the folder of masters."""
        there = _folder(_folder(volume.root, MASTERS, now), name, now)
        _file(there, f"{name}.vmdk", now).put(0, _descriptor(name).encode(), now)
        flat = _file(there, f"{name}-flat.vmdk", now)
        for offset, piece in _pieces(name):
            flat.put(offset, piece, now)
        if flat.size < CAPACITY:
            flat.truncate(CAPACITY, now)
        _file(there, f"{name}.vmx.reference", now).put(0, _reference(name).encode(), now)


def _folder(parent: Node, name: str, now: float) -> Node:
    found = parent.children.get(name)
    if found is None:
        found = parent.children[name] = Node(parent.volume, "d", 0o755, now)
    return found


def _file(parent: Node, name: str, now: float) -> Node:
    node = parent.children[name] = Node(parent.volume, "f", 0o755, now)
    return node


def make(folder: Path) -> Repository:
    """Make the repository, or what it lacks; raises SimulatorError, also when qemu-img is missing."""
    tool = shutil.which("qemu-img")
    if tool is None:
        raise SimulatorError(
            "the images of the lab are made by qemu-img, which is not there (install the package qemu-utils)"
        )
    try:
        for name in DATA:
            _image(tool, folder / name, name)
    except OSError as problem:
        raise SimulatorError(f"can't make the images in {folder}: {problem.strerror}") from problem
    return Repository(folder)


def _image(tool: str, folder: Path, name: str) -> None:
    """One image in the form that VCL keeps: 2gbsparse."""
    if (folder / f"{name}.vmx.reference").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch, "disk.raw")
        with raw.open("wb") as file:
            for offset, piece in _pieces(name):
                file.seek(offset)
                file.write(piece)
            file.truncate(CAPACITY)
        _convert(tool, raw, folder / f"{name}.vmdk")
    (folder / f"{name}.vmx.reference").write_text(_reference(name))


def _convert(tool: str, raw: Path, target: Path) -> None:
    command = [tool, "convert", "-f", "raw", "-O", "vmdk", "-o", OPTIONS]
    done = subprocess.run([*command, str(raw), str(target)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SimulatorError(f"qemu-img can't make {target}: {done.stderr.strip()}")


def _pieces(name: str) -> Iterator[tuple[int, bytes]]:
    """What a guest finds on the disk: the same for the same name, here and there all over it."""
    places = [each * STRIDE % (CAPACITY // PIECE) for each in range(DATA[name] // PIECE)]
    for place in sorted(places):
        yield place * PIECE, hashlib.shake_128(f"{name} {place}".encode()).digest(PIECE)


def _reference(name: str) -> str:
    return f'#!/usr/bin/vmware\nconfig.version = "8"\ndisplayName = "{name}"\nguestOS = "other"\n'


def _descriptor(name: str) -> str:
    """A thin disk, as in a field capture."""
    return (
        f'# Disk DescriptorFile\nversion=1\nencoding="UTF-8"\nCID=3729b687\nparentCID=ffffffff\ncreateType="vmfs"\n\n'
        f'# Extent description\nRW {CAPACITY // 512} VMFS "{name}-flat.vmdk"\n\n# The Disk Data Base\n#DDB\n\n'
        f'ddb.adapterType = "lsilogic"\nddb.geometry.cylinders = "{CAPACITY // 512 // (64 * 32)}"\n'
        'ddb.geometry.heads = "64"\nddb.geometry.sectors = "32"\nddb.thinProvisioned = "1"\n'
        'ddb.virtualHWVersion = "7"\n'
    )
