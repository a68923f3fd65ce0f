"""The file of the history: SQLite with a write-ahead log, so that nobody waits for a reader, and what was written
outlasts a power loss."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from reconciler.entries import Entry
from reconciler.state import rows
from reconciler.state.files import set_aside, sync_folder
from reconciler.state.locks import take
from reconciler.state.sqlite import BUSY_SECONDS, connect, is_broken, trouble_of, version_of
from reconciler.state.trouble import StateTrouble

T = TypeVar("T")

LOG_BYTES = 4 * 1024 * 1024
"""The write-ahead log is cut to this when it is begun anew."""


class Database:
    """The one writer of this process; for one thread at a time. `told` hears when a broken file was set aside.

    Nothing is opened before it is needed. What can't be done raises StateTrouble, and may be tried again later.
    """

    def __init__(self, path: Path, told: Callable[[str], None]) -> None:
        self._path, self._told = path, told
        self._connection: sqlite3.Connection | None = None
        self._file: os.stat_result | None = None

    def write(self, entries: Sequence[Entry]) -> None:
        """Write entries, all or none; they outlast a power loss when this returns."""
        self._do(lambda connection: rows.insert(connection, entries))

    def latest(self, event: str, host: str) -> str | None:
        """The status of a host, or the revision (with host ``), as an entry told it last; None: none did."""
        return self._do(lambda connection: rows.latest(connection, event, host))

    def remove(self, before: datetime, at_most: int) -> int:
        """Remove the oldest of the entries before that time, and give room back to the disk; how many went."""
        return self._do(lambda connection: rows.remove(connection, before, at_most))

    def set_aside(self, broken: os.stat_result | None) -> None:
        """Give the broken file another name, unless it is another file by now that has its name."""
        self.close()
        try:
            with self._alone():
                if broken is None or not os.path.samestat(broken, os.stat(self._path)):
                    return
                aside = set_aside(self._path)
                for end in ("-wal", "-shm"):
                    with suppress(FileNotFoundError):
                        os.rename(f"{self._path}{end}", f"{aside}{end}")
        except OSError as error:
            raise trouble_of(self._path, error) from error
        self._told(f"the history {self._path} is broken; it is {aside} now, and a new one is begun")

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _do(self, work: Callable[[sqlite3.Connection], T], *, again: bool = True) -> T:
        try:
            return work(self._opened())
        except (sqlite3.Error, OSError) as error:
            self.close()
            if not (again and is_broken(error)):
                raise trouble_of(self._path, error) from error
        self.set_aside(self._file)
        return self._do(work, again=False)

    def _opened(self) -> sqlite3.Connection:
        """The connection; to the file that has the name now, should another one have been put in its place."""
        if self._connection is not None and not self._in_place():
            self.close()
        if self._connection is None:
            with self._alone():
                self._connection = self._open()
        return self._connection

    def _in_place(self) -> bool:
        try:
            return self._file is not None and os.path.samestat(self._file, os.stat(self._path))
        except FileNotFoundError:
            return False

    def _open(self) -> sqlite3.Connection:
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, 0o600))
            sync_folder(self._path.parent)
        self._file = os.stat(self._path)
        connection = connect(self._path)
        try:
            _prepare(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process makes the file, or sets it aside, meanwhile. Raises StateTrouble, OSError."""
        limit = time.monotonic() + BUSY_SECONDS
        lock = take(self._path.with_suffix(".lock"), lambda: time.monotonic() > limit)
        if lock is None:
            raise StateTrouble(
                f"another process is opening the history {self._path} and does not get on",
                next="see whether it is stopped",
            )
        try:
            yield
        finally:
            os.close(lock)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    new = version_of(connection, path) == 0
    if new:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    # each commit is on the disk when it returns
    connection.execute("PRAGMA synchronous = FULL")
    if new:
        rows.create(connection)


def read(
    path: Path, hosts: Sequence[str] = (), since: datetime | None = None, limit: int | None = None
) -> list[Entry]:
    """The entries of hosts of such names (globs; none: all entries) since a time, the newest `limit` of them, newest
    last; none when there is no history yet. Nobody who writes waits for it. Raises StateTrouble."""
    return _reading(path, lambda connection: rows.select(connection, hosts, since, limit))


def hosts_in(path: Path) -> list[str]:
    """All hosts that the history names, sorted. Raises StateTrouble."""
    return _reading(path, rows.hosts_of)


def _reading(path: Path, work: Callable[[sqlite3.Connection], list[T]]) -> list[T]:
    try:
        if not path.exists():
            return []
        with closing(connect(path, read_only=True)) as connection:
            return work(connection) if version_of(connection, path) else []
    except (sqlite3.Error, OSError) as error:
        raise trouble_of(path, error) from error
