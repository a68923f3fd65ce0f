"""One pass as a person at a terminal sees it: the plan, the question, and what a yes covers."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler import fleet
from reconciler.cli.main import run
from reconciler.report import HostReport
from reconciler.state.database import read
from reconciler.state.folder import StateFolder
from tests.unit.cli.runs import PretendedFleet, in_sync, with_plan, write_specs

Pretend = Callable[..., PretendedFleet]


class Terminal(io.StringIO):
    """A person's answers; a callable in their place is called when its turn comes."""

    def __init__(self, *answers: str) -> None:
        super().__init__("".join(f"{answer}\n" for answer in answers))

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        line = super().readline(size)
        if line == "^C\n":
            os.kill(os.getpid(), signal.SIGINT)
        return line


@pytest.fixture
def pretend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, list[HostReport]]], PretendedFleet]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RECONCILE_")]:
        monkeypatch.delenv(name)

    def make(plans: dict[str, list[HostReport]]) -> PretendedFleet:
        write_specs(tmp_path, list(plans))
        pretended = PretendedFleet(plans)
        monkeypatch.setattr(fleet, "run", pretended.run)
        return pretended

    return make


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """A terminal with a person who types these answers; its screen comes back."""

    def make(*texts: str) -> Terminal:
        screen = Terminal()
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "stdin", Terminal(*texts))
        monkeypatch.setattr(sys, "stderr", screen)
        return screen

    return make


def test_a_yes_carries_out_exactly_the_plan_that_was_shown(
    pretend: Pretend, answers: Callable[..., Terminal], capsys: pytest.CaptureFixture[str]
) -> None:
    pretended = pretend({"esx-1": [with_plan("esx-1")], "esx-2": [in_sync("esx-2")]})
    screen = answers("yes")
    assert run([]) == 0
    (looked, look), (done, apply) = pretended.calls
    assert (looked, look.dry_run) == (("esx-1", "esx-2"), True)
    assert (done, apply.dry_run, set(apply.approved or ())) == (("esx-1",), False, {"esx-1"})
    out = capsys.readouterr().out
    assert "To do: 1 update." in out
    assert "2 hosts (1 converged, 1 in-sync). Done: 1 updated." in out
    assert "Do this (1 step on 1 host)? Only 'yes' is taken as a yes: " in screen.getvalue()


@pytest.mark.parametrize("answer", ["no", "y", "YES", "", "yes please"])
def test_anything_else_changes_nothing(
    answer: str, pretend: Pretend, answers: Callable[..., Terminal], capsys: pytest.CaptureFixture[str]
) -> None:
    pretended = pretend({"esx-1": [with_plan("esx-1")]})
    screen = answers(answer)
    assert run([]) == 1
    assert [options.dry_run for _, options in pretended.calls] == [True]
    assert "Nothing was done." in screen.getvalue()
    assert capsys.readouterr().out.count("hosts (") + 1 == 1


def test_ctrl_c_at_the_question_changes_nothing(pretend: Pretend, answers: Callable[..., Terminal]) -> None:
    pretended = pretend({"esx-1": [with_plan("esx-1")]})
    screen = answers("^C")
    assert run([]) == 130
    assert len(pretended.calls) == 1
    assert "interrupted" in screen.getvalue()


def test_a_plan_that_changed_meanwhile_is_shown_and_asked_for_again(
    pretend: Pretend, answers: Callable[..., Terminal], capsys: pytest.CaptureFixture[str]
) -> None:
    changing = [with_plan("esx-1", 10), with_plan("esx-1", 20)]
    pretended = pretend({"esx-1": changing, "esx-2": [with_plan("esx-2")]})
    screen = answers("yes", "yes")
    assert run(["-o", "json"]) == 0
    assert [hosts for hosts, _ in pretended.calls] == [("esx-1", "esx-2"), ("esx-1", "esx-2"), ("esx-1",)]
    assert "These plans have changed meanwhile. Do this (1 step on 1 host)?" in screen.getvalue()
    assert "vlan  99 → 20" in screen.getvalue()
    document = json.loads(capsys.readouterr().out)
    assert [host["status"] for host in document["hosts"]] == ["converged", "converged"]
    assert document["dryRun"] is False


def test_a_no_to_the_changed_plan_keeps_what_was_done(
    pretend: Pretend, answers: Callable[..., Terminal], capsys: pytest.CaptureFixture[str]
) -> None:
    pretend({"esx-1": [with_plan("esx-1", 10), with_plan("esx-1", 20)], "esx-2": [with_plan("esx-2")]})
    screen = answers("yes", "no")
    assert run(["-o", "jsonl"]) == 1
    assert "Nothing more is done." in screen.getvalue()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(host["name"], host["status"]) for host in lines] == [
        ("esx-2", "converged"),
        ("esx-1", "drifted"),
    ]


