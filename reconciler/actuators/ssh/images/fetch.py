"""From a host to this machine: a flat disk is read in parts, zeros cost nothing, and it grows here in the wanted form.

Each part's checksum is made on the host from the disk itself; what had arrived is compared before a run goes on.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.images import jobs, origin, parts
from reconciler.actuators.ssh.images.files import plain
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.actuators.ssh.images.lock import Stopped, VolumeLock
from reconciler.actuators.ssh.images.proof import Different
from reconciler.actuators.ssh.images.runner import HereRunner, HostRunner, Stumbled, must
from reconciler.actuators.work import Carried, Work
from reconciler.disks import targets
from reconciler.disks.sources import open_source
from reconciler.disks.targets import Target
from reconciler.image_verbs import CopyVerb
from reconciler.transports.shell import quote

MIB = 1 << 20
PART = 32 * MIB
READ_SECONDS = 3600.0
_ZEROS = bytes(MIB)


class Fetching:
    """One flat disk on its way here. `guard` is the lock's where that is a lock of this machine, else empty."""

    def __init__(
        self, runner: HostRunner, verb: CopyVerb, lock: VolumeLock, work: Work, job: Job, guard: str
    ) -> None:
        self._runner, self._verb, self._lock, self._work, self._job = runner, verb, lock, work, job
        self._guard = guard
        self._stem = f"{verb.cargo.folder}/{verb.cargo.file.removesuffix('.vmdk')}"
        self._flat = quote(f"{verb.cargo.folder}/{verb.cargo.flat}")
        self._folder = Path(job.folder)
        self._gzip = self._resumed = False

    def run(self) -> Answer:
        """Raises Stopped, Stumbled, LockLost, MissingTool, QemuFailed, OSError (a full disk), faults.Unreachable."""
        disk, form, capacity = self._job.room.disk, self._verb.format, self._verb.cargo.capacity
        source = self._identity()
        self._gzip = self._runner.ask("gzip -c < /dev/null | gunzip -c > /dev/null").status == 0
        there = self._begun(source)
        inside = Path(self._job.disk)
        self._resumed = bool(there)
        if not there:
            targets.create(inside, disk, form, capacity)
        digest = hashlib.md5(usedforsecurity=False)
        with (
            Target(inside, disk, form, self._verb.cargo.adapter) as target,
            (self._folder / "journal").open("a") as journal,
        ):
            for number, offset in enumerate(range(0, capacity, PART)):
                self._part(target, journal.fileno(), number, offset, there.get(number), digest)
            target.flush()
        self._reference(inside / f"{disk}.vmx.reference")
        if self._identity() != source:
            raise Stumbled("the disk on the host has changed while it was read")
        return Answer(True, proof=self._proof(inside, digest.hexdigest()))

    def _identity(self) -> str:
        """Changes when the disk on the host does."""
        size = must(self._runner, parts.size_of(self._flat)).text.strip()
        if size != str(self._verb.cargo.capacity):
            raise Stumbled(f"the disk on the host has another size than was seen ({size} bytes)")
        return f"{origin.identity(self._runner, self._verb.cargo)} {self._verb.format}"

    def _begun(self, source: str) -> dict[int, str]:
        """The parts that have arrived, by their digests; a job that can't be gone on with is made anew."""
        here = HereRunner()
        found = jobs.find(here, self._job)
        whole = Path(self._job.disk, targets.disk_file(self._job.room.disk, self._verb.format)).exists()
        if found is not None and whole and found.goes_on("fetch", source):
            return {int(line.split()[0]): line.split()[1] for line in found.journal if len(line.split()) == 2}
        if found is not None:
            jobs.remove(here, self._job, self._guard)
        jobs.begin(here, self._job, self._guard, "fetch", source)
        return {}

    def _part(
        self, target: Target, journal: int, number: int, offset: int, noted: str | None, whole: hashlib._Hash
    ) -> None:
        if self._work.stopping():
            raise Stopped("what has arrived stays; the next run goes on")
        self._lock.check()
        size = min(PART, self._verb.cargo.capacity - offset)
        if noted is not None:
            data = target.read(offset, size)
            if hashlib.md5(data, usedforsecurity=False).hexdigest() == noted:
                whole.update(data)
                self._tell(offset + size, 0)
                return
        digest = self._read(target, offset, size, whole)
        target.flush()
        os.write(journal, f"{number} {digest}\n".encode())
        os.fsync(journal)
        self._tell(offset + size, 0)

    def _read(self, target: Target, offset: int, size: int, whole: hashlib._Hash) -> str:
        """Read a part, and write what is not zero; its digest, which the host has to confirm."""
        read = f"dd if={self._flat} bs={MIB} skip={offset // MIB} count={-(-size // MIB)} 2>/dev/null"
        packing = "gzip -1 -c" if self._gzip else "cat"
        part = _Part(
            target,
            offset,
            whole,
            packed=self._gzip,
            clean=not self._resumed,
            tell=lambda passed: self._tell(offset, passed),
        )
        command = f"{read} | {packing}; {read} | md5sum >&2"
        output = self._runner.session.receive(command, part.take, limit=READ_SECONDS)
        part.end()
        said = output.err.decode("utf-8", "replace").strip()
        if part.size != size or not said.startswith(part.digest):
            raise Stumbled(
                said if len(said.split()) != 2 else "the disk on the host changed while it was read"
            )
        return part.digest

    def _tell(self, done: int, passed: int) -> None:
        total = self._verb.cargo.capacity
        self._work.progress(Carried(self._verb.cargo.image, done, total, "from_host", passed))

    def _reference(self, path: Path) -> None:
        if not self._verb.cargo.reference:
            return
        content = bytearray()
        source = f"{self._stem}.vmx.reference"
        must(self._runner, plain(source))
        output = self._runner.session.receive(f"cat {quote(source)}", content.extend, limit=READ_SECONDS)
        if output.status != 0:
            raise Stumbled(output.err.decode("utf-8", "replace").strip())
        path.write_bytes(content)

    def _proof(self, inside: Path, digest: str) -> str:
        if self._verb.verify != "full":
            return "checksums of all parts, made on the host from its disk"
        with open_source(inside, self._job.room.disk, _vmdk(self._verb.format)) as copy:
            if copy.digest() != digest:
                raise Different
        return "a checksum of all that a guest sees, of both disks"


