"""The state folder: who may be the one loop on it, and whose turn it is on a host."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reconciler.desired.files import reason
from reconciler.state.files import sweep, sync_folder
from reconciler.state.locks import take
from reconciler.state.trouble import StateTrouble

ELSEWHERE = "make it writable, or give another folder with --state-dir"


class StateFolder:
    """Safe to use from any thread, and by several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.history = path / "history.db"
        self._turns = path / "turns"

    def open(self) -> None:
        """Make the folder, for its owner alone, and what is needed in it. Raises StateTrouble when that can't be done,
        or when it can't be written to."""
        try:
            new = not self.path.exists()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if new:
                sync_folder(self.path.parent)
            self._turns.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise self._unusable(reason(error)) from error
        if not all(_writable(folder) for folder in (self.path, self._turns)):
            raise self._unusable("it may not be written to")

    @contextmanager
    def only_loop(self) -> Iterator[None]:
        """Be the one loop on this folder. Raises StateTrouble while another one lives, stopped (SIGSTOP) or not, and
        when the folder can't be used."""
        path = self.path / "loop.lock"
        with self._locked(path, stopping=lambda: True) as lock:
            if lock is None:
                raise StateTrouble(
                    f"another `reconcile watch`{_holder(path)} works with the state folder {self.path}",
                    next="end that one, or give this one a folder of its own with --state-dir",
                )
            _sign(lock)
            sweep(self.path)
            yield

    @contextmanager
    def turn(self, host: str, stopping: Callable[[], bool], waiting: Callable[[], None]) -> Iterator[bool]:
        """Have the turn on a host; yields whether it was had: not when `stopping` ended the wait.

        `waiting` is told once, when another one has it. Raises StateTrouble when the folder can't be used.
        """
        # a host's name may have 253 signs, a file's 255
        with self._locked(self._turns / f"@{host}", stopping, waiting) as lock:
            yield lock is not None

    @contextmanager
    def _locked(
        self, path: Path, stopping: Callable[[], bool], waiting: Callable[[], None] = lambda: None
    ) -> Iterator[int | None]:
        try:
            lock = take(path, stopping, waiting)
        except OSError as error:
            raise StateTrouble(f"can't lock {path}: {reason(error)}", next=ELSEWHERE) from error
        try:
            yield lock
        finally:
            if lock is not None:
                os.close(lock)

    def _unusable(self, why: str) -> StateTrouble:
        return StateTrouble(f"the state folder {self.path} can't be used: {why}", next=ELSEWHERE)


class HostTurns:
    """Turns on hosts where they can be had. Where the folder can't be used `warn` is told once, and each host is worked
    on without one."""

    def __init__(self, folder: StateFolder, warn: Callable[[str], None]) -> None:
        self._folder, self._warn, self._warned = folder, warn, False

    @contextmanager
    def on(self, host: str, stopping: Callable[[], bool], waiting: Callable[[], None]) -> Iterator[bool]:
        """As `StateFolder.turn`, but raises nothing."""
        with ExitStack() as stack:
            try:
                had = stack.enter_context(self._folder.turn(host, stopping, waiting))
            except StateTrouble as trouble:
                self._tell(trouble)
                had = True
            yield had

    def _tell(self, trouble: StateTrouble) -> None:
        if not self._warned:
            self._warned = True
            self._warn(f"{trouble}; hosts are worked on though others might do so at the same time")


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=True)


def _sign(lock: int) -> None:
    """Write down who has it, for people only."""
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        # a lock holds on a full disk, too
        return


def _holder(path: Path) -> str:
    try:
        pid = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return f" (process {pid})" if pid.isdigit() else ""
