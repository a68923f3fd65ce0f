"""The state folder: who may be the one loop, whose turn it is on a host, and files that are whole or not there."""

from __future__ import annotations

import os
import signal
import stat
import threading
from pathlib import Path

import pytest

from reconciler.state.files import read_json, write_atomically, write_json
from reconciler.state.folder import HostTurns, StateFolder
from reconciler.state.trouble import StateTrouble
from tests.live.state.conftest import Start, as_nobody

LONGEST = "a" * 253


def never() -> bool:
    return False


def nothing() -> None:
    return None


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path / "deep" / "state")
    state.open()
    return state


def test_the_folder_is_made_for_its_owner_alone(folder: StateFolder) -> None:
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.open()


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "state"):
        with pytest.raises(StateTrouble, match=r"the state folder .* can't be used: .*; .* --state-dir"):
            StateFolder(path).open()


def test_a_folder_that_may_not_be_written_to_is_told(open_folder: Path) -> None:
    for made in (False, True):
        if made:
            StateFolder(open_folder).open()
        with as_nobody(open_folder), pytest.raises(StateTrouble, match=r"can't be used: "):
            StateFolder(open_folder).open()


def test_a_second_loop_is_refused_and_told_who_has_it(folder: StateFolder, start: Start) -> None:
    first = start("loop", folder.path)
    assert first.hears() == "loop"
    with pytest.raises(StateTrouble, match=rf"\(process {first.pid}\) works with the state folder"):
        with folder.only_loop():
            pass
    first.go_on()
    assert first.rest() == []
    with folder.only_loop():
        second = start("loop", folder.path)
        assert f"(process {os.getpid()})" in second.hears()


def test_a_loop_that_is_stopped_lives(folder: StateFolder, start: Start) -> None:
    first = start("loop", folder.path)
    assert first.hears() == "loop"
    first.stop()
    with pytest.raises(StateTrouble):
        with folder.only_loop():
            pass


def test_a_loop_that_was_killed_does_not_though_its_child_lives(folder: StateFolder, start: Start) -> None:
    first = start("loop", folder.path, "600")
    child = int(first.hears())
    assert first.hears() == "loop"
    first.kill()
    try:
        with folder.only_loop():
            os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_lock_that_lies_about_is_no_obstacle(folder: StateFolder) -> None:
    (folder.path / "loop.lock").write_bytes(b"\xff1\n")
    with folder.only_loop():
        assert (folder.path / "loop.lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_whose_file_was_removed_can_be_had_again(folder: StateFolder) -> None:
    with folder.only_loop():
        (folder.path / "loop.lock").unlink()
        with folder.only_loop():
            assert (folder.path / "loop.lock").exists()


def test_the_loop_clears_what_a_killed_one_left(folder: StateFolder) -> None:
    left = folder.path / ".unfinished-abc"
    left.write_text("{")
    with folder.only_loop():
        assert not left.exists()


def test_processes_take_turns_on_a_host(folder: StateFolder, start: Start) -> None:
    first = start("turn", folder.path, "esx")
    assert first.hears() == "had True"
    second, other = start("turn", folder.path, "esx"), start("turn", folder.path, "esx-2")
    assert (second.hears(), other.hears()) == ("waiting", "had True")
    first.go_on()
    assert second.hears() == "had True"


def test_a_turn_ends_with_whoever_had_it(folder: StateFolder, start: Start) -> None:
    first = start("turn", folder.path, "esx")
    assert first.hears() == "had True"
    first.stop()
    told: list[str] = []

    def stopping() -> bool:
        """The holder dies while it is waited for."""
        first.kill()
        return False

    with folder.turn("esx", stopping, lambda: told.append("waiting")) as had:
        assert (had, told) == (True, ["waiting"])


def test_threads_take_turns_on_a_host(folder: StateFolder) -> None:
    waiting, order = threading.Event(), []

    def second() -> None:
        with folder.turn("esx", never, waiting.set) as had:
            order.append(("second", had))

    with folder.turn("esx", never, nothing) as had:
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(30)
        order.append(("first", had))
    thread.join(30)
    assert order == [("first", True), ("second", True)]


def test_a_stop_ends_the_wait(folder: StateFolder) -> None:
    with folder.turn("esx", never, nothing):
        with folder.turn("esx", lambda: True, nothing) as had:
            assert not had
    with folder.turn("esx", never, nothing) as had:
        assert had


@pytest.mark.parametrize("name", ["..", ".", LONGEST, "a.lock", "-n"])
def test_any_name_of_a_host_has_a_turn_of_its_own(name: str, folder: StateFolder) -> None:
    with folder.turn(name, never, nothing) as first, folder.turn("esx", never, nothing) as second:
        assert first
        assert second
        with folder.turn(name, lambda: True, nothing) as again:
            assert not again
    assert {it.name for it in folder.path.iterdir()} == {"turns"}


def test_without_a_folder_hosts_are_worked_on_and_that_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    turns = HostTurns(StateFolder(tmp_path / "nowhere"), told.append)
    for host in ("esx", "esx-2"):
        with turns.on(host, never, nothing) as had:
            assert had
    assert len(told) == 1
    assert "can't lock" in told[0]


def test_a_file_changes_whole(folder: StateFolder) -> None:
    path = folder.path / "guard.json"
    assert read_json(path, pytest.fail) is None
    write_json(path, {"tripped": True, "name": "\udcff"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_json(path, pytest.fail) == {"tripped": True, "name": "\udcff"}
    write_atomically(path, b"[]")
    assert read_json(path, pytest.fail) == []
    assert {it.name for it in folder.path.iterdir()} == {"guard.json", "turns"}


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"\xff\xfe", b"\0" * 4096, b"[" * 100_000])
def test_a_broken_file_is_as_none_and_set_aside(content: bytes, folder: StateFolder) -> None:
    path, told = folder.path / "guard.json", list[str]()
    for number in (1, 2, 3):
        path.write_bytes(content)
        assert read_json(path, told.append) is None
        assert len(told) == number
        assert not path.exists()
    kept = sorted(folder.path.glob("guard.json.broken-*"))
    assert [it.read_bytes() for it in kept] == [content] * 3
    assert all(str(it) in " ".join(told) for it in kept)


def test_a_file_that_can_not_be_read_is_left(folder: StateFolder) -> None:
    told: list[str] = []
    (folder.path / "guard.json").mkdir()
    assert read_json(folder.path / "guard.json", told.append) is None
    assert "is a directory" in told[0]


def test_a_file_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateTrouble, match=r"can't write .*guard.json: no such file or directory"):
        write_json(tmp_path / "nowhere" / "guard.json", 1)


def test_a_full_disk_leaves_the_file_as_it_was_and_no_litter(tmp_path: Path, start: Start) -> None:
    said = start("full_file", tmp_path).rest()
    assert said[0].startswith(f"can't write {tmp_path}/guard.json: ")
    assert said[1:] == ["{'was': True}"]
    assert [it.name for it in tmp_path.iterdir()] == ["guard.json"]
