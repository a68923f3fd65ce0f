"""Master images on simulated hosts and in repositories: contents, places, and what a host has of them."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from typing import Any

from reconciler.report import HostReport
from reconciler.simulator import NfsMount, Storage
from tests.live.passes.world import PATH, SERVER, World, standard_storage, world

MIB = 1 << 20
WIN = "vmwarewin7-base234-v12"
LINUX = "vmwarelinux-centosbase1617-v1"
SIZE = 64 * MIB + 512 * 7
VERSIONS = ("4.1", "5.5", "6.7", "8.0")
REPOSITORY = "/vmfs/volumes/repository"
DISK = "/vmfs/volumes/datastore1"


def content(seed: int = 1, data: int = 3 * MIB) -> dict[int, bytes]:
    """Something at the beginning, in the middle and at the very end, with holes between."""
    some = random.Random(seed)
    return {
        0: some.randbytes(70_000),
        5 * MIB: some.randbytes(data),
        40 * MIB: b"text " * 20_000,
        SIZE - 512: some.randbytes(512),
    }


def raw_digest(pieces: Mapping[int, bytes], size: int = SIZE) -> str:
    """MD5 of what a guest sees of such a disk."""
    whole = bytearray(size)
    for offset, data in pieces.items():
        whole[offset : offset + len(data)] = data
    return md5(whole, usedforsecurity=False).hexdigest()


FORMS = {
    "2gbsparse": ("vmdk", ["-o", "subformat=twoGbMaxExtentSparse"]),
    "monolithicSparse": ("vmdk", ["-o", "subformat=monolithicSparse"]),
    "streamOptimized": ("vmdk", ["-o", "subformat=streamOptimized"]),
    "monolithicFlat": ("vmdk", ["-o", "subformat=monolithicFlat"]),
    "qcow2": ("qcow2", []),
    "vdi": ("vdi", []),
}


def put_here(
    repository: Path, name: str, form: str = "2gbsparse", pieces: Mapping[int, bytes] | None = None
) -> str:
    """An image in a repository on this machine, made by qemu-img; MD5 of what a guest sees."""
    folder = repository / name
    folder.mkdir(parents=True)
    raw = repository / ".raw"
    with raw.open("wb") as stream:
        stream.truncate(SIZE)
        for offset, data in (pieces or content()).items():
            stream.seek(offset)
            stream.write(data)
    driver, options = FORMS[form]
    target = folder / f"{name}.{driver}"
    command = ["qemu-img", "convert", "-f", "raw", "-O", driver, *options, str(raw), str(target)]
    subprocess.run(command, check=True)
    (folder / f"{name}.vmx.reference").write_text(f'displayName = "{name}"\n')
    digest = md5(raw.read_bytes(), usedforsecurity=False).hexdigest()
    raw.unlink()
    for file in folder.iterdir():
        os.utime(file, (time.time() - 3600, time.time() - 3600))
    return digest


def put_on(
    there: World, base: str, name: str, form: str = "thin", pieces: Mapping[int, bytes] | None = None
) -> str:
    """An image on a volume of the host; MD5 of what a guest sees."""
    pieces = pieces or content()
    there.host.files.put_disk(f"{base}/{name}/{name}.vmdk", SIZE, pieces, form, 0o644)
    there.host.files.write(f"{base}/{name}/{name}.vmx.reference", b'displayName = "x"\n', 0o644)
    aged(there, f"{base}/{name}")
    return raw_digest(pieces)


def aged(there: World, folder: str, seconds: float = 3600.0) -> None:
    """Its files were written so long ago: what is fresh may be a copy of somebody else that goes on."""
    for file in there.host.files.names(folder):
        there.host.files.set_time(f"{folder}/{file}", time.time() - seconds)


def wishes(images: Mapping[str, Any], repository: str | None = REPOSITORY, **more: Any) -> dict[str, Any]:
    """A spec with images; `more` is for virtualDisk and repository."""
    disk: dict[str, Any] = {"path": "datastore1"}
    disk |= {key: more[key] for key in ("mode", "format", "reserve") if key in more}
    spec: dict[str, Any] = {"virtualDisk": disk, "images": dict(images)}
    if repository is not None:
        spec["repository"] = {"path": repository, **more.get("kept", {})}
    return spec


@contextmanager
def images_world(
    folder: Path, version: str, spec: Mapping[str, Any], storage: Storage | None = None, **model: Any
) -> Iterator[World]:
    """A host with an NFS repository and a disk of its own."""
    mount = NfsMount("repository", SERVER, PATH)
    with world(folder, version, spec, storage or standard_storage(), nfs=(mount,), **model) as there:
        yield there


def arrived(there: World, name: str, base: str = DISK) -> str:
    """MD5 of what a guest sees of the image on the host."""
    digest: str = there.host.files.disk_digest(f"{base}/{name}/{name}.vmdk")
    return digest


def seen_by_guest(path: Path) -> str:
    """MD5 of what a guest sees of a disk here."""
    raw = path.parent / "raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(path), str(raw)], check=True)
    digest = md5(raw.read_bytes(), usedforsecurity=False).hexdigest()
    raw.unlink()
    return digest


def clean(there: World, volume: str = DISK) -> bool:
    """Whether nothing of ours is left at the root of a volume."""
    return not [name for name in there.host.files.names(volume) if name.startswith(".reconciler")]


def why(report: HostReport, resource: str) -> str:
    """Why a resource is held, or unknown, or what a finding says of it."""
    held = [it.why for it in report.held if it.resource == resource]
    return "\n".join(
        [*held, *(it.why for it in (*report.unknown, *report.findings) if it.resource == resource)]
    )


def done(report: HostReport) -> dict[str, list[str]]:
    """The steps by resource: verb and outcome."""
    found: dict[str, list[str]] = {}
    for step in report.steps:
        found.setdefault(step.resource, []).append(f"{step.verb} {step.outcome}")
    return found
