"""The simulated shell does what busybox does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.simulator.support import Ran, cases, host, script

BUSYBOX = shutil.which("busybox")


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with busybox under the names of all its tools."""
    if BUSYBOX is None:
        pytest.fail("busybox is missing: the shell is compared with it (install the package `busybox`)")
    folder = tmp_path_factory.mktemp("busybox")
    for name in subprocess.run(
        [BUSYBOX, "--list"], capture_output=True, text=True, check=True
    ).stdout.split():
        (folder / name).symlink_to(BUSYBOX)
    return folder


def real(busybox: Path, text: str, cwd: Path) -> Ran:
    done = subprocess.run(
        [str(busybox / "sh")],
        input=text.encode(),
        capture_output=True,
        cwd=cwd,
        env={"PATH": str(busybox), "HOME": "/", "LC_ALL": "C"},
        timeout=20,
        umask=0o022,
    )
    return Ran(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in cases("shell.yaml")])
def test_runs_a_script_as_busybox_does(text: str, busybox: Path, tmp_path: Path) -> None:
    expected = real(busybox, text + "\n", tmp_path)
    on = host()
    on.files.makedirs("/here")
    got = script(on, text + "\n", cwd="/here")
    assert (got.out, got.status) == (expected.out, expected.status), f"{got.err=} {expected.err=}"
    assert bool(got.err) == bool(expected.err), f"{got.err=} {expected.err=}"
