"""Documents in the shape of specs, with comments, as YAML that YAML 1.1 and 1.2 read alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from reconciler.desired.scalars import render, resolve
from reconciler.records import record
from reconciler.render.visible import HAZARD, visible

Place = tuple[int | str, ...]
"""The number of a document, from 0, then keys and numbers of items."""

# what YAML 1.1 takes for more than text although it begins with a letter
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+=$(){}:# -]*|\d{1,3}(?:\.\d{1,3}){3}|\d+[G-Zg-z][A-Za-z0-9]*")

_NO_SIGNS = re.compile("[\ufffe\uffff]")
_ESCAPED = re.compile(f"{HAZARD.pattern}|{_NO_SIGNS.pattern}")


@record
class Noted:
    """A value with a comment: at the end of the line of a scalar, before the block of a map or list. Nested ones
    are comments one after the other. Signs that a terminal would obey are shown as escapes."""

    value: object
    comment: str


@record
class _Line:
    place: Place
    text: str


def text(documents: Sequence[Mapping[str, object] | Noted]) -> str:
    """The documents as one text, each but the first after `---`.

    A document is nested maps, sequences, texts, whole numbers, truth values and None, any of them Noted. Keys stay in
    their order and are at most about 150 signs long. Raises ValueError for a text with half a surrogate pair, which
    no file can carry, and TypeError for other values.
    """
    return "".join(f"{line.text}\n" for line in _documents(documents))


def line_numbers(documents: Sequence[Mapping[str, object] | Noted]) -> dict[Place, int]:
    """On which line of `text` each value begins, from 1."""
    numbers: dict[Place, int] = {}
    for number, line in enumerate(_documents(documents), 1):
        numbers[line.place] = number
        for end in range(1, len(line.place)):
            numbers.setdefault(line.place[:end], number)
    return numbers


def _documents(documents: Sequence[Mapping[str, object] | Noted]) -> Iterator[_Line]:
    for number, document in enumerate(documents):
        if number:
            yield _Line((), "---")
        value, comments = _bare(document)
        yield from _before(comments, "")
        yield from _block(value, (number,), "")


def _block(value: object, place: Place, indent: str) -> Iterator[_Line]:
    """A map or list that is not empty."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _entry(f"{indent}{_scalar(key)}:", each, (*place, key), indent)
        return
    assert isinstance(value, Sequence)
    for number, each in enumerate(value):
        yield from _item(each, (*place, number), indent)


def _entry(head: str, noted: object, place: Place, indent: str) -> Iterator[_Line]:
    value, comments = _bare(noted)
    if _nested(value):
        yield from _before(comments, indent)
        yield _Line(place, head)
        yield from _block(value, place, f"{indent}  ")
    else:
        yield _Line(place, f"{head} {_scalar(value)}{_after(comments)}")


def _item(noted: object, place: Place, indent: str) -> Iterator[_Line]:
    value, comments = _bare(noted)
    if not _nested(value):
        yield _Line(place, f"{indent}- {_scalar(value)}{_after(comments)}")
        return
    yield from _before(comments, indent)
    if isinstance(value, Mapping):
        yield from _first_beside_dash(list(_block(value, place, f"{indent}  ")), indent)
    else:
        yield _Line(place, f"{indent}-")
        yield from _block(value, place, f"{indent}  ")


def _first_beside_dash(lines: list[_Line], indent: str) -> Iterator[_Line]:
    """The lines of a map in a list: its first key stands beside the dash, comments before that above it."""
    first = next(number for number, line in enumerate(lines) if line.place)
    yield from lines[:first]
    yield _Line(lines[first].place, f"{indent}- {lines[first].text[len(indent) + 2 :]}")
    yield from lines[first + 1 :]


def _bare(noted: object) -> tuple[object, list[str]]:
    comments = []
    while isinstance(noted, Noted):
        comments.append(_NO_SIGNS.sub("", visible(noted.comment)))
        noted = noted.value
    return noted, comments


def _nested(value: object) -> bool:
    return isinstance(value, (Mapping, Sequence)) and not isinstance(value, (str, bytes)) and bool(value)


def _before(comments: Sequence[str], indent: str) -> Iterator[_Line]:
    return (_Line((), f"{indent}# {comment}") for comment in comments)


def _after(comments: Sequence[str]) -> str:
    return f"  # {'; '.join(comments)}" if comments else ""


def _scalar(value: object) -> str:
    if value is None or isinstance(value, (bool, int)):
        return render(value)
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[]"
    raise TypeError(f"a spec can't hold {type(value).__name__}")


def _is_plain(value: str) -> bool:
    """Whether every reader of YAML takes it for this text without quotes."""
    if _PLAIN.fullmatch(value) is None or value.lower() in _WORDS or resolve(value) != value:
        return False
    return not value.endswith((" ", ":")) and ": " not in value and " #" not in value


def _quoted(value: str) -> str:
    """In double quotes, each sign that a terminal would obey, or that YAML takes for a line's end, as an escape."""
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError("half a surrogate pair can't be written")
    written = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(_escape, written)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"
