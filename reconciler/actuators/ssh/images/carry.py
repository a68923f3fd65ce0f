"""Carry a verb on master images out, below the lock of its volume, and say what came of it."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.images import folders, jobs, relied, send
from reconciler.actuators.ssh.images.clone import Cloning, FormRefused, clone_command
from reconciler.actuators.ssh.images.fetch import Fetching
from reconciler.actuators.ssh.images.jobs import Job, place_commands
from reconciler.actuators.ssh.images.lock import (
    LOST,
    TAKEN,
    LockLost,
    LockTaken,
    Stopped,
    VolumeLock,
    volume_lock,
)
from reconciler.actuators.ssh.images.owner import Clock
from reconciler.actuators.ssh.images.proof import Changed, CloneProof, Different
from reconciler.actuators.ssh.images.relay import Relaying
from reconciler.actuators.ssh.images.runner import (
    HereRunner,
    HostRunner,
    Runner,
    Session,
    Stumbled,
    is_full,
    must,
)
from reconciler.actuators.work import Carried, Work
from reconciler.disks.descriptors import BadDisk
from reconciler.disks.nbd import MissingTool, QemuFailed
from reconciler.image_verbs import (
    CloneDisk,
    CopyVerb,
    DeleteFolder,
    FetchDisk,
    ImageVerb,
    PutInPlace,
    RelayDisk,
    SendDisk,
    SetAside,
)
from reconciler.transports.shell import quote


def carry_out(verb: ImageVerb, session: Session, work: Work) -> Answer:
    """Do it. Raises faults.Unreachable when the link is cut: what was begun is found by the next run."""
    host = HostRunner(session)
    ground: Runner = HereRunner() if verb.room.here else host
    clock = Clock(pause=work.pause)
    try:
        with volume_lock(ground, verb.room.volume, verb.title, work.stopping, clock) as lock:
            if lock.waited or _is_done(ground, verb):
                return Answer(False, "somebody else worked on the volume meanwhile", passing=True)
            return _told(_Carrier(host, ground, lock, work, clock), verb)
    except LockTaken as taken:
        return Answer(False, str(taken), held=True)
    except Stopped as stopped:
        return Answer(False, str(stopped) or "it was not begun", cut=True)
    except Stumbled as problem:
        return Answer(False, str(problem))


def _told(carrier: _Carrier, verb: ImageVerb) -> Answer:
    """What came of it. Whatever failed when another run had taken the lock failed because of that."""
    try:
        answer = carrier.do(verb)
    except Stumbled as problem:
        answer = Answer(False, str(problem))
    except LockLost as lost:
        return Answer(False, str(lost), lost=True)
    if answer.ok or carrier.holds():
        return answer
    return replace(answer, said=TAKEN, lost=True)


def _is_done(ground: Runner, verb: ImageVerb) -> bool:
    """Whether the copy came since it was decided to make it; a look tells what it is worth."""
    return isinstance(verb, CopyVerb) and ground.ask(f"[ -e {quote(verb.room.folder)} ]").status == 0


class _Carrier:
    """`host` runs commands on the host, `ground` where the copy goes."""

    def __init__(self, host: HostRunner, ground: Runner, lock: VolumeLock, work: Work, clock: Clock) -> None:
        self._host, self._ground, self._lock, self._work, self._clock = host, ground, lock, work, clock

    def holds(self) -> bool:
        return self._ground.ask(f"{self._lock.guard}true").status != LOST

    def do(self, verb: ImageVerb) -> Answer:
        if not isinstance(verb, CopyVerb):
            refusal = self._refusal(verb)
            if refusal is not None:
                return refusal
            for command in commands(verb):
                must(self._ground, self._lock.guard + command, 3600.0)
            return Answer(True)
        try:
            return self._copied(verb)
        except (Different, Changed) as wrong:
            # what is not the source does not stay
            jobs.remove(self._ground, Job(verb.room, verb.cargo.image), self._lock.guard)
            return Answer(False, str(wrong))
        except BadDisk as bad:
            return Answer(False, f"{verb.cargo.image} can't be copied from {verb.cargo.folder}: {bad}")
        except MissingTool as missing:
            return Answer(False, str(missing), next="install it, then run again")
        except (QemuFailed, OSError, Stumbled) as problem:
            return self._failed(verb, problem)

    def _refusal(self, verb: ImageVerb) -> Answer | None:
        """Why a deletion must not be made: the copy on which it relies is no whole one, or can't be looked at."""
        if not isinstance(verb, SetAside | DeleteFolder) or verb.copy is None:
            return None

        def passing(size: int) -> None:
            if self._work.stopping():
                raise Stopped("the copy on which that relies was not looked at to its end")
            self._lock.check()

        try:
            why = relied.objection(self._host, verb.copy, self._work.spool, passing)
        except MissingTool as missing:
            return Answer(False, str(missing), next="install it, then run again")
        except OSError as problem:
            where = f"the copy on which that relies can't be looked at in {self._work.spool}"
            return Answer(False, f"{where}: {problem}", next="make room there, then run again")
        return None if why is None else Answer(False, why, held=True, refused=verb.copy.folder)

    def _copied(self, verb: CopyVerb) -> Answer:
        job = Job(verb.room, verb.cargo.image)
        answer = self._grown(verb, job)
        if answer.ok:
            jobs.place(self._ground, job, self._lock, verb)
        return answer

    def _grown(self, verb: CopyVerb, job: Job) -> Answer:
        """The whole and proved copy in the job's folder."""
        if isinstance(verb, CloneDisk):
            try:
                answer = Cloning(self._host, verb, self._lock, self._work, self._clock).run()
            except FormRefused:
                return self._relayed(verb)
            return self._proved(verb, answer) if answer.ok and verb.verify == "full" else answer
        if isinstance(verb, SendDisk):
            disk, _, ending = verb.cargo.file.rpartition(".")
            form = ending if ending in ("qcow2", "vdi") else "vmdk"
            return send.Sending(self._host, verb, self._lock, self._work).run(
                Path(verb.cargo.folder), disk, form
            )
        if isinstance(verb, FetchDisk):
            return self._fetched(verb, job)
        return self._relayed(verb)

    def _proved(self, verb: CloneDisk, answer: Answer) -> Answer:
        """The strong proof of a clone."""
        moved = 0

        def passing(size: int) -> None:
            nonlocal moved
            if self._work.stopping():
                raise Stopped("the copy is made and not proved yet; the next run goes on")
            self._lock.check()
            moved += size
            total = verb.cargo.data
            self._work.progress(
                Carried(f"{verb.cargo.image}, the proof", min(moved, total), total, "from_host", size)
            )

        proof = CloneProof(self._host, verb, self._work.spool, passing).make()
        return replace(answer, proof=proof)

    def _relayed(self, verb: CopyVerb) -> Answer:
        return Relaying(self._host, verb, self._lock, self._work).run()

    def _fetched(self, verb: FetchDisk, job: Job) -> Answer:
        if verb.cargo.flat:
            return Fetching(self._host, verb, self._lock, self._work, job, self._lock.guard).run()
        if jobs.find(self._ground, job) is not None:
            jobs.remove(self._ground, job, self._lock.guard)
        jobs.begin(self._ground, job, self._lock.guard, "fetch", "files")
        return Relaying(self._host, verb, self._lock, self._work).here(job)

    def _failed(self, verb: CopyVerb, problem: Exception) -> Answer:
        """A disk that filled up keeps no remains of the copy."""
        said = str(problem)
        full = is_full(said) or (isinstance(problem, OSError) and problem.errno == errno.ENOSPC)
        if not full:
            return Answer(False, said)
        if isinstance(problem, OSError) and not verb.room.here:
            # what passes through did not fit; what has arrived on the host stays
            return Answer(
                False, f"the disk of {self._work.spool} here is full: {said}", next="make room there"
            )
        jobs.remove(self._ground, Job(verb.room, verb.cargo.image), self._lock.guard)
        if verb.room.here:
            return Answer(
                False, f"the disk of {verb.room.volume} here is full: {said}", next="make room there"
            )
        return Answer(False, said, filled=verb.room.volume)


