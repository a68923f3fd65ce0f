"""YAML text into nodes, by libyaml's events: YAML 1.2 scalars, no tags, no merge keys, bounded time and memory."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from reconciler.desired.mistakes import Mistake
from reconciler.desired.nodes import Node, shown
from reconciler.desired.scalars import resolve

MAX_DEPTH = 50
MAX_SCALAR = 64 * 1024
MAX_VALUES = 500_000
WHERE = "YAML"
TOO_DEEP = f"values are nested deeper than {MAX_DEPTH} levels"

_NO_ANCHOR = (None, 0, 0)
_CORE = "tag:yaml.org,2002:"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HINTS = {
    "found character that cannot start any token": "would be right: quotes around the value, blanks and no tabs",
    "mapping values are not allowed in this context": "would be right: quotes around a value that has ': ' in it",
    "found unexpected end of stream": "a quote or bracket is not closed",
    "did not find expected key": "would be right: the same indentation for all keys of a map",
    "could not find expected ':'": "would be right: KEY: VALUE",
}


@dataclass
class Parsed:
    """What a text holds: its documents that are not empty, as far as it could be read."""

    documents: list[Node] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    complete: bool = True


class _Stop(Exception):
    """Reading on makes no sense."""


class _Frame:
    """A list or map that is still open. `size` is the number of values in it and `height` how deep they are nested,
    aliases expanded."""

    __slots__ = ("anchor", "discarded", "height", "key", "node", "size")

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.size = 1
        self.height = 1
        self.key: tuple[str, int, int] | None = None
        self.discarded = False


def parse(text: str, file: str) -> Parsed:
    """Read all documents of a text. Never raises for what the text holds; `file` is the name for positions."""
    parsed = Parsed()
    odd = _UNPRINTABLE.search(text)
    if odd is not None:
        parsed.mistakes.append(_unprintable(text, odd.start(), file))
        parsed.complete = False
        return parsed
    try:
        _Reader(parsed, file).read(text)
    except _Stop:
        parsed.complete = False
    except yaml.YAMLError as error:
        parsed.mistakes.append(_syntax_mistake(error, file))
        parsed.complete = False
    return parsed


def _unprintable(text: str, index: int, file: str) -> Mistake:
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    return Mistake(
        file, line, column, WHERE, f"the character U+{ord(text[index]):04X} is not allowed in YAML"
    )


def _syntax_mistake(error: yaml.YAMLError, file: str) -> Mistake:
    """The parser's own words are fixed texts; the line itself, which may hold a secret, is never quoted."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "this is not YAML"
    hint = f" ({_HINTS[problem]})" if problem in _HINTS else ""
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Mistake(file, line, column, WHERE, problem + hint)


