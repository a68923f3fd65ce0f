"""What is heard of a pass on standard error: lines, JSON objects, bars."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest

from reconciler import events
from reconciler.cli.hearing import MANY, hearing
from reconciler.events import Event
from reconciler.listeners import logs
from reconciler.listeners.chatter import LINES
from reconciler.listeners.progress import Bars

EVENTS: list[tuple[Event, str, str]] = [
    (events.Connecting("h", "10.0.0.1"), "debug", "connecting to 10.0.0.1"),
    (events.Looking("h", 1), "debug", "looking at 1 thing"),
    (events.Waiting("h", "hostd is restarting", 5.0), "info", "waiting 5 s: hostd is restarting"),
    (events.Planned("h", 2, 1, 0), "debug", "planned 2 steps, 1 held, 0 unknown"),
    (events.StepBegan("h", "ssh", "start SSH", 1, 2), "info", "step 1 of 2, ssh: start SSH"),
    (events.Retrying("h", "ssh", "no change", "notConverged"), "warning", "trying ssh again: no change"),
    (events.StepEnded("h", "ssh", "update", "done", 1.25), "debug", "update ssh: done after 1.2 s"),
    (events.Failed("h", "refused", "h: it said no\x1b[2J"), "error", "it said no\x1b[2J"),
    (events.Finished("h", "in-sync", 0.5), "info", "in-sync after 0.5 s"),
]


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], level = before
    root.setLevel(level)


@pytest.mark.parametrize(("event", "level", "message"), EVENTS)
def test_a_json_line_holds_the_event(event: Event, level: str, message: str) -> None:
    lines: list[str] = []
    logs.set_up("debug", "json", lines.append)
    logs.log(event)
    (line,) = lines
    assert "\x1b" not in line
    said = json.loads(line)
    assert said["time"].endswith("Z")
    assert (said["level"], said["host"], said["message"]) == (level, "h", message)
    assert said["event"].lower() == type(event).__name__.lower()


def test_text_lines_name_the_host_once_and_harm_no_terminal() -> None:
    lines: list[str] = []
    logs.set_up("info", "text", lines.append)
    for event, _, _ in EVENTS:
        logs.log(event)
    assert lines == [
        "h: waiting 5 s: hostd is restarting",
        "h: step 1 of 2, ssh: start SSH",
        "h: trying ssh again: no change",
        r"h: it said no\x1b[2J",
        "h: in-sync after 0.5 s",
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_traceback_and_no_library_gets_through(form: str) -> None:
    lines: list[str] = []
    logs.set_up("debug", form, lines.append)
    for name in ("paramiko.transport", "asyncssh", "reconciler"):
        try:
            raise ValueError("broken")
        except ValueError:
            logging.getLogger(name).exception("it broke")
    assert len(lines) == 1
    assert "Traceback" not in lines[0]


def test_bars_show_hosts_in_hand_and_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with Bars(2, colour=False) as bars:
        for event, _, _ in EVENTS:
            bars(event)
        bars(events.Finished("another", "in-sync", 0.1))
    shown = screen.getvalue()
    assert "step 1 of 2" in shown
    assert shown.rstrip("\r").endswith("\x1b[2K")
    assert "\x1b[2J" not in shown


def test_bars_of_many_hosts_fit_on_the_screen_and_count(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    for name, value in (("TERM", "xterm"), ("LINES", "10"), ("COLUMNS", "100")):
        monkeypatch.setenv(name, value)
    with Bars(60, colour=False) as bars:
        for number in range(50):
            bars(events.Connecting(f"esx-{number:02}", "10.0.0.1"))
        bars(events.StepBegan("esx-49", "ssh", "start SSH", 1, 2))
        for number in range(50, 60):
            bars(events.Finished(f"esx-{number}", "in-sync", 0.1))
    last = screen.getvalue().rpartition("hosts")[2]
    assert "10 in-sync" in last
    assert re.findall(r"esx-\d\d", last) == ["esx-49", *(f"esx-0{number}" for number in range(5))]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_host_that_waits_without_end_is_cut_short_and_its_faults_are_not(form: str) -> None:
    lines: list[str] = []
    logs.set_up("info", form, lines.append)
    for _ in range(2):
        for _ in range(50):
            logs.log(events.Waiting("h", "hostd is restarting", 5.0))
            logs.log(events.Retrying("h", "ssh", "no change", "notConverged"))
            logs.log(events.Failed("h", "refused", "it said no"))
            logs.log(events.StepBegan("h", "ssh", "start SSH", 1, 2))
        logs.log(events.Waiting("another", "hostd is restarting", 5.0))
        logs.log(events.Finished("h", "failed", 9.0))
    assert sum("waiting" in line or "again" in line for line in lines) == 2 * (LINES + 1)
    assert sum("it said no" in line for line in lines) == 100
    assert sum("step 1 of 2" in line for line in lines) == 100
    assert sum("… and 80 more lines like these" in line for line in lines) == 2


def test_what_is_not_logged_is_not_counted() -> None:
    lines: list[str] = []
    logs.set_up("error", "text", lines.append)
    for _ in range(50):
        logs.log(events.Waiting("h", "hostd is restarting", 5.0))
    logs.log(events.Finished("h", "failed", 9.0))
    assert lines == []


def test_many_hosts_without_a_terminal_are_counted_and_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with hearing(None, "text", quiet=False, bars=True, colour=False).working(MANY + 1) as listener:
        for number in range(MANY):
            listener(events.Connecting(f"esx-{number}", "10.0.0.1"))
            listener(events.Finished(f"esx-{number}", "in-sync", 0.1))
        listener(events.StepBegan("esx-x", "ssh", "start SSH", 1, 1))
        listener(events.Failed("esx-x", "refused", "esx-x: it said no"))
        listener(events.Finished("esx-x", "failed", 0.1))
    assert capsys.readouterr().err.splitlines() == [
        "esx-x: step 1 of 1, ssh: start SSH",
        "esx-x: it said no",
        "reconciler: 21 of 21 hosts: 1 failed, 20 in-sync",
    ]


def test_few_hosts_without_a_terminal_are_told_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    with hearing(None, "text", quiet=False, bars=True, colour=False).working(MANY) as listener:
        listener(events.Finished("esx-1", "in-sync", 0.1))
    assert capsys.readouterr().err == "esx-1: in-sync after 0.1 s\n"
