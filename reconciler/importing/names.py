"""Names of documents and labels for names that can't be carried as they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from reconciler.desired.model import NAME_PATTERN

LONGEST = 253
NAMELESS = "unnamed"


def slug(name: str, taken: Collection[str] = ()) -> str:
    """A name that `metadata.name` and a label can carry and that is not taken: the name itself where that will do,
    else a like one in small letters, with a number where that is needed to stay apart."""
    if fits(name) and name not in taken:
        return name
    like = name if fits(name) else _like(name)
    found, number = like, 1
    while found in taken:
        number += 1
        found = f"{like[: LONGEST - 10]}-{number}"
    return found


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A slug for each name, all apart; a name that can be carried as it is always is."""
    distinct = list(dict.fromkeys(names))
    return dict(zip(distinct, apart(distinct), strict=True))


def apart(names: Sequence[str]) -> list[str]:
    """A slug for each item, all apart, also of items that are equal; the first of a name that can be carried as it
    is has it."""
    taken = {name for name in names if fits(name)}
    kept = set(taken)
    chosen = []
    for name in names:
        if name in kept:
            kept.discard(name)
            chosen.append(name)
        else:
            chosen.append(slug(name, taken))
            taken.add(chosen[-1])
    return chosen


def fits(name: str) -> bool:
    """Whether a document may be called this."""
    return re.fullmatch(NAME_PATTERN, name) is not None


def _like(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._]+", "-", letters)[:LONGEST].strip("-._") or NAMELESS