def commands(verb: ImageVerb) -> tuple[str, ...]:
    """The commands on the host, as the plan shows them. Below the lock's own, which are the same for all."""
    if isinstance(verb, SetAside):
        return folders.set_aside_commands(verb)
    if isinstance(verb, DeleteFolder):
        return folders.delete_commands(verb)
    if isinstance(verb, PutInPlace):
        return folders.put_in_place_commands(verb)
    assert isinstance(verb, CopyVerb)
    return _copy_commands(verb)


def _copy_commands(verb: CopyVerb) -> tuple[str, ...]:
    job = Job(verb.room, verb.cargo.image)
    source = quote(f"{verb.cargo.folder}/{verb.cargo.file}")
    flat = quote(f"{verb.cargo.folder}/{verb.cargo.flat or verb.cargo.file}")
    if isinstance(verb, CloneDisk):
        stem = quote(f"{verb.cargo.folder}/{verb.cargo.file.rpartition('.')[0]}.vmx.reference")
        reference = (f"cp {stem} {job.file('.vmx.reference')}",) if verb.cargo.reference else ()
        return (
            f"mkdir -p {quote(job.disk)}",
            clone_command(verb, job),
            *reference,
            *place_commands(job, verb),
        )
    if isinstance(verb, FetchDisk):
        return (f"dd if={flat} bs=1048576 skip=… count=32 | gzip -1 -c  # for each part",)
    if isinstance(verb, RelayDisk) and verb.readable:
        return (f"dd if={flat} bs=1048576 skip=… count=32 | gzip -1 -c  # for each part", *_pushed(job, verb))
    fetched = (f"cat {source}",) if isinstance(verb, RelayDisk) else ()
    made = (f"mkdir -p {quote(job.disk)}", *send.shown_commands(verb, job), *place_commands(job, verb))
    return (*fetched, *made)


def _pushed(job: Job, verb: CopyVerb) -> tuple[str, ...]:
    return (
        f"mkdir -p {quote(job.disk)}",
        f"cat > {quote(job.disk)}/…  # for each file",
        *place_commands(job, verb),
    )
