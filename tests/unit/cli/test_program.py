"""The program as a process: exit statuses, streams, environment."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler import __version__
from tests.unit.cli.runs import PASSWORD, SPEC, reconcile, starting, write_specs

WRONG = [
    (["--bogus"], "No such option '--bogus'"),
    (["bogus"], "No such command 'bogus'"),
    (["--concurrency", "0", "--dry-run"], "--concurrency"),
    (["--output", "xml", "--dry-run"], "--output"),
    (["--allow", "everything", "--dry-run"], "--allow"),
    (["--host", "other-*", "--dry-run"], "--host other-* fits no host; there are esx-1, esx-2"),
    (["-l", "site=c", "--dry-run"], "-l site=c fits no host"),
    (["-l", "site", "--dry-run"], "KEY=VALUE"),
    (["-l", "site=a", "-l", "site=b", "--dry-run"], "fits no host"),
    (["--only", "nothing/*", "--dry-run"], "--only fits no resource"),
    (["--dry-run", "validate"], "--dry-run means nothing to reconcile validate"),
    (["explain"], "Missing argument 'HOST'"),
    (["explain", "esx-3"], "no spec is for a host 'esx-3'"),
    (["explain", "esx-1", "portGroup"], "portGroup"),
    (["simulate"], "--out DIR is needed"),
    (["simulate", "--hosts", "0"], "--hosts"),
    (["simulate", "fault", "esx-1", "bogus", "--out", "lab"], "there is no fault 'bogus'"),
    (["simulate", "fault", "esx-1", "cut-now", "count=x", "--out", "lab"], "KEY=NUMBER"),
    (["completion", "csh"], "csh"),
    (["--history-keep", "90", "--dry-run"], "'90' is no duration (would be right: 30s, 5m, 1h30m, 90d)"),
    (["history", "--since", "1.5h"], "would be right: 30s, 5m, 1h30m, 90d"),
    (["history", "-o", "yaml"], "--output"),
    (["-o", "yaml", "history"], "a history is written as text or json"),
    (["-f", "specs", "history"], "--filename means nothing to reconcile history"),
    ([], "there is no terminal to ask on"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_specs(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_what_can_not_be_carried_out_is_status_1_and_one_line(
    arguments: list[str], said: str, folder: Path
) -> None:
    done = reconcile(*arguments, folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.startswith("reconcile: ")
    assert done.stderr.count("\n") == 1


def test_specs_that_are_wrong_are_status_5_with_every_mistake(folder: Path) -> None:
    (folder / "specs/esx-1.yaml").write_text("kind: Host\nkind: Host\n", encoding="utf-8")
    (folder / "specs/esx-2.yaml").write_text("nothing\n", encoding="utf-8")
    for arguments in (["validate"], ["--dry-run"], ["explain", "esx-1"], []):
        done = reconcile(*arguments, folder=folder)
        assert (done.returncode, done.stdout) == (5, "")
        assert "specs/esx-1.yaml:2:1: " in done.stderr
        assert "specs/esx-2.yaml:1:1: " in done.stderr
        assert "Traceback" not in done.stderr


def test_a_mistake_is_one_line_whatever_the_names_in_it(folder: Path) -> None:
    wrong = 'apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: h}\nspec: {portGroups: {"a\\nb": {vlan: x}}}\n'
    (folder / "specs/esx-1.yaml").write_text(wrong, encoding="utf-8")
    done = reconcile("validate", folder=folder)
    assert done.returncode == 5
    assert all(line.startswith(("specs/", "reconcile: ")) for line in done.stderr.splitlines())
    assert r"specs/esx-1.yaml:4:21: spec.portGroups.a\nb: " in done.stderr


def test_no_specs_are_status_5(tmp_path: Path) -> None:
    done = reconcile("--dry-run", folder=tmp_path)
    assert done.returncode == 5
    assert "specs" in done.stderr


def test_hosts_that_can_not_be_reached_are_status_3(folder: Path) -> None:
    done = reconcile("--dry-run", "-o", "json", folder=folder)
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert [host["status"] for host in document["hosts"]] == ["unreachable", "unreachable"]
    assert not (folder / "home").exists()


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "yaml", "markdown"])
def test_no_secret_is_ever_shown(form: str, folder: Path) -> None:
    arguments = ("--dry-run", "-o", form, "--log-level", "debug")
    done = reconcile(*arguments, folder=folder)
    assert done.returncode == 3
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize("place", ["before", "after"])
def test_options_stand_before_or_after_the_command(place: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    write_specs(tmp_path / "elsewhere")
    option = ["-f", "elsewhere/specs"]
    arguments = [*option, "validate"] if place == "before" else ["validate", *option]
    done = reconcile(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "the specs are valid: 2 hosts\n")


def test_repeated_options_add_up_and_beat_the_environment(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_specs(tmp_path / name, [f"esx-{name}"], port=len(name) if name == "one" else 9)
    both = reconcile("-f", "one", "validate", "-f", "two", folder=tmp_path)
    assert both.stdout == "the specs are valid: 2 hosts\n"
    twin = {"RECONCILE_FILENAME": "one two"}
    assert reconcile("validate", folder=tmp_path, env=twin).stdout == both.stdout
    one = reconcile("validate", "-f", "one", folder=tmp_path, env=twin)
    assert one.stdout == "the specs are valid: 1 host\n"


@pytest.mark.parametrize(("value", "silent"), [("1", True), ("true", True), ("0", False), ("false", False)])
def test_flags_in_the_environment(value: str, silent: bool, folder: Path) -> None:
    done = reconcile("validate", folder=folder, env={"RECONCILE_QUIET": value})
    assert (done.returncode, done.stdout == "") == (0, silent)


def test_yes_has_no_twin(folder: Path) -> None:
    done = reconcile(folder=folder, env={"RECONCILE_YES": "1"})
    assert done.returncode == 1
    assert "there is no terminal" in done.stderr


@pytest.mark.parametrize("arguments", [["--log-format", "json"], ["--log-format=json"]])
def test_json_logs_are_json_on_every_line(arguments: list[str], folder: Path) -> None:
    for wrong in (["--dry-run"], ["--bogus"], ["--host", "x"], []):
        done = reconcile(*arguments, *wrong, folder=folder)
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert lines
        assert all(list(line)[:2] == ["time", "level"] and line["message"] for line in lines)
    twin = reconcile("--bogus", folder=folder, env={"RECONCILE_LOG_FORMAT": "json"})
    assert json.loads(twin.stderr)["level"] == "error"


def test_a_reader_that_goes_away_is_no_complaint(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = reconcile("schema", folder=folder, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("arguments", [["schema"], ["validate"], ["--dry-run"], ["--dry-run", "-o", "jsonl"]])
def test_output_that_can_not_be_written_is_status_1(arguments: list[str], folder: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = reconcile(*arguments, folder=folder, stdout=full.fileno())
    assert done.returncode == 1
    assert "can't write the output: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(shell: str, folder: Path) -> None:
    done = reconcile("completion", shell, folder=folder)
    assert done.returncode == 0
    assert "_RECONCILE_COMPLETE" in done.stdout
    asked = reconcile(
        folder=folder,
        env={"_RECONCILE_COMPLETE": "bash_complete", "COMP_WORDS": "reconcile val", "COMP_CWORD": "1"},
    )
    assert asked.stdout == "plain,validate\n"


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_quiet_is_the_summary_and_errors(form: str, folder: Path) -> None:
    with (folder / "specs" / "esx-1.yaml").open("a", encoding="utf-8") as spec:
        # a key that is not there is worth a warning
        spec.write("  ssh: {authorizedKeys: [{file: nowhere.pub}]}\n")
    assert "(warning)" in reconcile("validate", folder=folder).stderr
    done = reconcile("--dry-run", "-q", "-o", form, folder=folder)
    assert len(done.stdout.splitlines()) == 1
    assert "2 hosts (1 unreachable, 1 failed)" in done.stdout
    assert [line.partition(":")[0] for line in sorted(done.stderr.splitlines())] == ["esx-1", "esx-2"]


def silent_host() -> socket.socket:
    """Somebody who takes connections and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(30)
    return listener


