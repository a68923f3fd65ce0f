"""What is sent to a host's shell for some questions, and how each release's answers are read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import accumulate
from typing import Any

from reconciler.facts import Folder, Identity, Product, Question, Unseen
from reconciler.image_facts import DisksInUse
from reconciler.observers.ssh.readings import IDENTITY, NthFolder, Reading, Release, reading
from reconciler.records import record
from reconciler.transports import shell

LIMIT_SECONDS = 240.0
"""The longest that one look may take: stat() below a dead NFS mount may hang for tens of seconds."""
LONG_SECONDS = 900.0
"""The longest for a look at who uses which disk: hostd is asked for each machine, one after the other, and every folder
of every volume is walked through."""


@record
class Inquiry:
    """What is sent for some questions, how each release's answers are read, and the number of its first command."""

    lines: tuple[str, ...]
    plans: Mapping[Release, Mapping[Question[Any], Reading]]
    starts: Mapping[Release, int]


@lru_cache(maxsize=256)
def inquiry(questions: frozenset[Question[Any]], known: Release | None, blind: bool) -> Inquiry:
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
    return Inquiry(tuple(lines), plans, dict(zip(plans, ends, strict=False)))


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


@record
class Request:
    """An inquiry to one host: with folders by their number, `folders` has each one's question as it was asked, and
    `values` the shell variables with their paths."""

    inquiry: Inquiry
    questions: frozenset[Question[Any]]
    folders: Mapping[Question[Any], Question[Any]]
    values: Mapping[str, str]

    @classmethod
    def of(cls, questions: Iterable[Question[Any]], product: Product | Unseen, blind: bool) -> Request:
        """For a host that is known to be this `product`, or for any; `blind` as for `reading`."""
        named: dict[Question[Any], Question[Any]] = {}
        values: dict[str, str] = {}
        folders = sorted((it for it in questions if isinstance(it, Folder)), key=lambda it: it.path)
        for number, folder in enumerate(folders):
            nth = NthFolder(number)
            named[nth] = folder
            values |= nth.values(folder.path)
        asked = frozenset(questions).difference(named.values()).union(named)
        release = None if isinstance(product, Unseen) else Release.of(product)
        return cls(inquiry(asked, release, blind), asked, named, values)

    def script(self, word: str) -> bytes:
        """What is sent; `word` is random."""
        return shell.script(self.inquiry.lines, word, self.values)

    @property
    def limit(self) -> float:
        """How many seconds it may take."""
        return LONG_SECONDS if DisksInUse() in self.questions else LIMIT_SECONDS
