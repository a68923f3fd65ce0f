"""What a person should know of an import: what was left out, what is doubtful, what is to be filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from reconciler.importing.writing import Noted, Place, line_numbers
from reconciler.records import record


class Sort(Enum):
    """What a note is about; the value are the words for it."""

    LEFT_OUT = "left out"
    DOUBT = "doubtful"
    SECRET = "a secret, not written"
    FILL_IN = "to fill in"


@record
class Note:
    """`place` is the value in the document that it is about, or in which it could stand; of a note that is about no
    document it is None."""

    sort: Sort
    what: str
    place: Place | None = None


@dataclass
class Draft:
    """A document, and what is to be said of it."""

    document: Mapping[str, object] | Noted
    notes: list[Note] = field(default_factory=list)


def told(sort: Sort, notes: Sequence[Note], files: Mapping[str, Sequence[Draft]]) -> Iterator[str]:
    """The notes of a sort as lines, those about a document with the file's name and the line."""
    for note in notes:
        if note.sort is sort:
            yield f"{sort.value}: {note.what}"
    for file, drafts in files.items():
        lines = line_numbers([draft.document for draft in drafts])
        for number, draft in enumerate(drafts):
            for note in draft.notes:
                if note.sort is sort:
                    yield f"{file}:{_line(lines, (number, *(note.place or ())))}: {sort.value}: {note.what}"


def _line(lines: Mapping[Place, int], place: Place) -> int:
    """Where a value stands, or the one in which it could stand."""
    return next(lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines)


class CannotImport(Exception):
    """There is nothing to write, or nobody can say what; the text says why and what to do next."""
