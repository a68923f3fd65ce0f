"""Shell patterns: `*`, `?` and `[...]`, where only letters that are not quoted have a meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

MAGIC = re.compile(r"[*?\[]")
Piece = tuple[str, bool]
"""Letters, and whether they are quoted."""


def has_magic(pieces: Sequence[Piece]) -> bool:
    """Whether a pattern can match anything but itself."""
    return any(not quoted and MAGIC.search(text) for text, quoted in pieces)


def plain(pieces: Sequence[Piece]) -> str:
    return "".join(text for text, _ in pieces)


@lru_cache(maxsize=2048)
def compiled(pieces: tuple[Piece, ...]) -> re.Pattern[str]:
    """The pattern as a regular expression."""
    letters = [(letter, quoted) for text, quoted in pieces for letter in text]
    out, index = [], 0
    while index < len(letters):
        letter, quoted = letters[index]
        if not quoted and letter == "[" and (found := _bracket(letters, index)):
            out.append(found[0])
            index = found[1]
            continue
        if not quoted and letter == "\\" and index + 1 < len(letters):
            index += 1
            letter, quoted = letters[index][0], True
        out.append({"*": ".*", "?": "."}.get(letter, re.escape(letter)) if not quoted else re.escape(letter))
        index += 1
    return re.compile("".join(out), re.DOTALL)


def _bracket(letters: list[tuple[str, bool]], start: int) -> tuple[str, int] | None:
    """`[...]` as a regular expression and the index behind it; None when it is not closed."""
    index, body = start + 1, ""
    negated = index < len(letters) and letters[index] in (("!", False), ("^", False))
    index += negated
    first = index
    while index < len(letters):
        letter, quoted = letters[index]
        if letter == "]" and not quoted and index > first:
            return f"[{'^' if negated else ''}{body}]", index + 1
        if letter == "[" and not quoted and (found := _letter_class(letters, index)):
            body, index = body + found[0], found[1]
            continue
        body += "-" if letter == "-" and not quoted else re.escape(letter)
        index += 1
    return None


CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9a-fA-F",
}


def _letter_class(letters: list[tuple[str, bool]], start: int) -> tuple[str, int] | None:
    text = "".join(letter for letter, _ in letters[start : start + 12])
    match = re.match(r"\[:([a-z]+):\]", text)
    if match is None or match[1] not in CLASSES:
        return None
    return CLASSES[match[1]], start + match.end()


def matches(pieces: Sequence[Piece], text: str) -> bool:
    return compiled(tuple(pieces)).fullmatch(text) is not None


def cut(text: str, pieces: Sequence[Piece], operator: str) -> str:
    """`${text OP pattern}` for OP in `#`, `##`, `%`, `%%`."""
    pattern, size = compiled(tuple(pieces)), len(text)
    lengths = range(size + 1) if len(operator) == 1 else range(size, -1, -1)
    for length in lengths:
        piece = text[:length] if operator[0] == "#" else text[size - length :]
        if pattern.fullmatch(piece):
            return text[length:] if operator[0] == "#" else text[: size - length]
    return text
