"""The real program in a process of its own, and a way to strike at an exact moment of a host's day."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.simulator import Executed, HostHandle

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 100.0


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit status (negative: the signal that killed it), both streams, wall seconds."""

    status: int
    out: bytes
    err: bytes
    seconds: float

    @property
    def said(self) -> str:
        """Both streams as text."""
        return (self.out + b"\n" + self.err).decode("utf-8", "replace")


@dataclass
class Program:
    """`reconcile ARGUMENTS`, not started yet. Its home is `folder`; it leads a process group of its own. `module` is
    what is run in its stead."""

    folder: Path
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    begun: float = 0.0
    heard: bytearray = field(default_factory=bytearray)
    module: str = "reconciler"

    def start(self) -> Program:
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(ROOT)}
        self.begun = time.monotonic()
        with (self.folder / "stdout").open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, *self.arguments],
                cwd=self.folder,
                env={**bare, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        return self

    def until(self, text: str) -> None:
        """Wait until it says this on standard error."""
        assert self.process is not None
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.heard += line
            if text.encode() in line:
                return
        raise AssertionError(f"it ended without {text!r}: {self.heard.decode()}")

    def signal(self, number: int) -> None:
        """To the whole group, as a terminal does. From any thread."""
        assert self.process is not None
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            # it was a little faster
            return

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def until_stopped(self) -> None:
        """Wait until a SIGSTOP has stopped it."""
        assert self.process is not None
        told = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert told is not None
        assert told.si_code == os.CLD_STOPPED, "it ended first"

    def end(self) -> Ended:
        """Wait until it has ended."""
        assert self.process is not None
        try:
            _, rest = self.process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            _, rest = self.process.communicate()
            said = (self.heard + rest).decode("utf-8", "replace")
            raise AssertionError(f"still running after {LIMIT_SECONDS:.0f} s; it said: {said}") from None
        seconds = time.monotonic() - self.begun
        out = (self.folder / "stdout").read_bytes()
        return Ended(self.process.returncode, out, bytes(self.heard) + rest, seconds)


def reconcile(folder: Path, *arguments: str, **environment: str) -> Ended:
    """One run from start to end."""
    return Program(folder, arguments, environment).start().end()


def changing(command: Executed) -> bool:
    return command.changing


class _Record(list[Executed]):
    """A host's record of commands. As the given number of those that count has run, and before anything else happens
    on any host, it acts."""

    def __init__(
        self,
        earlier: Sequence[Executed],
        count: int,
        act: Callable[[], object],
        counts: Callable[[Executed], bool],
    ) -> None:
        super().__init__(earlier)
        self._left, self._act, self._counts = count, act, counts

    def append(self, command: Executed) -> None:
        super().append(command)
        if self._counts(command):
            self._left -= 1
            if self._left == 0:
                self._act()


def at_command(
    host: HostHandle,
    count: int,
    act: Callable[[], object],
    counts: Callable[[Executed], bool] = changing,
) -> None:
    """Act, in the farm's own thread, at the moment when the host has run `count` more commands that count."""
    inner: Any = host._host

    def set_trap() -> None:
        inner.executed = _Record(inner.executed, count, act, counts)

    host._do(set_trap)
