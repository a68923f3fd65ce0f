"""SQLite as the history uses it: how a file is opened, and what is wrong when it can't be."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from reconciler.desired.files import reason
from reconciler.state.trouble import StateTrouble

VERSION = 1
"""Of the tables (`rows`); stands in the file's `user_version`."""
BUSY_SECONDS = 5.0
"""So long another process is waited for that writes just now."""
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NEXT = {
    sqlite3.SQLITE_FULL: "make room there",
    sqlite3.SQLITE_BUSY: "see whether another process that writes there is stopped",
    sqlite3.SQLITE_READONLY: "make it and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "make it and its folder writable",
    sqlite3.SQLITE_CORRUPT: "move it away: a new one is begun then",
    sqlite3.SQLITE_NOTADB: "move it away: a new one is begun then",
}


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a database; each statement is a transaction of its own unless one is begun. Raises sqlite3.Error."""
    mode = "rw"
    if read_only:
        # where nobody could write beside it, SQLite need not be able to either
        still = not os.access(path.parent, os.W_OK, effective_ids=True) and not os.path.exists(f"{path}-wal")
        mode = "ro&immutable=1" if still else "ro"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables, 0 when there are none. Raises StateTrouble for tables that are not ours to touch."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version > VERSION:
        raise StateTrouble(
            f"the history {path} was written by a newer version of this program; it is left alone",
            next="use that version, or another --state-dir",
        )
    if version == 0 and tables:
        raise StateTrouble(
            f"{path} is a database of something else; it is left alone", next="give another --state-dir"
        )
    return int(version)


def examine(path: Path) -> os.stat_result | None:
    """Read the whole file, beside whoever writes to it; what names it if it is broken, None when it is well or away."""
    try:
        file = os.stat(path)
        with closing(connect(path, read_only=True)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            return None if said == "ok" else file
    except (sqlite3.Error, OSError) as error:
        return file if is_broken(error) else None


def is_broken(error: Exception) -> bool:
    """Whether the file itself is what is wrong."""
    return _code(error) in _BROKEN


def trouble_of(path: Path, error: sqlite3.Error | OSError) -> StateTrouble:
    """The error, told."""
    if isinstance(error, OSError):
        return StateTrouble(f"can't use the history {path}: {reason(error)}", next="make its folder writable")
    return StateTrouble(
        f"can't use the history {path}: {error}", next=_NEXT.get(_code(error), "look at the disk")
    )


def _code(error: Exception) -> int:
    """The primary result code; 0 when SQLite gave none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
