"""The tree of a script: words and their parts, and commands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

MAGIC = re.compile(r"[*?\[~]")


@dataclass(frozen=True)
class Text:
    """Letters as they stand; quoted ones neither split nor match."""

    text: str
    quoted: bool = False


@dataclass(frozen=True)
class Parameter:
    """`$name`, `${#name}` or `${name OP word}`."""

    name: str
    operator: str = ""
    word: Word | None = None
    quoted: bool = False


@dataclass(frozen=True)
class Substitution:
    """`$(...)` or backquotes."""

    body: Sequence
    quoted: bool = False


@dataclass(frozen=True)
class Arithmetic:
    """`$((...))`."""

    word: Word
    quoted: bool = False


Part = Text | Parameter | Substitution | Arithmetic


@dataclass(frozen=True)
class Word:
    parts: tuple[Part, ...]

    @cached_property
    def literal(self) -> str | None:
        """The text of a word without quotes and expansions (a possible keyword or name), or None."""
        if all(isinstance(part, Text) and not part.quoted for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Text))
        return None

    @cached_property
    def plain(self) -> str | None:
        """The text of a word that always means itself, or None."""
        return None if self.literal is None or MAGIC.search(self.literal) else self.literal


@dataclass
class Redirection:
    """`fd` OP `target`; OP is `<` `>` `>>` `<>` `>|` `<&` `>&` or `<<` (whose target is the text of the document)."""

    fd: int
    operator: str
    target: Word


@dataclass(frozen=True)
class Simple:
    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]


@dataclass(frozen=True)
class Pipeline:
    commands: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True)
class AndOr:
    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Sequence:
    """Commands one after the other; the flag tells which run in the background."""

    items: tuple[tuple[Node, bool], ...]


@dataclass(frozen=True)
class Redirected:
    """A compound command with redirections."""

    body: Node
    redirections: tuple[Redirection, ...]


@dataclass(frozen=True)
class Subshell:
    body: Sequence


@dataclass(frozen=True)
class If:
    arms: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None


@dataclass(frozen=True)
class Loop:
    """while, or until."""

    until: bool
    condition: Sequence
    body: Sequence


@dataclass(frozen=True)
class For:
    """`words` None: over the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Sequence


@dataclass(frozen=True)
class Case:
    subject: Word
    arms: tuple[tuple[tuple[Word, ...], Sequence], ...]


@dataclass(frozen=True)
class Function:
    name: str
    body: Node


Node = Simple | Pipeline | AndOr | Sequence | Redirected | Subshell | If | Loop | For | Case | Function


@dataclass
class Document:
    """A here-document whose text has not been read yet."""

    redirection: Redirection
    delimiter: str
    literal: bool
    strip_tabs: bool
    filled: bool = field(default=False)