def test_json_lines_are_written_as_hosts_are_done(tmp_path: Path) -> None:
    with silent_host() as listener:
        specs = write_specs(tmp_path, ["esx-1"])
        text = SPEC.format(name="esx-2", site="a", port=listener.getsockname()[1])
        (specs / "esx-2.yaml").write_text(text, encoding="utf-8")
        with starting("--dry-run", "-o", "jsonl", folder=tmp_path) as process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            connection, _ = listener.accept()
            # the other one is still in hand
            assert process.poll() is None
            connection.close()
            listener.close()
            second, *more = (json.loads(line) for line in process.stdout)
    assert [(it["name"], it["status"]) for it in (first, second)] == [
        ("esx-1", "unreachable"),
        ("esx-2", "unreachable"),
    ]
    assert more == []
    assert process.returncode == 3


def test_a_dry_run_that_nobody_reads_any_more_ends(tmp_path: Path) -> None:
    write_specs(tmp_path, [f"esx-{number}" for number in range(1, 31)])
    arguments = ("--dry-run", "-o", "jsonl", "--concurrency", "1")
    with starting(*arguments, "--log-level", "debug", folder=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        heard = process.stderr.read()
    assert process.returncode == 1
    assert heard.count("connecting to") < 5


def test_no_history_yet_is_an_empty_list(folder: Path) -> None:
    assert reconcile("history", folder=folder).stdout == ""
    done = reconcile("history", "--host", "esx-*", "--since", "24h", "-o", "json", folder=folder)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"formatVersion": "1.0", "entries": []})
    assert not (folder / "home").exists()


