"""Ask a host many questions in one exec."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from itertools import accumulate
from typing import Any, Protocol

from reconciler.facts import Datastores, Facts, Folder, Identity, Product, Question, SessionKey, Unseen
from reconciler.faults import Unreachable
from reconciler.image_facts import DisksInUse
from reconciler.observers.polling import Polling, Seen
from reconciler.observers.ssh.answers import LATER
from reconciler.observers.ssh.errors import Away, Unreadable
from reconciler.observers.ssh.readings import IDENTITY, NthFolder, Reading, Release, reading
from reconciler.records import record
from reconciler.transports import shell
from reconciler.transports.hostd import restarting

LIMIT_SECONDS = 240.0
"""The longest that one look may take: stat() below a dead NFS mount may hang for tens of seconds."""
LONG_SECONDS = 900.0
"""The longest for a look at who uses which disk: hostd is asked for each machine, one after the other, and every folder
of every volume is walked through."""
NOT_FOUND = 127
KEPT_BYTES = 8192
"""Longer answers are each host's own, and would take much room."""

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

    def _ask(
        self, questions: Iterable[Question[Any]], product: Product | Unseen, blind: bool
    ) -> dict[Question[Any], Any]:
        folders = [it for it in questions if isinstance(it, Folder)]
        numbered = [NthFolder(number) for number in range(len(folders))]
        named: dict[Question[Any], Question[Any]] = dict(zip(numbered, folders, strict=True))
        values: dict[str, str] = {}
        for nth, folder in zip(numbered, folders, strict=True):
            values |= nth.values(folder.path)
        asked = frozenset(questions).difference(folders).union(numbered)
        inquiry = _inquiry(asked, None if isinstance(product, Unseen) else Release.of(product), blind)
        answers = self._answers(asked, inquiry, values, product)
        return {named.get(it, it): answer for it, answer in answers.items() if answer is not LATER}

    def _answers(
        self,
        asked: frozenset[Question[Any]],
        inquiry: _Inquiry,
        values: Mapping[str, str],
        product: Product | Unseen,
    ) -> dict[Question[Any], Any]:
        word = secrets.token_hex(8)
        limit = LONG_SECONDS if DisksInUse() in asked else LIMIT_SECONDS
        output = self._session.run(shell.script(inquiry.lines, word, values), limit=limit)
        pieces = shell.pieces(output, word)
        answers: dict[Question[Any], Any] = {}
        if isinstance(product, Unseen):
            product = self._identify(output, pieces)
            answers[Identity()] = product
        release = Release.of(product)
        answers |= _read_all(inquiry.plans[release], pieces, inquiry.starts[release])
        return answers | {it: self._unasked(it) for it in asked if it not in answers}

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


@lru_cache(maxsize=4096)
def _kept(it: Reading, pieces: tuple[shell.Piece, ...]) -> object:
    """The hosts of a fleet say much the same, and each of them the same again and again. Reading is pure, and what is
    read never changes, so that it is done once."""
    return it.read(pieces)


@record
class _Inquiry:
    """What is sent for some questions, how each release's answers are read, and the number of its first command."""

    lines: tuple[str, ...]
    plans: Mapping[Release, Mapping[Question[Any], Reading]]
    starts: Mapping[Release, int]


@lru_cache(maxsize=256)
def _inquiry(questions: frozenset[Question[Any]], known: Release | None, blind: bool) -> _Inquiry:
    """For a host of a `known` release, or for any; `blind` as for `reading`. The hosts of a fleet are asked much the
    same."""
    ordered = sorted(questions, key=repr)
    plans = {
        release: _readings(ordered, release, blind) for release in (Release if known is None else (known,))
    }
    always = IDENTITY.commands if known is None else ()
    arms = {
        release: [line for it in plan.values() for line in it.commands] for release, plan in plans.items()
    }
    ends = list(accumulate((len(lines) for lines in arms.values()), initial=len(always)))
    lines = shell.reading_lines(
        always, [(release.value, lines) for release, lines in arms.items()], _functions(plans.values())
    )
    return _Inquiry(tuple(lines), plans, dict(zip(plans, ends, strict=False)))


def _readings(
    questions: Iterable[Question[Any]], release: Release, blind: bool
) -> dict[Question[Any], Reading]:
    found = (
        (question, reading(question, release, blind=blind))
        for question in questions
        if not isinstance(question, Identity)
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
    short = sum(len(piece.out) + len(piece.err) for piece in pieces) <= KEPT_BYTES
    try:
        return _kept(it, tuple(pieces)) if short else it.read(pieces)
    except Unreadable as error:
        if isinstance(error, Away) or any(restarting(piece.said) for piece in pieces):
            return _HOSTD
        return Unseen(str(error))
