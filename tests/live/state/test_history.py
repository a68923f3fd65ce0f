"""The history on a disk: what was acknowledged is there, whoever reads and writes beside it and whatever ends them."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.desired.model import Secret
from reconciler.entries import Entry
from reconciler.kinds.model import Difference
from reconciler.report import Status
from reconciler.secrets import resolve
from reconciler.state import history as module
from reconciler.state.database import Database, hosts_in, read
from reconciler.state.history import History
from tests.live.state.actor import KEEP, a_host, step
from tests.live.state.conftest import Start
from tests.unit.render import reports

FAILED, CONVERGED = reports.case("applied").hosts[:2]


def told(entries: list[Entry]) -> list[tuple[str, str | None, object]]:
    """Event, host, and what it tells."""
    return [
        (it.event, it.host, it.resource or (it.fields[0].after if it.fields else it.revision))
        for it in entries
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    kept = History(path, KEEP, pytest.fail)
    yield kept
    kept.close()


def test_no_history_yet_is_an_empty_list_and_no_file(path: Path, history: History) -> None:
    assert (history.entries(), read(path), hosts_in(path)) == ([], [], [])
    assert not path.exists()
    path.touch()
    assert read(path) == []


def test_what_happened_is_told_in_order(path: Path, history: History) -> None:
    history.revision("abc")
    journal = history.journal("abc")
    journal.step("esx", CONVERGED.steps[0], 1.5, None)
    journal.step("esx", FAILED.steps[1], None, FAILED.fault)
    history.passed(replace(FAILED, name="esx"), "abc")
    history.passed(replace(FAILED, name="esx-2", status=Status.UNREACHABLE, steps=()), "abc")
    entries = history.entries()
    assert [(it.event, it.host) for it in entries] == [
        ("revision", None),
        ("step", "esx"),
        ("step", "esx"),
        ("status", "esx"),
        ("fault", "esx-2"),
        ("status", "esx-2"),
    ]
    assert {it.revision for it in entries} == {"abc"}
    assert (entries[1].seconds, entries[1].fields) == (1.5, CONVERGED.steps[0].fields)
    assert (entries[2].outcome, entries[2].fault) == ("failed", FAILED.fault)
    assert [it.time for it in entries] == sorted(it.time for it in entries)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path) == entries


def test_only_what_changes_is_told_over_restarts_and_processes(path: Path, history: History) -> None:
    other = History(path, KEEP, pytest.fail)
    for kept, status in [
        (history, Status.PENDING),
        (history, Status.IN_SYNC),
        (other, Status.IN_SYNC),
        (other, Status.DRIFTED),
        (history, Status.IN_SYNC),
        (History(path, KEEP, pytest.fail), Status.IN_SYNC),
    ]:
        kept.passed(a_host("esx", status), None)
        kept.revision("abc")
    other.close()
    history.revision("def")
    history.revision("abc")
    assert told(history.entries(["esx"])) == [
        ("status", "esx", "in-sync"),
        ("status", "esx", "drifted"),
        ("status", "esx", "in-sync"),
    ]
    assert [it.fields[0].before for it in history.entries(["esx"]) if it.fields] == [
        None,
        "in-sync",
        "drifted",
    ]
    assert [it.revision for it in history.entries() if it.event == "revision"] == ["abc", "def", "abc"]


def test_entries_are_chosen_by_host_time_and_number(path: Path) -> None:
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    hosts = [None, "esx-1", "esx-2", "other", "esx-1"]
    database = Database(path, pytest.fail)
    database.write(
        [Entry(begin + timedelta(seconds=second), "fault", host) for second, host in enumerate(hosts)]
    )
    database.close()

    def chosen(*globs: str, since: float = 0.0, limit: int | None = None) -> list[str | None]:
        return [it.host for it in read(path, globs, begin + timedelta(seconds=since), limit)]

    assert chosen() == hosts
    assert chosen("*") == chosen("esx-?", "other") == hosts[1:]
    assert chosen("esx-1") == ["esx-1", "esx-1"]
    assert chosen("esx-1", since=2) == ["esx-1"]
    assert chosen(since=4) == ["esx-1"]
    assert chosen(since=4.001) == []
    assert chosen(limit=2) == ["other", "esx-1"]
    assert chosen("esx") == []
    assert hosts_in(path) == ["esx-1", "esx-2", "other"]


def test_no_secret_and_no_broken_text_stands_in_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HISTORY_SECRET", "hunter2-hunter2")
    secret = resolve(Secret(env="HISTORY_SECRET"))
    history = History(path, KEEP, pytest.fail)
    fault = replace(FAILED.fault, message=f"it said {secret}\udcff") if FAILED.fault else None
    history.journal(f"rev-{secret}").step("esx", step(f"datastore/{secret}\udcff"), 1.0, fault)
    (entry,) = history.entries()
    assert (entry.resource, entry.revision) == (r"datastore/***\xff", "rev-***")
    assert entry.fault is not None
    assert entry.fault.message == r"it said ***\xff"
    history.close()
    assert secret.encode() not in path.read_bytes()


def test_what_was_acknowledged_outlives_sigkill(path: Path, start: Start) -> None:
    chance = random.Random(6)
    acknowledged = 0
    for _ in range(5):
        writer = start("steps", path.parent)
        for _ in range(chance.randint(1, 60)):
            assert writer.hears().isdigit()
            acknowledged += 1
        writer.kill()
        acknowledged += len(writer.process.stdout.read().split()) if writer.process.stdout else 0
        written = read(path)
        assert acknowledged <= len(written) <= acknowledged + 1, "a step is told before it is written"
        acknowledged = len(written)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_processes_write_side_by_side(path: Path, start: Start, history: History) -> None:
    writers = [start("steps", path.parent, "100") for _ in range(3)]
    journal = history.journal(None)
    for number in range(100):
        journal.step("here", step(f"image/{number}"), 1.0, None)
    assert [writer.rest() for writer in writers] == [[str(number) for number in range(100)]] * 3
    entries = history.entries()
    assert len(entries) == 400
    assert (history.trouble, history.unwritten, history.lost) == (None, 0, 0)
    assert [it.resource for it in entries if it.host == "here"] == [f"image/{n}" for n in range(100)]


def test_threads_write_side_by_side(history: History) -> None:
    def write(host: str) -> None:
        for number in range(20):
            history.journal(None).step(host, step(f"image/{number}"), 1.0, None)
            assert history.entries([host])[-1].resource == f"image/{number}"

    threads = [threading.Thread(target=write, args=(f"esx-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(history.entries()) == 160


def test_a_writer_that_is_stopped_keeps_nobody_from_reading_or_writing(
    path: Path, start: Start, history: History
) -> None:
    writer = start("steps", path.parent)
    assert writer.hears() == "0"
    writer.stop()
    assert told(history.entries())[0] == ("step", "esx", "image/0")


def test_a_reader_that_stays_keeps_nobody_from_writing(path: Path, history: History) -> None:
    history.revision("abc")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM entries").fetchone() == (1,)
        history.revision("def")
        assert reader.execute("SELECT count(*) FROM entries").fetchone() == (1,)
    assert len(history.entries()) == 2


def test_what_is_too_old_goes_and_the_last_status_is_still_known(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = datetime.now(UTC) - timedelta(days=91)
    database = Database(path, pytest.fail)
    status = told_long_ago(old, "esx", "in-sync")
    database.write([status, *(replace(status, event="step", resource="x" * 1000) for _ in range(2500))])
    database.close()
    size = path.stat().st_size
    history = History(path, KEEP, pytest.fail)
    history.passed(a_host("esx", Status.IN_SYNC), None)
    history.passed(a_host("esx-2", Status.HELD), None)
    assert told(history.entries()) == [("status", "esx-2", "held")]
    history.close()
    assert path.stat().st_size < size / 2

    Database(path, pytest.fail).write([told_long_ago(old, "esx-3", "held")])
    again = History(path, timedelta(days=92), pytest.fail)
    again.passed(a_host("esx-2", Status.HELD), None)
    again.close()
    assert len(read(path)) == 2
    monkeypatch.setattr(module, "TIDY_SECONDS", 0.0)
    last = History(path, KEEP, pytest.fail)
    last.passed(a_host("esx-2", Status.HELD), None)
    last.close()
    assert len(read(path)) == 1


def told_long_ago(time: datetime, host: str, status: str) -> Entry:
    return Entry(time, "status", host, fields=(Difference("status", None, status),))


def test_the_file_is_no_ones_who_is_started(history: History) -> None:
    history.revision("abc")
    opened = [int(name) for name in os.listdir("/proc/self/fd")]
    named = [fd for fd in opened if "history" in _target(fd)]
    assert named
    assert not any(os.get_inheritable(fd) for fd in named)


def _target(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""