def test_a_history_of_hosts_that_could_not_be_reached(folder: Path) -> None:
    assert reconcile("--yes", "-q", folder=folder).returncode == 3
    document = json.loads(reconcile("history", "-o", "json", folder=folder).stdout)
    happened = sorted((it["event"], it["host"] or "") for it in document["entries"])
    assert happened == [
        ("fault", "esx-1"),
        ("fault", "esx-2"),
        ("revision", ""),
        ("status", "esx-1"),
        ("status", "esx-2"),
    ]
    kinds = {it["fault"]["kind"] for it in document["entries"] if it["event"] == "fault"}
    assert kinds == {"unreachable"}
    shown = reconcile("--state-dir", "home/reconciler", "history", "--host", "esx-1", folder=folder)
    assert [line.split("  ")[1] for line in shown.stdout.splitlines()] == ["esx-1", "esx-1"]
    none = reconcile("history", "--host", "esx-1", "--host", "other", folder=folder)
    assert (none.returncode, none.stdout) == (1, "")
    assert "--host other fits no host of the history" in none.stderr


def test_a_history_that_can_not_be_read_is_told(folder: Path) -> None:
    (folder / "home/reconciler").mkdir(parents=True)
    (folder / "home/reconciler/history.db").write_text("no database" * 100)
    done = reconcile("history", folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "file is not a database; move it away: a new one is begun then" in done.stderr


def test_explain_shows_values_with_their_places(folder: Path) -> None:
    done = reconcile("explain", "esx-1", "address", folder=folder)
    assert done.stdout == "address: 127.0.0.1  specs/esx-1.yaml:5\n"


def test_version_and_help(folder: Path) -> None:
    assert reconcile("--version", folder=folder).stdout == f"reconcile {__version__}\n"
    shown = reconcile("--help", folder=folder)
    assert shown.returncode == 0
    for command in ("validate", "schema", "explain", "history", "simulate", "completion"):
        assert f"\n  {command} " in shown.stdout


def test_help_loads_nothing_that_it_does_not_need(folder: Path) -> None:
    code = (
        "import sys; from reconciler.cli.main import run; run(['--help']); "
        "heavy = ('pydantic', 'paramiko', 'rich', 'yaml', 'asyncssh', 'sqlite3'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("[]\n")
