"""Locks between processes and threads: held by an open file, so that they end with whoever holds them, however it ends.

A file that lies about is no lock. No program that is started inherits one: Python closes such files for it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 0.2
"""So often whoever waits tries again, and asks whether to wait on."""


def take(path: Path, stopping: Callable[[], bool], waiting: Callable[[], None] = lambda: None) -> int | None:
    """Take the lock of a file, which is made and stays; the open file, that gives it back when it is closed.

    While another one has it: `waiting` is told once, and None comes back when `stopping` ends the wait. Raises OSError.
    """
    lock = _taken(path)
    if lock is None:
        waiting()
    while lock is None and not stopping():
        time.sleep(PATIENCE_SECONDS)
        lock = _taken(path)
    return lock


def _taken(path: Path) -> int | None:
    """The file with its lock; None when another one has it, or when it went away meanwhile."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
