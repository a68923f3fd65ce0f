"""Whatever is wrong with the history's file: it is told once, nothing stops, and what can be kept is kept."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.report import Status
from reconciler.state import history as module
from reconciler.state.database import read
from reconciler.state.history import History
from reconciler.state.trouble import StateTrouble
from tests.live.state.actor import KEEP, a_host, step
from tests.live.state.conftest import Start, as_nobody


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is tried again with the next entry."""
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)


def test_a_full_disk_keeps_entries_in_memory_until_there_is_room(path: Path, start: Start) -> None:
    *troubles, during, over, after = start("full", path.parent).rest()
    assert 1 <= len(troubles) <= 2, "each once, though there were a hundred entries"
    for trouble in troubles:
        assert trouble.startswith(f"can't use the history {path}: ")
        assert trouble.endswith("; hosts are worked on all the same")
    assert during == "trouble True unwritten True lost 0"
    assert over == f"the history {path} is written again"
    assert after == "trouble False unwritten 0 lost 0"
    steps = [it.resource for it in read(path) if it.event == "step"]
    assert steps == [f"image/{number}" for number in range(100)]


def whole(path: Path) -> None:
    """A history with something in it, whose writer was killed or is gone."""
    history = History(path, KEEP, pytest.fail)
    journal = history.journal(None)
    for number in range(50):
        journal.step("esx", step(f"image/{number}"), 1.0, None)
    history.close()


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


