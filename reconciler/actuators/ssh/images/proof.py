"""The strong proof of a copy: a checksum of all that a guest sees, of the copy and of its source.

A flat disk is read where it lies. The extents of any other form are fetched and put together here for it: no host has a
tool that does that without a second copy on the datastore.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from reconciler.actuators.ssh.images.files import fetch_all, names_of
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.actuators.ssh.images.runner import HostRunner, Runner, Stumbled, must
from reconciler.disks.sources import open_source
from reconciler.image_verbs import CloneDisk
from reconciler.transports.shell import quote

SHORTEST_SECONDS = 900.0
RATE = 10 << 20
"""A checksum of a whole disk is given its time at this rate, in bytes per second."""


class Different(Stumbled):
    """The copy is not what its source is."""

    def __init__(self) -> None:
        super().__init__("the copy differs from its source: a checksum of all that a guest sees is another")


def flat_digest(runner: Runner, flat: str, capacity: int) -> str:
    """MD5 of a flat disk on the host (`flat` is quoted, `capacity` in bytes). Raises Stumbled, faults.Unreachable."""
    words = must(runner, f"md5sum < {flat}", max(SHORTEST_SECONDS, capacity / RATE)).text.split()
    return words[0] if words else ""


def whole_proof(runner: Runner, flat: str, capacity: int, digest: str) -> str:
    """Compare the whole disk on the host with the digest of its source. Raises Different."""
    if flat_digest(runner, flat, capacity) != digest:
        raise Different
    return "a checksum of all that a guest sees, on the host"


class Changed(Stumbled):
    """The source is not what it was when the copy began: the copy may be a mixture of both."""

    def __init__(self) -> None:
        super().__init__("the source has changed while it was copied; the next run begins anew")


class CloneProof:
    """Compares a clone with its source. `passing` hears of bytes that come here for it, and may raise to end it."""

    def __init__(
        self, runner: HostRunner, verb: CloneDisk, spool: Path, passing: Callable[[int], None]
    ) -> None:
        self._runner, self._verb, self._passing = runner, verb, passing
        name = hashlib.sha256(f"proof of {verb.room.folder}".encode("utf-8", "surrogateescape")).hexdigest()[
            :16
        ]
        self._spool = spool / name

    def make(self) -> str:
        """Raises Different, BadDisk, MissingTool, OSError (a full disk here), faults.Unreachable."""
        cargo, job = self._verb.cargo, Job(self._verb.room, self._verb.cargo.image)
        source = self._digest(cargo.folder, cargo.file.rpartition(".")[0], cargo.flat, cargo.parts, "source")
        copied, names = f"{job.room.disk}-flat.vmdk", tuple[str, ...]()
        if self._verb.format == "2gbsparse":
            copied, names = "", names_of(self._runner, job.disk, job.room.disk)
        same = self._digest(job.disk, job.room.disk, copied, names, "copy") == source
        shutil.rmtree(self._spool, ignore_errors=True)
        if not same:
            raise Different
        return "a checksum of all that a guest sees, of both disks"

    def _digest(self, folder: str, stem: str, flat: str, names: tuple[str, ...], name: str) -> str:
        if flat:
            return flat_digest(self._runner, quote(f"{folder}/{flat}"), self._verb.cargo.capacity)
        files = self._spool / name
        files.mkdir(parents=True, exist_ok=True, mode=0o700)
        fetch_all(self._runner, folder, names, files, self._passing)
        with open_source(files, stem, "vmdk") as disk:
            return disk.digest()
