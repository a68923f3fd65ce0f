"""Ask a host many questions in one exec."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

from reconciler.facts import Facts, Identity, Product, Question, SessionKey, Unseen
from reconciler.faults import Unreachable
from reconciler.image_facts import DisksInUse
from reconciler.observers.polling import Polling, Seen
from reconciler.observers.ssh.errors import Away, Unreadable
from reconciler.observers.ssh.readings import IDENTITY, Reading, Release, reading
from reconciler.transports import shell
from reconciler.transports.hostd import restarting

LIMIT_SECONDS = 240.0
"""The longest that one look may take: stat() below a dead NFS mount may hang for tens of seconds."""
LONG_SECONDS = 900.0
"""The longest for a look at who uses which disk: hostd is asked for each machine, one after the other, and every folder
of every volume is walked through."""
NOT_FOUND = 127

Answers = Mapping[Question[Any], Any]


class Session(Protocol):
    """What eyes need of an SSH session."""

    @property
    def public_key(self) -> str | None:
        """`TYPE BASE64` of the key that was accepted; None after a password."""

    def run(self, script: bytes, *, limit: float) -> shell.Output:
        """Run a script; raises faults.Unreachable when the link is cut."""


class SshEyes:
    """Looks at one host. `pause` waits that many seconds; `waiting` is told why and how long."""

    def __init__(
        self, session: Session, pause: Callable[[float], None], waiting: Callable[[str, float], None]
    ) -> None:
        self._session = session
        self._polling = Polling(pause, waiting)

    def look(self, questions: Collection[Question[Any]], known: Facts) -> Answers:
        """The answers, `Unseen` where the host would not tell; the product unless it is known already.

        One round trip, and further ones only while hostd is coming up. Raises faults.Unreachable when the link is
        cut, faults.Unsupported when this is no ESXi that we manage.
        """
        seen: Seen = {}

        def ask(pending: Collection[Question[Any]]) -> Answers:
            return self._ask(pending, seen.get(Identity(), known.see(Identity())))

        return self._polling.look(questions, seen, ask, lambda answer: answer is _HOSTD)

    def _ask(self, questions: Iterable[Question[Any]], product: Product | Unseen) -> dict[Question[Any], Any]:
        ordered = sorted(questions, key=repr)
        releases = list(Release) if isinstance(product, Unseen) else [Release.of(product)]
        plans = {release: _readings(ordered, release) for release in releases}
        word = secrets.token_hex(8)
        always = IDENTITY.commands if isinstance(product, Unseen) else ()
        arms = [
            (release.value, [line for it in plan.values() for line in it.commands])
            for release, plan in plans.items()
        ]
        limit = LONG_SECONDS if DisksInUse() in ordered else LIMIT_SECONDS
        script = shell.reading_script(always, arms, word, _functions(plans.values()))
        output = self._session.run(script, limit=limit)
        pieces = shell.pieces(output, word)
        answers: dict[Question[Any], Any] = {}
        if isinstance(product, Unseen):
            product = self._identify(output, pieces)
            answers[Identity()] = product
        release = Release.of(product)
        start = len(always) + sum(len(lines) for pattern, lines in arms[: releases.index(release)])
        answers |= _read_all(plans[release], pieces, start)
        answers |= {it: self._unasked(it) for it in ordered if it not in answers}
        return answers

    def _identify(self, output: shell.Output, pieces: Mapping[int, shell.Piece]) -> Product:
        if 0 not in pieces:
            said = (output.out + output.err).decode("utf-8", "replace").strip()[:200]
            raise Unreachable(
                f"the host's shell did not run what it was sent; it said: {said or 'nothing'}",
                next="log in by hand with ssh and see whether a command runs",
            )
        if pieces[0].status not in (0, NOT_FOUND):
            raise Unreachable(
                f"the host could not say what it is (vmware -v ended with {pieces[0].status}): {pieces[0].said[:200]}",
                next="it may be out of memory; log in by hand and run: vmware -v",
            )
        product: Product = IDENTITY.read([pieces[0]])
        return product

    def _unasked(self, question: Question[Any]) -> object:
        if isinstance(question, SessionKey):
            return self._session.public_key
        return Unseen("this version of ESXi does not tell it over SSH")


_HOSTD = Unseen("hostd, the host's management agent, did not answer for two minutes")


def _readings(questions: Iterable[Question[Any]], release: Release) -> dict[Question[Any], Reading]:
    found = (
        (question, reading(question, release)) for question in questions if not isinstance(question, Identity)
    )
    return {question: it for question, it in found if it is not None}


def _functions(plans: Iterable[Mapping[Question[Any], Reading]]) -> list[str]:
    """All shell functions that are called, each once."""
    return list(dict.fromkeys(text for plan in plans for it in plan.values() for text in it.functions))


def _read_all(
    plan: Mapping[Question[Any], Reading], pieces: Mapping[int, shell.Piece], start: int
) -> Answers:
    answers: dict[Question[Any], Any] = {}
    for question, it in plan.items():
        numbers = range(start, start + len(it.commands))
        start += len(it.commands)
        answers[question] = _read(it, [pieces[number] for number in numbers if number in pieces])
    return answers


def _read(it: Reading, pieces: list[shell.Piece]) -> object:
    if len(pieces) < len(it.commands):
        return Unseen("the host's shell ended before it was asked")
    try:
        return it.read(pieces)
    except Unreadable as error:
        if isinstance(error, Away) or any(restarting(piece.said) for piece in pieces):
            return _HOSTD
        return Unseen(str(error))