def _vmdk(form: str) -> str:
    return form if form in ("qcow2", "vdi") else "vmdk"


class _Part:
    """Bytes as they come: unpacked, written where they are not zero, and counted.

    Not `clean`: something else may stand there, and zeros are written over it.
    """

    def __init__(
        self,
        target: Target,
        offset: int,
        whole: hashlib._Hash,
        *,
        packed: bool,
        clean: bool,
        tell: Callable[[int], None],
    ) -> None:
        self._target, self._offset, self._whole, self._report = target, offset, whole, tell
        self._clean = clean
        self._unpack = zlib.decompressobj(wbits=parts.GZIP) if packed else None
        self._waiting = bytearray()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    @property
    def digest(self) -> str:
        return self._md5.hexdigest()

    def take(self, piece: bytes) -> None:
        self._report(len(piece))
        self._waiting += self._unpack.decompress(piece) if self._unpack else piece
        while len(self._waiting) >= MIB:
            self._write(bytes(self._waiting[:MIB]))
            del self._waiting[:MIB]

    def end(self) -> None:
        if self._unpack is not None:
            self._waiting += self._unpack.flush()
        if self._waiting:
            self._write(bytes(self._waiting))
            self._waiting.clear()

    def _write(self, data: bytes) -> None:
        self._md5.update(data)
        self._whole.update(data)
        at, zeros = self._offset + self.size, _ZEROS[: len(data)]
        if data != zeros or not (self._clean or self._target.read(at, len(data)) == zeros):
            self._target.write(at, data)
        self.size += len(data)
