"""The lock of a volume: `.reconciler-lock` at its root, made of folders, with an owner and a heartbeat.

Making, removing and renaming folders is atomic on VMFS, on NFS and here, and fails when what it builds on is gone. So a
holder that slept learns at its next beat that the lock was taken away, and no clock is ever compared with another.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.actuators.ssh.images.owner import LIST, OURS, Clock, Owner, Watch, introduction, owner_in
from reconciler.actuators.ssh.images.runner import Runner, Stumbled
from reconciler.faults import Fault
from reconciler.transports.shell import quote

FOLDER = ".reconciler-lock"
LOST = 97
TAKEN = "the lock on the volume was taken away by another run"


class LockTaken(Exception):
    """Somebody else who is alive has the lock; the text says who."""


class LockLost(Exception):
    """The lock was taken away while we slept, or the link did."""


class Stopped(Exception):
    """A person wants it to end."""


class VolumeLock:
    """One holding of a volume's lock."""

    def __init__(self, runner: Runner, volume: str, doing: str, clock: Clock) -> None:
        self._runner, self.volume, self._doing, self._clock = runner, volume, doing, clock
        self.token = secrets.token_hex(8)
        self._beaten, self._number, self._lost = 0.0, 0, False
        self.waited = False
        """Whether somebody else had it: what was decided before may not hold any more."""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beats, daemon=True)

    @property
    def _lock(self) -> str:
        return quote(f"{self.volume}/{FOLDER}")

    @property
    def _owner(self) -> str:
        return self._folder_of(self.token)

    def _folder_of(self, token: str) -> str:
        return quote(f"{self.volume}/{FOLDER}/owner-{token}")

    @property
    def guard(self) -> str:
        """Begins a command that must not run without the lock."""
        return self._guard("")

    @property
    def input_guard(self) -> str:
        """The same for a command that is sent something: it is taken to its end, and thrown away."""
        return self._guard("cat > /dev/null; ")

    def _guard(self, first: str) -> str:
        return f"[ -d {self._owner} ] || {{ {first}echo '{TAKEN}'; exit {LOST}; }}; "

    def check(self) -> None:
        """Raises LockLost when the lock is not ours any more, or could be taken for dead."""
        pace = self._clock.pace
        if self._lost or self._clock.now() - self._beaten > pace.dead - pace.beat:
            raise LockLost(
                TAKEN if self._lost else "the lock on the volume was lost: another run may have taken it"
            )

    # -- taking ----------------------------------------------------------------------------------------------

    def acquire(self, stopping: Callable[[], bool]) -> None:
        """Raises LockTaken, Stopped, Stumbled (the volume can't be written), faults.Unreachable."""
        watch, began, failed = Watch(self._clock), self._clock.now(), None
        while True:
            if stopping():
                raise Stopped
            owner = self._look()
            if owner is None:
                break
            alive = watch.sees_life(owner)
            if owner.is_gone() or watch.is_dead:
                said = self._take_over(owner)
                if said is None:
                    break
                if said and owner == failed:
                    raise Stumbled(said)
                watch, failed = Watch(self._clock), owner
            elif alive and self._clock.now() - began >= self._clock.pace.patience:
                raise LockTaken(owner.described)
            else:
                self._clock.pause(self._clock.pace.look)
        self._thread.start()

    def _ask_to_take(self, command: str) -> tuple[int, str, str]:
        """Exit status, output and complaint of a command that makes us the owner when it ends well."""
        # others can see our first beat as soon as the command runs
        self._beaten = self._clock.now()
        piece = self._runner.ask(command)
        return piece.status, piece.text, piece.said

    @property
    def _settle(self) -> str:
        """The commands that finish our owner folder. They fail when somebody else has one: two may have come into a
        lock without an owner, and who finds the other one there goes; or when ours was taken for dead meanwhile."""
        alone = f"[ \"$(printf '%s' {self._lock}/owner-*)\" = {self._owner} ]"
        # on a full disk the owner has no name, and holds the lock all the same
        named = f"{{ printf '%s' {quote(introduction(self._doing))} > {self._owner}/who || true; }}"
        return f"{alone} && {named} && mkdir {self._owner}/beat-0"

    @property
    def _undo(self) -> str:
        return f"{{ s=$?; rm -rf {self._owner}; rmdir {self._lock} 2>/dev/null; exit $s; }}"

    def _look(self) -> Owner | None:
        """Like `_try`. Who slept on the way may find somebody else there, and looks again."""
        try:
            owner = self._try()
            self.waited = self.waited or owner is not None
        except Stumbled:
            self.waited = True
            owner = self._try()
        return owner

    def _try(self) -> Owner | None:
        """Take a lock that nobody has; else who has it."""
        lock = self._lock
        ours = f"{{ mkdir {self._owner} && {self._settle}; }} || {self._undo}; echo taken; exit 0"
        take = f"if mkdir {lock} 2>/dev/null; then {ours}; fi; "
        missing = f"[ -d {lock} ] || {{ mkdir {lock} && rmdir {lock} && exit 0; exit 98; }}; "
        status, text, said = self._ask_to_take(f"{take}{missing}{LIST.format(lock=lock)}")
        if text.strip() == "taken":
            return None
        if status != 0:
            raise Stumbled(said or "the lock can't be made")
        return owner_in(text)

    def _take_over(self, dead: Owner) -> str | None:
        """Take a dead owner's place, or an empty one; else what was said. Only one can remove the last beat, as it was
        seen, and rename the owner; the lock is never without one."""
        if not dead.token:
            status, _, said = self._ask_to_take(
                f"{{ mkdir {self._owner} && {self._settle}; }} || {self._undo}"
            )
            return None if status == 0 else said
        old = self._folder_of(dead.token)
        beats = "".join(f"rmdir {old}/{beat} && " for beat in dead.beats)
        took = f"{beats}mv {old} {self._owner} || exit 1; "
        status, _, said = self._ask_to_take(
            f"{took}{{ rm -rf {self._owner}/* && {self._settle}; }} || {self._undo}"
        )
        return None if status == 0 else said

    # -- holding ---------------------------------------------------------------------------------------------

    def _beats(self) -> None:
        while not self._clock.wait(self._done, self._clock.pace.beat):
            if not self.beat():
                return

    def beat(self) -> bool:
        """One beat; whether the lock was still ours. A rename needs no room on a full disk."""
        asked = self._clock.now()
        old, new = (f"{self._owner}/beat-{number}" for number in (self._number, self._number + 1))
        try:
            piece = self._runner.ask(f"mv {old} {new}", urgent=True)
        except (Fault, Stumbled):
            # the link is gone: whoever works over it learns it too
            return False
        if piece.status != 0:
            self._lost = True
            return False
        self._number, self._beaten = self._number + 1, asked
        return True

    def release(self) -> None:
        """Let go; never raises."""
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            self._runner.ask(f"rm -rf {self._owner} && rmdir {self._lock}")
        except (Fault, Stumbled):
            return


@contextmanager
def volume_lock(
    runner: Runner, volume: str, doing: str, stopping: Callable[[], bool], clock: Clock
) -> Iterator[VolumeLock]:
    """Hold the lock. Raises LockTaken, Stopped, Stumbled, faults.Unreachable."""
    lock = VolumeLock(runner, volume, doing, clock)
    OURS.add(lock.token)
    try:
        lock.acquire(stopping)
        try:
            yield lock
        finally:
            lock.release()
    finally:
        OURS.discard(lock.token)
