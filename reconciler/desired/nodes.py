"""A document as a tree of values that know where they were written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.desired.mistakes import Mistake

Place = tuple[str | int, ...]


@dataclass(slots=True, eq=False)
class Node:
    """One value: a scalar, a list of nodes or a map of nodes. Never changed once it is built, hence shared freely.

    `line` and `column` (from 1) are where the value begins, `key_line` and `key_column` where its key does (outside
    of maps: the same). `fresh` marks a map that took the place of something else: what lies below it is hidden.
    """

    value: Any
    file: str
    line: int
    column: int
    key_line: int
    key_column: int
    fresh: bool = False

    def mistake(self, where: Place, what: str) -> Mistake:
        """A mistake in this value."""
        if isinstance(self.value, (dict, list)):
            return self.mistake_at_key(where, what)
        return Mistake(self.file, self.line, self.column, shown(where), what)

    def mistake_at_key(self, where: Place, what: str) -> Mistake:
        """A mistake in the name of this value, or in what it lacks."""
        return Mistake(self.file, self.key_line, self.key_column, shown(where), what)

    def with_value(self, value: Any) -> Node:
        """Another value at the same place."""
        return Node(value, self.file, self.line, self.column, self.key_line, self.key_column, self.fresh)

    def find(self, place: Place) -> Node | None:
        """The value at a place below this one; None when there is none."""
        node: Node | None = self
        for part in place:
            node = node and node.child(part)
        return node

    def nearest(self, place: Place) -> Node:
        """The value at a place, or else the nearest one above it."""
        node = self
        for part in place:
            child = node.child(part)
            if child is None:
                return node
            node = child
        return node

    def child(self, part: str | int) -> Node | None:
        """The value of a key, or of an index."""
        if isinstance(self.value, dict):
            found: Node | None = self.value.get(part)
            return found
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            item: Node = self.value[part]
            return item
        return None


def dotted(place: Place) -> str:
    """`ssh.authorizedKeys[0].file`; empty for the whole."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(place: Place) -> str:
    """A place as mistakes name it.

    A key with a colon or an equals sign in it is left out: it may be a secret with its blank forgotten
    (`password:hunter2`).
    """
    return dotted(tuple(_shown_part(part) for part in place)) or "document"


def _shown_part(part: str | int) -> str | int:
    if isinstance(part, int):
        return part
    return "…" if ":" in part or "=" in part else part or '""'
