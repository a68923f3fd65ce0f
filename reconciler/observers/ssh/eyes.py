"""Ask a host many questions in one exec."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from reconciler.facts import Datastores, Facts, Identity, Product, Question, SessionKey, Unseen
from reconciler.faults import Unreachable
from reconciler.observers.polling import Polling, Seen
from reconciler.observers.ssh.answers import LATER
from reconciler.observers.ssh.errors import Away, Unreadable
from reconciler.observers.ssh.inquiries import Request
from reconciler.observers.ssh.readings import IDENTITY, Reading, Release
from reconciler.records import record
from reconciler.transports import shell
from reconciler.transports.hostd import restarting

NOT_FOUND = 127
KEPT_BYTES = 8192
"""Longer answers are each host's own, and would take much room."""
HEARD_BYTES = 65536
"""Nor is more than that of what a host printed kept until its next look."""

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
        """The answers, `Unseen` where the host would not tell; the product unless it is known already. A folder has
        none when it is asked for along with the datastores, and nothing is known of these, unless it lies on VMFS.

        One round trip, and further ones only while hostd is coming up. Raises faults.Unreachable when the link is
        cut, faults.Unsupported when this is no ESXi that we manage.
        """
        seen: Seen = {}

        def ask(pending: Collection[Question[Any]]) -> Answers:
            blind = Datastores() in pending and Datastores() not in known
            return self._ask(pending, seen.get(Identity(), known.see(Identity())), blind)

        return self._polling.look(questions, seen, ask, lambda answer: answer is _HOSTD)

    def _ask(self, questions: Collection[Question[Any]], product: Product | Unseen, blind: bool) -> Answers:
        key, last = (frozenset(questions), product, blind), _LAST.get(self._session)
        if last is not None and last.key != key:
            last = None
        request = Request.of(*key) if last is None else last.request
        word = secrets.token_hex(8)
        output = self._session.run(request.script(word), limit=request.limit)
        printed = shell.split(output, word)
        if last is not None and last.printed == printed:
            return last.answers
        answers = self._answers(request, product, output, shell.pieces_of(printed, word))
        if len(output.out) + len(output.err) <= HEARD_BYTES:
            _LAST[self._session] = _Heard(key, request, printed, answers)
        return answers

    def _answers(
        self,
        request: Request,
        product: Product | Unseen,
        output: shell.Output,
        pieces: Mapping[int, shell.Piece],
    ) -> Answers:
        answers: dict[Question[Any], Any] = {}
        if isinstance(product, Unseen):
            product = self._identify(output, pieces)
            answers[Identity()] = product
        release = Release.of(product)
        answers |= _read_all(request.inquiry.plans[release], pieces, request.inquiry.starts[release])
        answers |= {it: self._unasked(it) for it in request.questions if it not in answers}
        return {request.folders.get(it, it): answer for it, answer in answers.items() if answer is not LATER}

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


@record
class _Heard:
    """What was asked over a session, what the host's shell printed, and what that says. Where the same is asked over
    the same session, and the same printed, it says the same."""

    key: tuple[frozenset[Question[Any]], Product | Unseen, bool]
    request: Request
    printed: tuple[list[bytes], list[bytes]]
    answers: Answers


_LAST: WeakKeyDictionary[Session, _Heard] = WeakKeyDictionary()
"""The last answers over each session that is open."""
_HOSTD = Unseen("hostd, the host's management agent, did not answer for two minutes")


@lru_cache(maxsize=4096)
def _kept(it: Reading, pieces: tuple[shell.Piece, ...]) -> object:
    """The hosts of a fleet say much the same, and each of them the same again and again. Reading is pure, and what is
    read never changes, so that it is done once."""
    return it.read(pieces)


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
    short = sum(len(piece.out) + len(piece.err) for piece in pieces) <= KEPT_BYTES
    try:
        return _kept(it, tuple(pieces)) if short else it.read(pieces)
    except Unreadable as error:
        if isinstance(error, Away) or any(restarting(piece.said) for piece in pieces):
            return _HOSTD
        return Unseen(str(error))