def test_quiet_leaves_the_summary_alone_on_standard_output(
    pretend: Pretend, answers: Callable[..., Terminal], capsys: pytest.CaptureFixture[str]
) -> None:
    pretend({"esx-1": [with_plan("esx-1")], "esx-2": [in_sync("esx-2")]})
    screen = answers("no", "yes")
    assert run(["--quiet"]) == 1
    # who is to say yes has to see to what
    assert "vlan  99 → 10" in screen.getvalue()
    assert capsys.readouterr().out == "2 hosts (1 drifted, 1 in-sync). To do: 1 update.\n"
    assert run(["--quiet"]) == 0
    assert capsys.readouterr().out == "2 hosts (1 converged, 1 in-sync). Done: 1 updated.\n"


def test_nothing_to_do_asks_nothing(
    pretend: Pretend, answers: Callable[..., Terminal], capsys: pytest.CaptureFixture[str]
) -> None:
    pretended = pretend({"esx-1": [in_sync("esx-1")]})
    screen = answers()
    assert run(["--log-level", "error"]) == 0
    assert len(pretended.calls) == 1
    assert "Only 'yes'" not in screen.getvalue()
    assert "Nothing to do." in capsys.readouterr().out


def test_without_a_terminal_nothing_is_contacted(
    pretend: Pretend, capsys: pytest.CaptureFixture[str]
) -> None:
    pretended = pretend({"esx-1": [with_plan("esx-1")]})
    assert run([]) == 1
    assert pretended.calls == []
    assert "there is no terminal to ask on" in capsys.readouterr().err


def test_yes_does_it_in_one_go(pretend: Pretend, capsys: pytest.CaptureFixture[str]) -> None:
    pretended = pretend({"esx-1": [with_plan("esx-1")]})
    assert run(["--yes", "--detailed-exitcode"]) == 0
    assert [(options.dry_run, options.approved) for _, options in pretended.calls] == [(False, None)]
    assert "Done: 1 updated." in capsys.readouterr().out


def test_pending_changes_are_status_2_when_wanted(pretend: Pretend) -> None:
    pretend({"esx-1": [with_plan("esx-1")]})
    assert run(["--dry-run", "--detailed-exitcode"]) == 2
    assert run(["--dry-run"]) == 0


def kept(folder: Path) -> list[tuple[str, str | None]]:
    """What the history says: event and host."""
    return [(it.event, it.host) for it in read(StateFolder(folder / "state").history)]


def test_a_no_and_a_dry_run_write_nothing(
    pretend: Pretend, answers: Callable[..., Terminal], tmp_path: Path
) -> None:
    pretend({"esx-1": [with_plan("esx-1")]})
    answers("no")
    assert run(["--state-dir", "state"]) == 1
    assert run(["--state-dir", "state", "--dry-run"]) == 0
    assert not (tmp_path / "state").exists()


def test_a_yes_is_in_the_history_with_the_hosts_that_had_nothing_to_do(
    pretend: Pretend, answers: Callable[..., Terminal], tmp_path: Path
) -> None:
    changing = [with_plan("esx-1", 10), with_plan("esx-1", 20)]
    pretend({"esx-1": changing, "esx-2": [with_plan("esx-2")], "esx-3": [in_sync("esx-3")]})
    answers("yes", "yes")
    assert run(["--state-dir", "state"]) == 0
    statuses = [("status", "esx-2"), ("status", "esx-1"), ("status", "esx-3")]
    assert kept(tmp_path) == [("revision", None), *statuses]
    assert run(["--state-dir", "state", "--yes"]) == 0
    assert len(kept(tmp_path)) == 4


def test_looking_at_hosts_that_are_in_sync_is_in_the_history(
    pretend: Pretend, answers: Callable[..., Terminal], tmp_path: Path
) -> None:
    pretend({"esx-1": [in_sync("esx-1")]})
    answers()
    assert run(["--state-dir", "state"]) == 0
    assert kept(tmp_path) == [("revision", None), ("status", "esx-1")]


def test_options_reach_the_fleet(pretend: Pretend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretended = pretend({"esx-1": [in_sync("esx-1")], "esx-2": [in_sync("esx-2")]})
    monkeypatch.setenv("RECONCILE_DRY_RUN", "true")
    monkeypatch.setenv("RECONCILE_ONLY", "ssh portGroup/*")
    monkeypatch.setenv("RECONCILE_CONCURRENCY", "7")
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/service:/elsewhere")
    assert run(["--allow", "link", "-l", "site=b"]) == 0
    ((hosts, options),) = pretended.calls
    assert hosts == ("esx-2",)
    assert options.allow is not None
    assert options.allow.label == "link"
    assert (options.dry_run, options.only, options.concurrency) == (True, ("ssh", "portGroup/*"), 7)
    assert options.state_dir == tmp_path / "service"


def test_a_bug_is_told_in_one_line(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend({"esx-1": [in_sync("esx-1")]})

    def broken(*_: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(fleet, "run", broken)
    assert run(["--dry-run"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "reconcile: this is a bug, please report it with this line: RuntimeError in broken"
    )
    assert "Traceback" not in said
    assert said.count("\n") == 1
