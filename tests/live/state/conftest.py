"""Processes that work with a state folder beside the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@dataclass
class Actor:
    """One such process."""

    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def hears(self) -> str:
        """The next line that it says; an empty one once it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def rest(self) -> list[str]:
        """All lines that it says until it ends by itself."""
        out, err = self.process.communicate(timeout=60)
        assert (self.process.returncode, err) == (0, "")
        return out.splitlines()

    def go_on(self) -> None:
        """It waits for a line."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        """SIGSTOP, and wait until it has stopped."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


Start = Callable[..., Actor]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an actor: what it does, and its arguments. Whatever is left is killed in the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> Actor:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.state.actor", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Actor(process)

    yield begin
    for process in started:
        with process:
            process.kill()
            with suppress(BrokenPipeError):
                process.communicate()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may look into, since pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="reconciler-state-") as name:
        yield Path(name)


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Who may read what is in that folder, and not write there; root would be let."""
    for it in (folder, *folder.iterdir()):
        it.chmod(0o555 if it.is_dir() else 0o444)
    if os.geteuid() != 0:
        yield
    else:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    for it in (folder, *folder.iterdir()):
        it.chmod(0o700 if it.is_dir() else 0o600)