BROKEN: dict[str, Callable[[Path], object]] = {
    "no database": lambda path: path.write_bytes(b"no database at all\n" * 500),
    "cut": lambda path: os.truncate(path, 5000),
    "zeros": lambda path: path.write_bytes(b"\0" * 20_000),
    "damaged pages": lambda path: overwrite(path, 4096, os.urandom(20_000)),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_set_aside_and_a_new_one_begun(how: str, path: Path) -> None:
    whole(path)
    BROKEN[how](path)
    content = path.read_bytes()
    with pytest.raises(StateTrouble, match=r"move it away: a new one is begun then"):
        read(path)
    warned: list[str] = []
    history = History(path, KEEP, warned.append)
    history.passed(a_host("esx", Status.HELD), None)
    history.passed(a_host("esx-2", Status.HELD), None)
    assert (history.trouble, history.unwritten, history.lost) == (None, 0, 0)
    assert {it.host for it in history.entries()} <= {"esx", "esx-2"}
    history.close()
    (aside,) = path.parent.glob("history.db.broken-*")
    assert aside.read_bytes() == content
    assert [text for text in warned if str(aside) in text] == warned
    assert len(warned) == 1


def test_a_page_that_asks_finds_out_too(path: Path) -> None:
    warned: list[str] = []
    history = History(path, KEEP, warned.append)
    path.write_bytes(b"no database at all\n" * 500)
    assert history.entries() == []
    assert history.entries() == []
    assert len(warned) == 2
    assert "file is not a database" in warned[0]
    assert "a new one is begun" in warned[1]
    history.close()


def test_two_processes_set_a_broken_file_aside_once(path: Path) -> None:
    whole(path)
    warned: list[str] = []
    histories = [History(path, KEEP, warned.append) for _ in range(2)]
    for history in histories:
        history.revision("abc")
    overwrite(path, 0, b"no database at all\n" * 500)
    for number, history in enumerate(histories):
        history.close()
        history.passed(a_host(f"esx-{number}", Status.HELD), None)
    assert len(list(path.parent.glob("history.db.broken-*Z"))) == 1
    assert [it.host for it in read(path)] == ["esx-0", "esx-1"]
    assert len(warned) == 1
    for history in histories:
        history.close()


@pytest.mark.parametrize("how", ["removed", "moved"])
def test_a_file_that_was_taken_away_is_begun_anew(how: str, path: Path) -> None:
    history = History(path, KEEP, pytest.fail)
    history.revision("abc")
    if how == "removed":
        path.unlink()
    else:
        path.rename(path.with_name("old.db"))
    history.passed(a_host("esx", Status.HELD), None)
    assert [it.event for it in history.entries()] == ["status"]
    history.revision("abc")
    assert [it.event for it in read(path)] == ["status", "revision"]
    history.close()
    assert [it.event for it in read(path)] == ["status", "revision"]


@pytest.mark.parametrize("how", ["newer", "foreign"])
def test_a_file_that_is_not_ours_to_touch_is_left_alone(how: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE entries (strange)")
        connection.execute(f"PRAGMA user_version = {2 if how == 'newer' else 0}")
    content = path.read_bytes()
    warned: list[str] = []
    history = History(path, KEEP, warned.append)
    history.revision("abc")
    history.passed(a_host("esx", Status.HELD), None)
    history.passed(a_host("esx", Status.HELD), None)
    assert history.trouble is not None
    assert "it is left alone" in history.trouble
    assert (history.unwritten, history.lost) == (2, 0)
    with pytest.raises(StateTrouble, match="it is left alone"):
        read(path)
    history.close()
    assert (history.unwritten, history.lost) == (0, 2)
    assert path.read_bytes() == content
    assert len(warned) == 2
    assert "2 entries of the history could not be written and are lost" in warned[1]


@pytest.mark.parametrize("how", ["closed", "killed"])
def test_a_folder_that_may_only_be_read_is_told_and_read(how: str, open_folder: Path, start: Start) -> None:
    path = open_folder / "history.db"
    if how == "closed":
        whole(path)
    else:
        writer = start("steps", open_folder)
        while writer.hears() != "49":
            pass
        writer.kill()
    written = len(read(path))
    assert written >= 50
    warned: list[str] = []
    history = History(path, KEEP, warned.append)
    with as_nobody(open_folder):
        history.passed(a_host("esx", Status.HELD), None)
        history.passed(a_host("esx", Status.HELD), None)
        assert len(history.entries()) == len(read(path)) == written
        assert history.unwritten == 1
    assert len(warned) == 1
    assert "permission denied; make its folder writable" in warned[0]
    history.close()
    assert len(read(path)) == written + 1


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    warned: list[str] = []
    history = History(tmp_path / "nowhere" / "history.db", KEEP, warned.append)
    history.journal(None).step("esx", step("image/a"), 1.0, None)
    assert history.entries() == []
    assert (history.unwritten, len(warned)) == (1, 1)
    (tmp_path / "nowhere").mkdir()
    limit = time.monotonic() + 30
    while history.unwritten and time.monotonic() < limit:
        history.passed(a_host("esx", Status.HELD), None)
    assert [it.event for it in history.entries()] == ["step", "status"]
    assert (history.trouble, len(warned)) == (None, 2)
    assert "is written again" in warned[1]
    history.close()


def test_another_process_that_holds_the_file_for_long_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.state.sqlite.BUSY_SECONDS", 0.1)
    warned: list[str] = []
    history = History(path, KEEP, warned.append)
    history.revision("abc")
    history.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        history.journal(None).step("esx", step("image/a"), 1.0, None)
        assert history.unwritten == 1
        assert [it.event for it in history.entries()] == ["revision"]
    assert "database is locked" in warned[0]
    history.close()
    assert [it.event for it in read(path)] == ["revision", "step"]


def test_the_oldest_entries_are_lost_when_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNWRITTEN", 3)
    warned: list[str] = []
    history = History(tmp_path / "nowhere" / "history.db", KEEP, warned.append)
    for number in range(5):
        history.journal(None).step("esx", step(f"image/{number}"), 1.0, None)
    assert (history.unwritten, history.lost) == (3, 2)
    (tmp_path / "nowhere").mkdir()
    history.close()
    assert [it.resource for it in history.entries()] == ["image/2", "image/3", "image/4"]
