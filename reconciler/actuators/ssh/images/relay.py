"""By way of this machine: from one place on a host to another, in forms that vmkfstools does not read or write.

The files lie in the spool meanwhile, and go when the copy is made; one that has arrived whole stays for the next run,
which uses it while its source is still the same.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.images import jobs
from reconciler.actuators.ssh.images.deliver import SEND_SECONDS
from reconciler.actuators.ssh.images.fetch import Fetching
from reconciler.actuators.ssh.images.files import digest_of, fetch_all
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.actuators.ssh.images.lock import Stopped, VolumeLock
from reconciler.actuators.ssh.images.origin import identity
from reconciler.actuators.ssh.images.proof import Changed, Different
from reconciler.actuators.ssh.images.runner import HostRunner, Stumbled, must
from reconciler.actuators.ssh.images.send import Sending
from reconciler.actuators.work import Carried, Direction, Work
from reconciler.disks import targets
from reconciler.disks.sources import open_source
from reconciler.image_verbs import CopyVerb, Room
from reconciler.transports.shell import quote

PIECE = 1 << 20


class Relaying:
    """One disk that passes through this machine."""

    def __init__(self, runner: HostRunner, verb: CopyVerb, lock: VolumeLock, work: Work) -> None:
        self._runner, self._verb, self._lock, self._work = runner, verb, lock, work
        self._job = Job(verb.room, verb.cargo.image)
        whole = f"{verb.room.folder} {verb.cargo.folder} {verb.format}"
        name = hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._spool, self._moved = work.spool / name, 0

    def run(self) -> Answer:
        """Raises BadDisk, MissingTool, Changed, Stopped, Stumbled, LockLost, OSError, faults.Unreachable."""
        self._begin()
        answer = self._out() if self._verb.readable else self._in()
        if answer.ok:
            shutil.rmtree(self._spool, ignore_errors=True)
        return answer

    def here(self, job: Job) -> Answer:
        """A disk of several files into a repository on this machine. Raises as `run`."""
        self._begin()
        made = self._spool / "made"
        if not made.exists():
            self._converted(made, self._verb.format)
        self._heed()
        shutil.rmtree(job.disk, ignore_errors=True)
        shutil.copytree(made, job.disk)
        shutil.rmtree(self._spool, ignore_errors=True)
        return Answer(True, proof=self._proof("made on the host"))

    # -- the spool -------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """What lies in the spool stays only if it was made of what the source is now."""
        self._source = f"{identity(self._runner, self._verb.cargo)} {self._verb.verify}"
        note = self._spool / "source"
        if not note.is_file() or note.read_text() != self._source:
            shutil.rmtree(self._spool, ignore_errors=True)
            self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            note.write_text(self._source)

    def _check_source(self) -> None:
        """Raises Changed, and keeps nothing, when what was read may be of two states."""
        if f"{identity(self._runner, self._verb.cargo)} {self._verb.verify}" != self._source:
            shutil.rmtree(self._spool, ignore_errors=True)
            raise Changed

    # -- into the virtual disk path --------------------------------------------------------------------------

    def _in(self) -> Answer:
        """Fetch the files as they are, put them together here, and send the disk."""
        stem, _, ending = self._verb.cargo.file.rpartition(".")
        files = self._fetched()
        form = ending if ending in ("qcow2", "vdi") else "vmdk"
        return Sending(self._runner, self._verb, self._lock, self._work).run(files, stem, form)

    def _fetched(self) -> Path:
        """Where the files of the disk lie here."""
        files, cargo = self._spool / "files", self._verb.cargo
        reference = f"{cargo.file.rpartition('.')[0]}.vmx.reference"
        names = (*cargo.parts, *((reference,) if cargo.reference else ()))
        fetch_all(self._runner, cargo.folder, names, files, self._taken)
        self._check_source()
        return files

    def _taken(self, size: int) -> None:
        self._heed()
        self._tell(size, "from_host")

    # -- into a repository on the host -----------------------------------------------------------------------

    def _out(self) -> Answer:
        """Make the disk here in the repository's form, and send its files."""
        form = self._form()
        made = self._made(form)
        job = self._job
        found = jobs.find(self._runner, job)
        identity = f"{digest_of(made / targets.disk_file(job.room.disk, form))} {form}"
        if found is not None and not found.goes_on("push", identity):
            jobs.remove(self._runner, job, self._lock.guard)
            found = None
        if found is None:
            jobs.begin(self._runner, job, self._lock.guard, "push", identity)
        for path in sorted(made.iterdir()):
            self._push_file(path, f"{job.disk}/{path.name}")
        return Answer(True, proof=self._proof("read back from the host"))

    def _form(self) -> str:
        return {"thin": "vmdk"}.get(self._verb.format, self._verb.format)

    def _made(self, form: str) -> Path:
        """The disk in the spool, in the repository's form."""
        room = Room(str(self._spool), str(self._spool / "made"), self._job.room.disk, here=True)
        verb = replace(self._verb, room=room, format=form)
        job = Job(room, self._verb.cargo.image)
        made = Path(room.folder)
        if made.exists():
            return made
        if self._verb.cargo.flat:
            Fetching(self._runner, verb, self._lock, self._work, job, guard="").run()
            Path(job.disk).rename(made)
            return made
        return self._converted(made, form)

    def _converted(self, made: Path, form: str) -> Path:
        """A disk of several files: fetched as it is, and written anew here."""
        stem = self._verb.cargo.file.rpartition(".")[0]
        files = self._fetched()
        growing = self._spool / "growing"
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir()
        disk = self._job.room.disk
        with open_source(files, stem, "vmdk") as source:
            targets.create(growing, disk, form, source.capacity)
            with targets.Target(growing, disk, form, self._verb.cargo.adapter) as target:
                for run in source.runs:
                    for offset in range(run.offset, run.end, PIECE):
                        self._heed()
                        target.write(offset, source.read(offset, min(PIECE, run.end - offset)))
                target.flush()
            if self._verb.verify == "full":
                self._compare(growing, form, source.digest())
        if (files / f"{stem}.vmx.reference").is_file():
            shutil.copy(files / f"{stem}.vmx.reference", growing / f"{disk}.vmx.reference")
        growing.rename(made)
        return made

    def _compare(self, made: Path, form: str, digest: str) -> None:
        with open_source(made, self._job.room.disk, form if form in ("qcow2", "vdi") else "vmdk") as copy:
            if copy.digest() != digest:
                raise Different

    def _proof(self, files: str) -> str:
        whole = "a checksum of all that a guest sees, and " if self._verb.verify == "full" else ""
        return f"{whole}checksums of all files, {files}"

    def _push_file(self, path: Path, target: str) -> None:
        digest = digest_of(path)
        same = f"[ \"$(md5sum < {quote(target)})\" = '{digest}  -' ]"
        if self._runner.ask(f"[ -f {quote(target)} ] && {same}", SEND_SECONDS).status == 0:
            return
        with path.open("rb") as stream:
            pieces = self._pieces(stream)
            command = f"{self._lock.input_guard}cat > {quote(target)}"
            output = self._runner.session.send(command, pieces, limit=SEND_SECONDS)
        if output.status != 0:
            raise Stumbled((output.err + output.out).decode("utf-8", "replace").strip())
        must(
            self._runner,
            f"{same} || {{ echo 'the file does not hold what was sent'; exit 5; }}",
            SEND_SECONDS,
        )

    def _pieces(self, stream: BinaryIO) -> Iterator[bytes]:
        while piece := stream.read(PIECE):
            self._heed()
            yield piece
            self._tell(len(piece), "to_host")

    def _heed(self) -> None:
        if self._work.stopping():
            raise Stopped("what has arrived stays; the next run goes on")
        self._lock.check()

    def _tell(self, passed: int, direction: Direction) -> None:
        """Each byte passes twice: the copy is half done when all of it is here."""
        cargo = self._verb.cargo
        self._moved += passed
        self._work.progress(
            Carried(cargo.image, min(cargo.data, self._moved // 2), cargo.data, direction, passed)
        )
