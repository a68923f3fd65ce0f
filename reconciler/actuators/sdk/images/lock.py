"""The lock of a volume, taken over the SDK: the same folders as over SSH, so that both see each other.

There is no thread: whoever works below the lock calls `keep` often, which beats when it is time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.actuators.sdk.images.files import VolumeFiles
from reconciler.actuators.sdk.session import Stumbled
from reconciler.actuators.ssh.images.lock import FOLDER, TAKEN, LockLost, LockTaken, Stopped
from reconciler.actuators.ssh.images.owner import OURS, Clock, Owner, Watch, introduction
from reconciler.faults import Fault
from reconciler.transports.sdk.answers import MethodFault, Passing

BEAT, OWNER = "beat-", "owner-"


class VolumeLock:
    """One holding of a volume's lock."""

    def __init__(self, files: VolumeFiles, doing: str, clock: Clock) -> None:
        self._files, self._doing, self._clock = files, doing, clock
        self.token = secrets.token_hex(8)
        self._beaten, self._number, self._lost = 0.0, 0, False
        self.waited = False
        """Whether somebody else had it: what was decided before may not hold any more."""

    def _folder_of(self, token: str) -> str:
        return f"{FOLDER}/{OWNER}{token}"

    @property
    def _owner(self) -> str:
        return self._folder_of(self.token)

    def acquire(self, stopping: Callable[[], bool]) -> None:
        """Raises LockTaken, Stopped, Stumbled, MethodFault, faults.Unreachable."""
        watch, began, failed = Watch(self._clock), self._clock.now(), None
        while True:
            if stopping():
                raise Stopped
            owner = self._try()
            if owner is None:
                return
            self.waited = True
            alive = watch.sees_life(owner)
            if owner.is_gone() or watch.is_dead:
                if self._take_over(owner):
                    return
                if owner == failed:
                    raise Stumbled("the lock of a run that is gone can't be taken over")
                watch, failed = Watch(self._clock), owner
            elif alive and self._clock.now() - began >= self._clock.pace.patience:
                raise LockTaken(owner.described)
            else:
                self._clock.pause(self._clock.pace.look)

    def _try(self) -> Owner | None:
        """Take a lock that nobody has; else who has it."""
        if self._files.mkdir(FOLDER):
            return None if self._enter() else self._owner_there()
        return self._owner_there()

    def _enter(self) -> bool:
        """Come into a lock without an owner; whether it is ours now."""
        # others can see our first beat as soon as it is there
        self._beaten = self._clock.now()
        return self._files.mkdir(self._owner) and self._settled()

    def _settled(self) -> bool:
        """Two may have come in: who finds the other one there goes. On a full disk the owner has no name."""
        try:
            if self._owners() == [self._owner.rpartition("/")[2]]:
                self._introduce()
                if self._files.mkdir(f"{self._owner}/{BEAT}0"):
                    return True
        except (Stumbled, MethodFault):
            self._files.delete(self._owner)
            raise
        self._files.delete(self._owner)
        return False

    def _introduce(self) -> None:
        try:
            self._files.put(
                f"{self._owner}/who", introduction(self._doing).encode("utf-8", "surrogateescape")
            )
        except (Stumbled, Passing):
            return

    def _owners(self) -> list[str]:
        return sorted(name for name in self._files.list(FOLDER) or () if name.startswith(OWNER))

    def _owner_there(self) -> Owner:
        """The owner; of several the first: one after the other is found dead, or alive."""
        owners = self._owners()
        if not owners:
            return Owner("", (), {})
        inside = self._files.list(f"{FOLDER}/{owners[0]}") or {}
        beats = tuple(
            sorted(name for name in inside if name.startswith(BEAT) and name[len(BEAT) :].isdigit())
        )
        told = (self._files.get(f"{FOLDER}/{owners[0]}/who") or b"") if "who" in inside else b""
        # the last line may be torn
        lines = told[:4096].decode("utf-8", "replace").split("\n")[:-1]
        return Owner(owners[0].removeprefix(OWNER), beats, dict(line.partition(" ")[::2] for line in lines))

    def _take_over(self, dead: Owner) -> bool:
        """Take a dead owner's place, or an empty one. Only one can remove the last beat, as it was seen, and rename the
        owner; the lock is never without one."""
        if not dead.token:
            return self._enter()
        old = self._folder_of(dead.token)
        if not all(self._files.delete(f"{old}/{beat}") for beat in dead.beats):
            return False
        self._beaten = self._clock.now()
        if not self._files.move(old, self._owner):
            return False
        for name in self._files.list(self._owner) or ():
            self._files.delete(f"{self._owner}/{name}")
        return self._settled()

    def keep(self) -> None:
        """Beat when it is time. Raises LockLost when the lock is not ours any more, or could be taken for dead."""
        if not self._lost and self._clock.now() - self._beaten >= self._clock.pace.beat:
            self.beat()
        pace = self._clock.pace
        if self._lost or self._clock.now() - self._beaten > pace.dead - pace.beat:
            raise LockLost(
                TAKEN if self._lost else "the lock on the volume was lost: another run may have taken it"
            )

    def beat(self) -> None:
        """One beat now: it shows that the lock is still ours. Raises LockLost."""
        asked = self._clock.now()
        old, new = (f"{self._owner}/{BEAT}{number}" for number in (self._number, self._number + 1))
        try:
            moved = self._files.move(old, new)
        except (Passing, Stumbled):
            # hostd is away for a moment; `keep` tells how long that may last
            return
        if not moved:
            self._lost = True
            raise LockLost(TAKEN)
        self._number, self._beaten = self._number + 1, asked

    def holds(self) -> bool:
        """Whether our folder is there still; what can't be seen counts as ours."""
        try:
            return self._owner.rpartition("/")[2] in self._owners()
        except (MethodFault, Stumbled):
            return True

    def release(self) -> None:
        """Let go; never raises."""
        try:
            self._files.delete(self._owner)
            self._tidy()
        except (Fault, MethodFault, Stumbled):
            return

    def _tidy(self) -> None:
        """Remove the empty folder. Somebody may come into it meanwhile: renamed it is looked into, and goes back."""
        aside = f"{FOLDER}-{self.token}"
        if self._files.list(FOLDER) != {} or not self._files.move(FOLDER, aside):
            return
        if self._files.list(aside) == {}:
            self._files.delete(aside)
        else:
            self._files.move(aside, FOLDER)


@contextmanager
def volume_lock(
    files: VolumeFiles, doing: str, stopping: Callable[[], bool], clock: Clock
) -> Iterator[VolumeLock]:
    """Hold the lock. Raises LockTaken, Stopped, Stumbled, MethodFault, faults.Unreachable."""
    lock = VolumeLock(files, doing, clock)
    OURS.add(lock.token)
    try:
        lock.acquire(stopping)
        try:
            yield lock
        finally:
            lock.release()
    finally:
        OURS.discard(lock.token)
