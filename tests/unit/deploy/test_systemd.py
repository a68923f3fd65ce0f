"""The unit, as systemd itself judges it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[3] / "deploy/systemd"
PROGRAM = "/opt/reconciler/bin/reconcile"
EXPOSURE = 25
"""In tenths: what systemd calls OK ends at 4, most of Debian's services are above 9."""


@pytest.fixture(params=["alone", "with drop-ins"])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit as it would lie on a machine whose program is Python here."""
    text = (HERE / "reconciler.service").read_text(encoding="utf-8")
    assert PROGRAM in text
    path = tmp_path / "reconciler.service"
    path.write_text(text.replace(PROGRAM, sys.executable), encoding="utf-8")
    if request.param == "with drop-ins":
        shutil.copytree(HERE / "reconciler.service.d", tmp_path / "reconciler.service.d")
    return path


def systemd(*arguments: str) -> str:
    """What it prints on both streams. Raises AssertionError with it when it is not content."""
    done = subprocess.run(
        ["systemd-analyze", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_it_has_no_mistake(unit: Path) -> None:
    assert systemd("verify", "--man=no", str(unit)) == ""


def test_it_is_exposed_little(unit: Path) -> None:
    said = systemd("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", str(unit))
    assert "Overall exposure level for reconciler.service" in said


def test_the_account_is_made_with_the_state_folder_as_its_home(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    source = HERE / "reconciler.sysusers.conf"
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", source], check=True, capture_output=True)
    account = (tmp_path / "etc/passwd").read_text(encoding="utf-8").split(":")
    assert (account[0], account[5]) == ("reconciler", "/var/lib/reconciler")


def test_the_loop_has_time_to_end_and_its_children_are_not_told() -> None:
    lines = (HERE / "reconciler.service").read_text(encoding="utf-8").splitlines()
    wanted = [
        "Type=notify",
        "NotifyAccess=main",
        "TimeoutStopSec=60s",
        "KillMode=mixed",
        "Restart=on-failure",
    ]
    assert set(wanted) <= set(lines)
