"""Entries as rows. Beside them stands what was told last of each host, which outlives the entry that told it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from fnmatch import fnmatchcase

from reconciler.entries import Entry
from reconciler.render.entry import entry_document, entry_of, time_text
from reconciler.state.sqlite import VERSION

PAGES_FREED = 1024
"""So many pages of 4 KiB are given back to the disk at a time."""
_TABLES = (
    "CREATE TABLE entries (id INTEGER PRIMARY KEY, time TEXT, event TEXT, host TEXT, entry TEXT)",
    "CREATE INDEX entries_by_time ON entries (time, id)",
    "CREATE INDEX entries_by_host ON entries (host, time, id)",
    "CREATE TABLE latest (event TEXT, host TEXT, value TEXT, PRIMARY KEY (event, host)) WITHOUT ROWID",
    f"PRAGMA user_version = {VERSION}",
)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, all or none."""
    with _transaction(connection):
        for statement in _TABLES:
            connection.execute(statement)


def insert(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Write entries, all or none."""
    told = [(it.event, it.host or "", value) for it in entries if (value := told_by(it)) is not None]
    with _transaction(connection):
        connection.executemany(
            "INSERT INTO entries (time, event, host, entry) VALUES (?, ?, ?, ?)", map(_row, entries)
        )
        connection.executemany("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", told)


def told_by(entry: Entry) -> str | None:
    """The status or the revision that an entry tells; None for what tells neither."""
    if entry.event == "status" and entry.fields:
        return str(entry.fields[0].after)
    return entry.revision if entry.event == "revision" else None


def latest(connection: sqlite3.Connection, event: str, host: str) -> str | None:
    """What an entry of that event told last of a host (`` for none)."""
    query = "SELECT value FROM latest WHERE event = ? AND host = ?"
    row = connection.execute(query, (event, host)).fetchone()
    return str(row[0]) if row is not None else None


def remove(connection: sqlite3.Connection, before: datetime, at_most: int) -> int:
    """Remove the oldest of the entries before that time; how many went. Their room goes back to the disk by and by."""
    oldest = "SELECT id FROM entries WHERE time < ? ORDER BY time LIMIT ?"
    with _transaction(connection):
        gone = connection.execute(
            f"DELETE FROM entries WHERE id IN ({oldest})",  # noqa: S608 - nothing of it comes from outside
            (time_text(before), at_most),
        ).rowcount
    # `execute` would free one page
    connection.executescript(f"PRAGMA incremental_vacuum({PAGES_FREED})")
    return gone


def select(
    connection: sqlite3.Connection, hosts: Sequence[str], since: datetime | None, limit: int | None
) -> list[Entry]:
    """The entries of hosts of such names (globs; none: all entries) since a time, the newest `limit` of them, newest
    last. One that this version can't read is left out."""
    names = [name for name in hosts if not set(name) & set("*?[")]
    globs = [name for name in hosts if name not in names]
    connection.create_function("fits", 1, lambda host: any(fnmatchcase(host, it) for it in globs))
    wanted = ["time >= ?"]
    if hosts:
        fits = " OR (host IS NOT NULL AND fits(host))" if globs else ""
        wanted.append(f"(host IN ({', '.join('?' * len(names))}){fits})")
    rows = connection.execute(
        f"SELECT entry FROM entries WHERE {' AND '.join(wanted)} ORDER BY time DESC, id DESC LIMIT ?",  # noqa: S608
        (time_text(since) if since is not None else "", *names, limit if limit is not None else -1),
    ).fetchall()
    entries = (_entry(text) for (text,) in reversed(rows))
    return [entry for entry in entries if entry is not None]


def hosts_of(connection: sqlite3.Connection) -> list[str]:
    """All hosts that entries name, sorted."""
    rows = connection.execute("SELECT DISTINCT host FROM entries WHERE host IS NOT NULL ORDER BY host")
    return [host for (host,) in rows]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _row(entry: Entry) -> tuple[str, str, str | None, str]:
    document = entry_document(entry)
    return document["time"], entry.event, document["host"], json.dumps(document)


def _entry(text: str) -> Entry | None:
    try:
        return entry_of(json.loads(text))
    except (KeyError, TypeError, ValueError):
        return None