class _Reader:
    """Builds nodes from events, without recursion."""

    def __init__(self, parsed: Parsed, file: str) -> None:
        self.parsed = parsed
        self.file = file
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Node, int, int] | None] = {}
        self.size = 0

    def read(self, text: str) -> None:
        events: Any = yaml.CSafeLoader(text)
        for event in iter(events.get_event, None):
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, {})
            elif kind is yaml.SequenceStartEvent:
                self._open(event, [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self.anchors = {}

    def _scalar(self, event: Any) -> None:
        text, mark = event.value, event.start_mark
        if len(text) > MAX_SCALAR // 4 and len(text.encode()) > MAX_SCALAR:
            raise self._stopped(mark, f"this value is longer than {MAX_SCALAR // 1024} KiB")
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.node.value) is dict:
            self._key(frame, event)
            return
        if event.tag is not None and event.tag != _CORE + "str":
            self._mistake(mark, "a tag is not allowed here (a value that begins with ! needs quotes)")
        value = text if event.style or event.tag else resolve(text)
        line, column = mark.line + 1, mark.column + 1
        node = Node(value, self.file, line, column, line, column)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, 1, 0)
        self._put(node, 1, 0)

    def _key(self, frame: _Frame, event: Any) -> None:
        """Keys are names, hence taken as they are written: a port group may be called 10."""
        text, mark = event.value, event.start_mark
        frame.key = (text, mark.line + 1, mark.column + 1)
        if event.anchor is not None:
            self._mistake(mark, "an anchor can't stand on a key (it belongs on the value)")
        plain = not event.style
        if plain and text == "<<":
            self._mistake(mark, "YAML 1.2 has no merge key '<<' (would be right: a Profile)")
            frame.discarded = True
        elif plain and text == "":
            self._mistake(mark, "a key is missing here (would be right: KEY: VALUE)")
            frame.discarded = True
        elif text in frame.node.value:
            first = frame.node.value[text]
            self._mistake(mark, f"a repeated key: it stands already at {first.key_line}:{first.key_column}")
            frame.discarded = True

    def _open(self, event: Any, value: dict[str, Node] | list[Node]) -> None:
        mark = event.start_mark
        if len(self.stack) >= MAX_DEPTH:
            raise self._stopped(mark, TOO_DEEP)
        if event.tag is not None and event.tag != _CORE + ("map" if isinstance(value, dict) else "seq"):
            self._mistake(mark, "a tag is not allowed here")
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.node.value) is dict:
            self._complex_key(frame, mark)
        line, column = mark.line + 1, mark.column + 1
        self.stack.append(_Frame(Node(value, self.file, line, column, line, column), event.anchor))
        if event.anchor is not None:
            self.anchors[event.anchor] = None

    def _complex_key(self, frame: _Frame, mark: Any) -> None:
        self._mistake(mark, "a key must be text, not a list or a map")
        frame.discarded = True

    def _close(self) -> None:
        frame = self.stack.pop()
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (frame.node, frame.size, frame.height)
        self._put(frame.node, frame.size, frame.height)

    def _alias(self, event: Any) -> None:
        mark = event.start_mark
        known = self.anchors.get(event.anchor, _NO_ANCHOR)
        if known is None:
            raise self._stopped(mark, "this alias stands within the value that it names")
        target, size, height = known
        if len(self.stack) + height > MAX_DEPTH:
            raise self._stopped(mark, TOO_DEEP)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.node.value) is dict:
            self._complex_key(frame, mark)
        if target is None:
            self._mistake(mark, "this alias names no anchor (a value that begins with * needs quotes)")
        line, column = mark.line + 1, mark.column + 1
        self._put(Node(target and target.value, self.file, line, column, line, column), size, height)

    def _put(self, node: Node, size: int, height: int) -> None:
        if not self.stack:
            self._document(node, size)
            return
        frame = self.stack[-1]
        frame.size += size
        if height >= frame.height:
            frame.height = height + 1
        if frame.size + self.size > MAX_VALUES:
            what = f"the file holds more than {MAX_VALUES:,} values, aliases expanded"
            self.parsed.mistakes.append(Mistake(self.file, node.line, node.column, WHERE, what))
            raise _Stop
        if type(frame.node.value) is list:
            frame.node.value.append(node)
        elif frame.key is None:
            frame.key = ("", node.line, node.column)
        else:
            self._entry(frame, node)

    @staticmethod
    def _entry(frame: _Frame, node: Node) -> None:
        assert frame.key is not None
        name, node.key_line, node.key_column = frame.key
        if not frame.discarded:
            frame.node.value[name] = node
        frame.key = None
        frame.discarded = False

    def _document(self, node: Node, size: int) -> None:
        self.size += size
        if node.value is not None:
            self.parsed.documents.append(node)

    def _mistake(self, mark: Any, what: str) -> None:
        keys = [frame.key[0] for frame in self.stack if frame.key is not None]
        where = shown(tuple(keys)) if keys else WHERE
        self.parsed.mistakes.append(Mistake(self.file, mark.line + 1, mark.column + 1, where, what))

    def _stopped(self, mark: Any, what: str) -> _Stop:
        self._mistake(mark, what)
        return _Stop()
