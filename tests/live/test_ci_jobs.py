"""The commands of the jobs for users' repositories, run as their runners run them, against simulated hosts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.simulator.lab import Lab
from tests.unit.deploy import forge as forges
from tests.unit.deploy.forge import Forge
from tests.unit.deploy.test_ci_files import GITHUB, GITLAB, HERE


def commands(job: str, kind: str) -> list[str]:
    if kind == "github":
        return [it["run"] for it in GITHUB["jobs"][job]["steps"] if "run" in it]
    return list(GITLAB[job]["script"])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository of specs whose hosts are there."""
    folder = tmp_path_factory.mktemp("repository")
    lab = Lab(2, ["6.7"], folder)
    (folder / "ci").mkdir()
    shutil.copy(HERE / "comment.py", folder / "ci")
    (folder / "bin").mkdir()
    (folder / "bin/reconcile").write_text(f'#!/bin/sh\nexec {sys.executable} -m reconciler "$@"\n')
    (folder / "bin/reconcile").chmod(0o755)
    (folder / "bin/python").symlink_to(sys.executable)
    yield folder
    lab.close()


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Iterator[Forge]:
    with forges.serving(request.param) as it:
        yield it


def run(job: str, forge: Forge, folder: Path) -> list[int]:
    """The exit status of each command, in the image's shell."""
    environment = {
        **forge.variables(),
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(HERE.parents[1]),
        "RECONCILE_STATE_DIR": str(folder / "state"),
    }
    return [
        subprocess.run(
            ["sh", "-e", "-c", text], cwd=folder, env=environment, capture_output=True, check=False
        ).returncode
        for text in commands(job, forge.kind)
    ]


def test_specs_that_are_valid_pass_and_others_do_not(lab: Path, forge: Forge) -> None:
    assert run("validate", forge, lab) == [0]
    wrong = lab / "specs/wrong.yaml"
    wrong.write_text("kind: Hots\n", encoding="utf-8")
    try:
        assert run("validate", forge, lab) == [5]
    finally:
        wrong.unlink()


def test_the_plan_becomes_a_comment(lab: Path, forge: Forge) -> None:
    assert set(run("plan", forge, lab)) == {0}
    (comment,) = forge.comments
    assert "### Plan: 2 hosts (2 drifted)" in comment["body"]
    assert "esx-67-01" in comment["body"]


def test_a_host_that_refuses_the_login_fails_the_job_and_the_comment_tells_why(
    lab: Path, forge: Forge
) -> None:
    key = lab / "keys/root.key"
    kept = key.read_bytes()
    key.write_bytes((lab / "keys/second.key").read_bytes())
    try:
        assert 1 in run("plan", forge, lab)
    finally:
        key.write_bytes(kept)
    assert "login as root refused" in forge.comments[0]["body"]
