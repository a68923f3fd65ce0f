"""From this machine to a host: only the data travels, into a disk that vmkfstools made there.

Each chunk is read back from the disk and compared before it is noted; a run that was cut goes on with what is not
noted, after it has compared what is.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.images import jobs, parts
from reconciler.actuators.ssh.images.deliver import APPLY_SECONDS, SEND_SECONDS, Delivery
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.actuators.ssh.images.loads import loads, md5_of
from reconciler.actuators.ssh.images.lock import VolumeLock
from reconciler.actuators.ssh.images.proof import Changed, whole_proof
from reconciler.actuators.ssh.images.runner import HostRunner, Stumbled, must
from reconciler.actuators.work import Carried, Work
from reconciler.disks.chunks import Chunk, chunks
from reconciler.disks.sources import Source, open_source
from reconciler.image_verbs import CopyVerb
from reconciler.transports.shell import quote

COMPARED_AT_ONCE = 16


class Sending:
    """One disk on its way to a host. `folder` is where it lies here, be it the repository or the spool."""

    def __init__(self, runner: HostRunner, verb: CopyVerb, lock: VolumeLock, work: Work) -> None:
        self._runner, self._verb, self._lock, self._work = runner, verb, lock, work
        self._job = Job(verb.room, verb.cargo.image)
        self._flat = self._job.file("-flat.vmdk")
        self._delivery = Delivery(runner, self._job, lock, work.stopping, self._tell)
        self._gate = threading.Lock()
        self._done = self._total = 0

    def run(self, folder: Path, disk: str, form: str) -> Answer:
        """Raises BadDisk, MissingTool (nothing was sent), Changed, Different, Stopped, Stumbled, LockLost,
        faults.Unreachable."""
        with open_source(folder, disk, form) as source:
            every = chunks(source.runs)
            self._total = sum(chunk.size for chunk in every)
            there = self._resumed(source, every)
            if there is None:
                self._create(source)
                there = frozenset()
            self._delivery.carry(source, [chunk for chunk in every if chunk.number not in there])
            self._name_adapter()
            self._reference(folder, disk)
            proof = self._proved(source, every)
            if not source.is_same():
                raise Changed
        return Answer(True, proof=proof)

    # -- beginning -------------------------------------------------------------------------------------------

    def _identity(self, source: Source) -> str:
        return f"{source.fingerprint} {self._verb.format}"

    def _resumed(self, source: Source, every: tuple[Chunk, ...]) -> frozenset[int] | None:
        """The chunks that have arrived, compared with the source; None when there is nothing to go on with."""
        found = jobs.find(self._runner, self._job)
        if found is None:
            return None
        made = self._runner.ask(f'[ "$({parts.size_of(self._flat)})" = {source.capacity} ]').status == 0
        if not made or not found.goes_on("stream", self._identity(source)):
            jobs.remove(self._runner, self._job, self._lock.guard)
            return None
        must(self._runner, f"{self._lock.guard}rm -f {quote(self._job.folder)}/in.*")
        noted = parts.noted(found.journal, every)
        wanted = [chunk for chunk in every if chunk.number in noted]
        there: set[int] = set()
        for start in range(0, len(wanted), COMPARED_AT_ONCE):
            some = wanted[start : start + COMPARED_AT_ONCE]
            there |= self._compared(source, some)
            self._tell(sum(chunk.size for chunk in some if chunk.number in there), 0)
        return frozenset(there)

    def _compared(self, source: Source, some: list[Chunk]) -> set[int]:
        """Those of which the disk holds what the source has now."""
        self._delivery.heed()
        digests = {load.chunk.number: load.digest for load in loads(source, some)}
        tests = (
            f"{parts.holds(chunk, self._flat, digests[chunk.number])} && echo {chunk.number}"
            for chunk in some
        )
        piece = self._runner.ask("; ".join([*tests, "true"]), APPLY_SECONDS)
        return {int(number) for number in piece.text.split()}

    def _create(self, source: Source) -> None:
        jobs.begin(self._runner, self._job, self._lock.guard, "stream", self._identity(source))
        must(self._runner, self._lock.guard + create_command(self._verb, self._job), APPLY_SECONDS)

    # -- carrying --------------------------------------------------------------------------------------------

    def _tell(self, more: int, passed: int) -> None:
        with self._gate:
            self._done += more
            self._work.progress(Carried(self._verb.cargo.image, self._done, self._total, "to_host", passed))

    # -- ending ----------------------------------------------------------------------------------------------

    def _name_adapter(self) -> None:
        """vmkfstools names an adapter of its own choice; VCL builds machines by the one that the image has."""
        adapter, descriptor = self._verb.cargo.adapter, self._job.file(".vmdk")
        if not adapter:
            return
        new = self._job.path("descriptor")
        line = quote(f's/^ddb.adapterType *=.*/ddb.adapterType = "{adapter}"/')
        change = f"sed {line} {descriptor} > {new} && [ -s {new} ] && cat {new} > {descriptor} && rm -f {new}"
        must(self._runner, f"{self._lock.guard}{change}")

    def _reference(self, folder: Path, disk: str) -> None:
        file = folder / f"{disk}.vmx.reference"
        if not self._verb.cargo.reference or not file.is_file():
            return
        # a link may lead anywhere on this machine
        with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as stream:
            content = stream.read()
        target = self._job.file(".vmx.reference")
        output = self._runner.session.send(
            f"{self._lock.input_guard}cat > {target}", [content], limit=SEND_SECONDS
        )
        if output.status != 0:
            raise Stumbled((output.err + output.out).decode("utf-8", "replace").strip())
        must(self._runner, f"[ \"$(md5sum < {target})\" = '{md5_of(content)}  -' ]")

    def _proved(self, source: Source, every: tuple[Chunk, ...]) -> str:
        size = must(self._runner, parts.size_of(self._flat)).text.strip()
        if size != str(source.capacity):
            raise Stumbled(f"the disk has {size} bytes and should have {source.capacity}")
        if self._verb.verify == "full":
            return whole_proof(self._runner, self._flat, source.capacity, source.digest())
        return "checksums of all parts, read back from the host's disk"


def create_command(verb: CopyVerb, job: Job) -> str:
    """The command that makes the empty disk."""
    return f"vmkfstools -c {verb.cargo.capacity} -d {verb.format} {job.file('.vmdk')}"


def shown_commands(verb: CopyVerb, job: Job) -> tuple[str, ...]:
    """As the plan shows them: what varies from part to part in words."""
    part, flat = job.path("in.N"), job.file("-flat.vmdk")
    return (
        create_command(verb, job),
        f"cat > {part} && dd if={part} of={flat} bs=65536 skip=… seek=… count=… conv=notrunc  # for each part N",
    )
