"""Carry a verb out over an SSH session and understand the answer."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.commands import Version, commands
from reconciler.actuators.ssh.images import carry
from reconciler.actuators.ssh.images.runner import Session
from reconciler.actuators.work import Work
from reconciler.image_verbs import ImageVerb
from reconciler.transports import shell
from reconciler.transports.hostd import restarting
from reconciler.verbs import Verb

LIMIT_SECONDS = 300.0
"""The longest that one verb may take: a mount from a dead server takes 30 s, backup.sh waits 60 s for a lock."""

_FAULT = re.compile(r"^\((?:vim|vmodl)\.fault\.", re.MULTILINE)
_VOLUMES_FULL = "NFS has reached the maximum number of supported volumes"


def described(verb: Verb, version: Version) -> tuple[str, ...]:
    """The commands of a verb as they run over SSH."""
    return carry.commands(verb) if isinstance(verb, ImageVerb) else commands(verb, version)


class SshHands:
    """Does verbs on one host."""

    def __init__(self, session: Session, version: Version, work: Work) -> None:
        self._session = session
        self._version = version
        self._work = work

    def cannot(self, verb: Verb) -> str | None:
        """Why SSH can't do it: there is no such verb."""
        return None

    def describe(self, verb: Verb) -> tuple[str, ...]:
        """The commands of a verb, for the plan."""
        return described(verb, self._version)

    def do(self, verb: Verb) -> Answer:
        """Carry it out. Raises faults.Unreachable when the link is cut; what was begun may have had its effect."""
        if isinstance(verb, ImageVerb):
            return carry.carry_out(verb, self._session, self._work)
        lines = commands(verb, self._version)
        word = secrets.token_hex(8)
        output = self._session.run(shell.writing_script(lines, word), limit=LIMIT_SECONDS)
        return _judge(lines, shell.pieces(output, word), output)


def _judge(lines: Sequence[str], pieces: dict[int, shell.Piece], output: shell.Output) -> Answer:
    for number in range(len(lines)):
        piece = pieces.get(number)
        if piece is None:
            said = (output.out + output.err).decode("utf-8", "replace").strip()
            return Answer(False, said or "the host's shell ended before the command did")
        if piece.status != 0 or _FAULT.search(piece.text):
            return _refusal(piece)
    return Answer(True)


def _refusal(piece: shell.Piece) -> Answer:
    said = piece.said or f"exit status {piece.status}, without a word"
    following = (
        "raise NFS.MaxVolumes (for NFS 4.1 NFS41.MaxVolumes) on the host, and Net.TcpipHeapMax with it"
        if _VOLUMES_FULL in said
        else ""
    )
    return Answer(False, said, restarting(said), following)
