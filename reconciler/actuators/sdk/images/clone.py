"""A copy on the host by VirtualDiskManager.CopyVirtualDisk_Task, in a folder of ours until it is whole and proved.

The task runs on when the session ends. So each try writes into a folder of its own, which no later one touches, and
what an earlier one left is removed before, or waited for: it can't be removed while it is written.
"""

from __future__ import annotations

import secrets
from typing import Any

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.images.files import VolumeFiles
from reconciler.actuators.sdk.images.lock import VolumeLock
from reconciler.actuators.sdk.images.proof import Place, prove, state_of
from reconciler.actuators.sdk.reach import ADAPTERS, DISK_TYPES
from reconciler.actuators.sdk.session import Session, Stumbled
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.actuators.ssh.images.lock import LockLost, Stopped
from reconciler.actuators.ssh.images.owner import Clock
from reconciler.actuators.work import Carried, Work
from reconciler.image_verbs import CloneDisk
from reconciler.records import record
from reconciler.transports.sdk import Want
from reconciler.transports.sdk.answers import MethodFault, Passing

KIND = "sdkclone"
FIRST_POLL, LAST_POLL, END_SECONDS = 0.2, 2.0, 60.0
NO_ROOM = "vim.fault.NoDiskSpace"
STARTED_OVER = "the copy was ended; the next run begins anew"


class Busy(Exception):
    """Something is in the way that goes by itself, or over SSH; the text says what."""


@record
class Ground:
    """What a copy works with: `source` is where the image lies, `target` the volume that it goes to."""

    session: Session
    source: VolumeFiles
    target: VolumeFiles
    work: Work
    clock: Clock


class Cloning:
    """One copy."""

    def __init__(self, verb: CloneDisk, ground: Ground, lock: VolumeLock) -> None:
        self._verb, self._ground, self._lock = verb, ground, lock
        self._files = ground.target
        job = Job(verb.room, verb.cargo.image)
        self._text = job.text(KIND, f"{verb.cargo.folder}/{verb.cargo.file} {verb.format}")
        self._job = job.folder.removeprefix(verb.room.volume + "/")
        self._final = job.target
        self._grows = f"{self._job}/{secrets.token_hex(8)}"

    def run(self) -> Answer:
        """Raises Busy, Stopped, Stumbled, MethodFault, LockLost, faults.Unreachable."""
        source = self._source()
        self._begin()
        try:
            self._copy()
        except MethodFault as fault:
            self._discard()
            if fault.name != NO_ROOM:
                raise
            return Answer(False, fault.said, filled=self._verb.room.volume)
        except Stopped:
            self._discard()
            raise
        return self._finish(source)

    def _source(self) -> str:
        """What the source is now."""
        cargo = self._verb.cargo
        return state_of(Place.of(self._ground.source, cargo.folder), cargo.parts or (cargo.file,))

    def _begin(self) -> None:
        """A folder of ours, and none of an earlier try beside it."""
        there = self._files.list(self._job)
        if there is not None:
            told = (self._files.get(f"{self._job}/job") or b"").decode("utf-8", "replace")
            # an empty one was left by a run that got no further, over whichever way
            if there and f"\nkind {KIND}\n" not in told:
                raise Busy(
                    "half a copy of it lies there that was made over SSH, and only SSH can go on with it"
                )
            try:
                self._remove()
            except MethodFault as fault:
                raise Busy(f"an earlier copy of it is still being written, or held: {fault.said}") from fault
        self._lock.keep()
        if not self._files.mkdir(self._job):
            raise Stumbled(f"{self._job} can't be made: something is there")
        self._files.put(f"{self._job}/job", self._text.encode("utf-8", "surrogateescape"))
        self._files.mkdir(self._grows)

    def _remove(self) -> None:
        self._files.delete(self._job)

    def _discard(self) -> None:
        """Remove what can be removed; what stays, the next run finds."""
        try:
            self._remove()
        except MethodFault:
            return

    def _copy(self) -> None:
        verb, session = self._verb, self._ground.session
        spec = session.make(
            "VirtualDiskSpec", diskType=DISK_TYPES[verb.format], adapterType=ADAPTERS[verb.cargo.adapter]
        )
        task = session.call(
            session.content.virtualDiskManager,
            "CopyVirtualDisk_Task",
            sourceName=Place.of(self._ground.source, verb.cargo.folder).name(verb.cargo.file),
            destName=self._files.path(f"{self._grows}/{verb.room.disk}.vmdk"),
            destSpec=spec,
            force=False,
        )
        try:
            self._wait(task)
        except (LockLost, Stopped):
            self._cancel(task)
            raise
        session.wait(task, END_SECONDS)

    def _wait(self, task: Any) -> None:
        """Until the task has ended, well or not."""
        pause, cargo = FIRST_POLL, self._verb.cargo
        while True:
            self._lock.keep()
            if self._ground.work.stopping():
                raise Stopped(STARTED_OVER)
            state, progress = self._look(task)
            if state in ("success", "error"):
                return
            self._ground.work.progress(Carried(cargo.image, cargo.data * progress // 100, cargo.data))
            self._ground.clock.pause(pause)
            pause = min(LAST_POLL, pause * 1.5)

    def _look(self, task: Any) -> tuple[str, int]:
        """State and percent of the task; while hostd is away it counts as running. A task that hostd has forgotten, as
        it does when it restarts, has ended: what came of it is looked at."""
        try:
            rows = self._ground.session.read([Want("Task", ("info.state", "info.progress"), of=task)])
        except Passing:
            return "running", 0
        values = rows[0].values if rows else {}
        return str(values.get("info.state", "error")), int(values.get("info.progress") or 0)

    def _cancel(self, task: Any) -> None:
        """End the task, and wait for its end: what it writes can't be removed before."""
        try:
            self._ground.session.call(task, "CancelTask")
            self._ground.session.wait(task, END_SECONDS)
        except MethodFault:
            # it has ended, as wanted or by itself
            return

    def _finish(self, source: str) -> Answer:
        """Proved, compared with what the source was, and only then given its name."""
        verb = self._verb
        why = prove(Place(self._files, self._grows), verb)
        if why is None and self._source() != source:
            why = "the source has changed while it was copied; the next run begins anew"
        if why is not None:
            self._discard()
            return Answer(False, why)
        if verb.cargo.reference:
            stem = verb.cargo.file.rpartition(".")[0]
            reference = Place.of(self._ground.source, verb.cargo.folder).name(f"{stem}.vmx.reference")
            self._files.copy(reference, f"{self._grows}/{verb.room.disk}.vmx.reference")
        self._place()
        return Answer(True, proof="CopyVirtualDisk ended well, and descriptor and sizes are right")

    def _place(self) -> None:
        """One rename, below a beat that shows that the lock is ours; the rest goes after it."""
        above = self._final.rpartition("/")[0]
        if above:
            self._files.mkdir(above, parents=True)
        if self._files.list(self._final) is not None:
            raise Stumbled("something stands there now")
        self._lock.beat()
        self._lock.keep()
        if not self._files.move(self._grows, self._final):
            raise Stumbled("the copy is gone before it got its name")
        self._remove()
