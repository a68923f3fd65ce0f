"""What real runs write down, and how two of them share a host."""

from __future__ import annotations

import json
import signal
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults.healing import all_has_ended, drifted, heals, mounts_made, program
from tests.faults.kept import steps_of
from tests.faults.program import Program, at_command, reconcile
from tests.live.passes.world import World


def history(there: World, *arguments: str) -> list[dict[str, Any]]:
    ended = reconcile(
        there.folder, "history", "--state-dir", str(there.folder / "state"), "-o", "json", *arguments
    )
    assert ended.status == 0, ended.said
    entries: list[dict[str, Any]] = json.loads(ended.out)["entries"]
    return entries


def test_what_a_run_did_is_in_the_history(tmp_path: Path) -> None:
    with drifted(tmp_path, "6.7") as there:
        assert program(there, "--dry-run").start().end().status == 0
        assert not (tmp_path / "state").exists(), "a dry run writes nothing"
        assert history(there) == []
        ended = program(there, "--yes", "-o", "json", "--log-level", "debug").start().end()
        assert ended.status == 0, ended.said
        entries = history(there)
        assert [it["event"] for it in entries][:1] == ["revision"]
        assert {it["revision"] for it in entries} == {entries[0]["revision"]}
        (host,) = json.loads(ended.out)["hosts"]
        shown = [(it["resource"], it["verb"], it["fields"], it["outcome"]) for it in host["steps"]]
        kept = [
            (it["resource"], it["verb"], it["fields"], it["outcome"])
            for it in entries
            if it["event"] == "step"
        ]
        assert sorted(map(str, kept)) == sorted(map(str, shown))
        assert program(there, "--yes").start().end().status == 0
        more = history(there, "--host", "es?", "--since", "1h")[len(entries) - 1 :]
        status = [{"field": "status", "before": "converged", "after": "in-sync"}]
        assert [(it["event"], it["host"], it["fields"]) for it in more] == [("status", "esx", status)]
        text = reconcile(tmp_path, "history", "--state-dir", str(tmp_path / "state")).out.decode()
        assert "esx  + create portGroup/Private: done after" in text
        assert text.endswith("esx  status converged → in-sync\n")


def beside(there: World, *arguments: str) -> tuple[Program, Program]:
    """A run that was stopped at its second changing command, and one that waits for it."""
    first, second = (Program(there.folder / name, _words(there, *arguments)) for name in ("one", "two"))
    for run in (first, second):
        run.folder.mkdir()
    at_command(there.host, 2, partial(first.signal, signal.SIGSTOP))
    first.start().until_stopped()
    second.start().until("another run works on this host")
    return first, second


def _words(there: World, *arguments: str) -> list[str]:
    return ["-f", str(there.write()), "--state-dir", str(there.folder / "state"), "--yes", *arguments]


def test_two_runs_take_turns_on_a_host(tmp_path: Path) -> None:
    with drifted(tmp_path, "6.7") as there:
        first, second = beside(there, "-o", "json")
        first.signal(signal.SIGCONT)
        runs = [first.end(), second.end()]
        assert [it.status for it in runs] == [0, 0], [it.said for it in runs]
        assert [json.loads(it.out)["hosts"][0]["status"] for it in runs] == ["converged", "in-sync"]
        assert mounts_made(there) == {"repository": 1, "vms": 1}
        steps = Counter(str((it.resource, it.fields)) for it in steps_of(there))
        assert len(steps) > 5
        assert set(steps.values()) == {1}
        all_has_ended(there)


def test_a_run_that_was_killed_gives_its_turn_away(tmp_path: Path) -> None:
    with drifted(tmp_path, "6.7") as there:
        first, second = beside(there)
        first.kill()
        first.end()
        ended = second.end()
        assert ended.status == 0, ended.said
        heals(there)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_waits_for_its_turn_can_be_stopped(number: signal.Signals, tmp_path: Path) -> None:
    with drifted(tmp_path, "6.7") as there:
        first, second = beside(there, "-o", "json")
        try:
            second.signal(number)
            ended = second.end()
            assert ended.status == 130, ended.said
            assert json.loads(ended.out)["hosts"] == []
        finally:
            first.signal(signal.SIGCONT)
            first.end()


def test_without_a_state_folder_hosts_are_put_right_and_that_is_told_once(tmp_path: Path) -> None:
    with drifted(tmp_path, "6.7") as there:
        (tmp_path / "file").write_text("")
        words = ["-f", str(there.write()), "--state-dir", str(tmp_path / "file" / "state"), "--yes"]
        ended = reconcile(tmp_path, *words)
        assert ended.status == 0, ended.said
        assert ended.err.count(b"the state folder ") == 1
        assert b"there will be no history of this run" in ended.err
