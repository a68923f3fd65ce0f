"""Carry a copy out over the SDK, below the lock of its volume, and say what came of it."""

from __future__ import annotations

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.images.clone import Busy, Cloning, Ground
from reconciler.actuators.sdk.images.files import VolumeFiles
from reconciler.actuators.sdk.images.lock import VolumeLock, volume_lock
from reconciler.actuators.sdk.refusals import refusal
from reconciler.actuators.sdk.session import Session, Stumbled
from reconciler.actuators.sdk.volumes import volume_at
from reconciler.actuators.ssh.images.lock import TAKEN, LockLost, LockTaken, Stopped
from reconciler.actuators.ssh.images.owner import Clock
from reconciler.actuators.work import Work
from reconciler.image_verbs import CloneDisk
from reconciler.transports.sdk.answers import MethodFault


def carry_out(verb: CloneDisk, session: Session, work: Work) -> Answer:
    """Do it. Raises MethodFault, Stumbled, faults.Unreachable: what was begun is found by the next run."""
    source, target = (
        VolumeFiles(session, volume_at(path, session)) for path in (verb.cargo.folder, verb.room.volume)
    )
    clock = Clock(pause=work.pause)
    try:
        with volume_lock(target, verb.title, work.stopping, clock) as lock:
            if lock.waited or target.list(_final(verb)) is not None:
                return Answer(False, "somebody else worked on the volume meanwhile", passing=True)
            return _copied(verb, Ground(session, source, target, work, clock), lock)
    except LockTaken as taken:
        return Answer(False, str(taken), held=True)
    except Stopped as stopped:
        return Answer(False, str(stopped) or "it was not begun", cut=True)


def _copied(verb: CloneDisk, ground: Ground, lock: VolumeLock) -> Answer:
    """What came of it. Whatever failed when another run had taken the lock failed because of that."""
    try:
        answer = Cloning(verb, ground, lock).run()
    except Busy as busy:
        return Answer(False, str(busy), held=True)
    except LockLost as lost:
        return Answer(False, str(lost), lost=True)
    except MethodFault as fault:
        answer = refusal(fault, verb)
    except Stumbled as problem:
        answer = Answer(False, str(problem))
    return answer if answer.ok or lock.holds() else Answer(False, TAKEN, lost=True)


def _final(verb: CloneDisk) -> str:
    return verb.room.folder.removeprefix(verb.room.volume).strip("/")
