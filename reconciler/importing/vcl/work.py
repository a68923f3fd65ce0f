"""A Profile in the making, and what can be said of a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from reconciler.desired.model import ProfileSpec
from reconciler.importing.notes import Note, Sort
from reconciler.importing.vcl.rows import ProfileRow
from reconciler.importing.writing import Noted

SPEC = ("spec",)
UNFIT = "a spec can't carry this"
VARIABLE = "${"
MEANING = f"{VARIABLE} has a meaning of its own in specs"


@dataclass
class Work:
    """A Profile in the making. `stores`: each datastore of its paths, with the columns that name it."""

    row: ProfileRow
    spec: dict[str, object] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    stores: dict[str, list[str]] = field(default_factory=dict)

    def note(self, sort: Sort, what: str, *place: str) -> None:
        """Say something of a place below `spec`."""
        self.notes.append(Note(sort, what, (*SPEC, *place)))

    def left_out(self, column: str, value: str, why: str) -> None:
        """Say that a value of the row is not in the document."""
        self.note(Sort.LEFT_OUT, f"{column} {value!r}: {why}")


def refusal(fragment: Mapping[str, object]) -> str | None:
    """Why a part of a spec can't stand in one; None when it can."""
    try:
        ProfileSpec.model_validate(fragment)
    except ValidationError as error:
        raised: Any = error.errors()[0].get("ctx", {}).get("error")
        return str(raised) if raised else UNFIT
    return None


def from_column(column: str, value: str | None, as_written: str) -> object:
    """A value with a comment that tells where it is from, and how it looks there when that is not the same."""
    return Noted(as_written, column if value == as_written else f"{column}: {value}")
