"""The comment of a pull or merge request: one, renewed by each run, never too long, never somebody else's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.ci.comment import CUT, MARK, shortened
from tests.unit.deploy import forge as forges
from tests.unit.deploy.forge import TOKEN, Forge

SCRIPT = Path(__file__).parents[3] / "deploy/ci/comment.py"
TABLE = "### Plan\n\n| host |\n|---|\n| a |\n| b |\n"


def host(name: str, lines: str = "x\n") -> str:
    return f"\n<details><summary>{name}</summary>\n\n```sh\n{lines}```\n\n</details>\n"


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Iterator[Forge]:
    with forges.serving(request.param) as it:
        yield it


def run(forge: Forge, plan: str, folder: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    file = folder / "plan.md"
    file.write_text(plan, encoding="utf-8")
    environment = {**forge.variables(), **changed}
    return subprocess.run(
        [sys.executable, SCRIPT, file], env=environment, text=True, capture_output=True, check=False
    )


def test_a_second_run_renews_the_comment_of_the_first(forge: Forge, tmp_path: Path) -> None:
    for number in range(150):
        forge.said(f"comment {number}")
    assert run(forge, "one", tmp_path).returncode == 0
    assert run(forge, "two é <b>", tmp_path).returncode == 0
    assert [it["body"] for it in forge.comments[150:]] == [f"{MARK}\ntwo é <b>"]


def test_a_comment_of_somebody_else_stays(forge: Forge, tmp_path: Path) -> None:
    forge.said(f"{MARK}\nlooks like ours")
    forge.said(f"> {MARK}\nquoted", by_us=True)
    assert run(forge, "one", tmp_path).returncode == 0
    assert [it["body"] for it in forge.comments[:2]] == [f"{MARK}\nlooks like ours", f"> {MARK}\nquoted"]
    assert len(forge.comments) == 3


def test_a_plan_that_is_too_long_is_cut_and_says_so(forge: Forge, tmp_path: Path) -> None:
    plan = TABLE + "".join(host(f"esx-{number}", "y" * 1000 + "\n") for number in range(1000))
    done = run(forge, plan, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    body = forge.comments[0]["body"]
    assert forge.limit - 2000 < len(body) <= forge.limit
    assert body.endswith(f"</details>{CUT}")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"GITHUB_TOKEN": "wrong", "GITLAB_TOKEN": "wrong"}, "was answered with 401"),
        ({"GITHUB_TOKEN": "", "GITLAB_TOKEN": ""}, "_TOKEN is not set"),
        ({"GITHUB_API_URL": "http://127.0.0.1:9", "CI_API_V4_URL": "http://127.0.0.1:9"}, "was not answered"),
    ],
)
def test_what_goes_wrong_is_one_line_without_the_token(
    forge: Forge, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    done = run(forge, "one", tmp_path, **changed)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert TOKEN not in done.stderr
    assert forge.asked == []


def test_a_push_without_a_pull_request_is_told(tmp_path: Path) -> None:
    with forges.serving("github") as forge:
        done = run(forge, "one", tmp_path, GITHUB_REF="refs/heads/main")
    assert "refs/heads/main is no pull request" in done.stderr


@pytest.mark.parametrize(
    ("plan", "room", "kept"),
    [
        (TABLE + host("a"), 1000, TABLE + host("a")),
        # whole hosts only
        (TABLE + host("a") + host("b", "y" * 100 + "\n"), 120, (TABLE + host("a")).rstrip("\n") + CUT),
        # a table that is too long itself
        (TABLE + "| c |\n" * 50, len(TABLE) + 3, TABLE.rstrip("\n") + CUT),
        # what a command prints ends neither its block nor its host
        (
            TABLE + host("a", "</details>\n~~~\n```` x\n" + "z" * 100 + "\n"),
            120,
            TABLE.rstrip("\n") + CUT,
        ),
        ("x" * 200, 100, CUT),
    ],
)
def test_where_it_is_cut(plan: str, room: int, kept: str) -> None:
    limit = room if room > 200 else room + len(CUT)
    assert shortened(plan, limit) == kept
    assert len(kept) <= limit
