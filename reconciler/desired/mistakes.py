"""What is wrong with specs: each mistake with its place, in people's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_PRINTABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_NAMES_SHOWN = 12


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake, or one warning. `line` and `column` count from 1; `where` is a dotted place in the document."""

    file: str
    line: int
    column: int
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.where}: {self.what}"


class SpecMistakes(Exception):
    """The specs can't be used. Holds every mistake, and the warnings beside them, each sorted by place."""

    def __init__(self, mistakes: Iterable[Mistake], warnings: Iterable[Mistake] = ()) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        self.warnings = tuple(sorted(set(warnings)))
        super().__init__("\n".join(map(str, self.mistakes)))


def listed(names: Iterable[str], last: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`."""
    *head, tail = list(names)
    return f"{', '.join(head)} {last} {tail}" if head else tail


def suggestion(name: str, known: Sequence[str]) -> str:
    """The nearest known name in brackets, or the known ones when none is near; empty when none is known."""
    near = nearest(name, known)
    if near is not None:
        return f" (did you mean {near!r}?)"
    if not known:
        return ""
    more = f" and {len(known) - _NAMES_SHOWN} more" if len(known) > _NAMES_SHOWN else ""
    return f" (known: {', '.join(sorted(known)[:_NAMES_SHOWN])}{more})"


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that `name` was most likely meant to be, letter case aside."""
    by_fold = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(name[:100].casefold(), list(by_fold), n=1, cutoff=0.7)
    return by_fold[found[0]] if found else None


def unknown_field(name: str, known: Sequence[str]) -> str:
    """What is wrong with a field that nothing knows.

    The name is shown only when it looks like one: in `password:hunter2`, a blank forgotten, it would hold a secret.
    """
    shown = f"{name!r} is no field here" if _PRINTABLE_NAME.fullmatch(name) else "this is no field"
    return shown + suggestion(name, known)
