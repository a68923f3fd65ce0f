"""Where commands run that work on a volume: in the host's shell, or in this machine's for a repository here."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Iterable
from typing import Protocol

from reconciler.transports import shell
from reconciler.transports.shell import Output, Piece

LIMIT_SECONDS = 300.0
"""The longest that one small command may take."""
NO_SPACE = ("no space left", "not enough space")


class Stumbled(Exception):
    """A command on the way ended badly; the text is what was said."""


class Session(Protocol):
    """What is needed of an SSH session."""

    def run(self, script: bytes, *, limit: float, urgent: bool = False) -> Output: ...

    def send(self, command: str, data: Iterable[bytes | memoryview], *, limit: float) -> Output: ...

    def receive(self, command: str, sink: Callable[[bytes], None], *, limit: float) -> Output: ...


class Runner(Protocol):
    """Runs one shell command."""

    def ask(self, command: str, limit: float = LIMIT_SECONDS, *, urgent: bool = False) -> Piece:
        """What it printed, and its exit status. `urgent` goes before data. Raises faults.Unreachable, Stumbled."""


class HostRunner:
    """In the host's shell. Safe to use from several threads."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def ask(self, command: str, limit: float = LIMIT_SECONDS, *, urgent: bool = False) -> Piece:
        word = secrets.token_hex(8)
        output = self.session.run(shell.writing_script([command], word), limit=limit, urgent=urgent)
        piece = shell.pieces(output, word).get(0)
        if piece is None:
            said = (output.out + output.err).decode("utf-8", "replace").strip()
            raise Stumbled(said or "the host's shell ended before the command did")
        return piece


class HereRunner:
    """In this machine's `sh`."""

    def ask(self, command: str, limit: float = LIMIT_SECONDS, *, urgent: bool = False) -> Piece:
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command.encode("utf-8", "surrogateescape")],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise Stumbled(f"a command here took longer than {limit:.0f} s") from late
        return Piece(done.returncode, done.stdout, done.stderr)


def must(runner: Runner, command: str, limit: float = LIMIT_SECONDS) -> Piece:
    """Run a command that has to end well. Raises Stumbled with what it said."""
    piece = runner.ask(command, limit)
    if piece.status != 0:
        raise Stumbled(piece.said or f"exit status {piece.status}, without a word")
    return piece


def is_full(said: str) -> bool:
    """Whether a complaint is that the disk is full."""
    return any(words in said.lower() for words in NO_SPACE)
