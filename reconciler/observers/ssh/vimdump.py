"""VimDump, the text in which vim-cmd prints objects (all versions).

Objects `(type) {`, arrays `(type) [`, strings in double quotes whose inner quotes and line breaks are not
escaped, references in single quotes, numbers, `true`, `false`, `<unset>` and `(type) null`. Commas, the
blanks after them and the indent differ between versions and do not matter here.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from reconciler.facts import Datastore, NfsSource
from reconciler.observers.ssh.errors import Unreadable, whole_number, yes_or_no

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

START = re.compile(r"^[ \t]*(?=\(([\w.]+)\) ?[{\[])", re.MULTILINE)
FAULT = re.compile(r"(?:vim|vmodl)\.(?:\w+\.)*fault\.(\w+)|vmodl\.(RuntimeFault|MethodFault)")
TYPE = re.compile(r"\(([\w.]+)\) ?")
NAME = re.compile(r"(\w+) = ")
BARE = re.compile(r"<[^\n]*>(?=,?[ \t\r]*(?:\n|\Z))|[\w.+-]+")
# An IPv6 address has colons of its own: the path's slash tells the right one.
SOURCE = re.compile(r"vim\.Datastore:(?:([^/]+?):(/.*)|(.+):([^:/]+))")
AFTER = re.compile(r",?\s*")
# What can follow the end of a string: the next property or item, a closing bracket, or the end of the text.
NEXT_PROPERTY = re.compile(r",?[ \t\r]*(?:\n\s*(?:\w+ = |\})|\s*\Z)")
NEXT_ITEM = re.compile(r",?[ \t\r]*(?:\n\s*[\"'(\]]|\s*\Z)")
DEEPEST = 64


def parse(text: str) -> Value:
    """The dump in a text, after headings: dicts (their type as `_type`), lists and plain values.

    `<unset>` and `null` are None, references are their text (`vim.Datastore:ID`). The last brace of an object
    may be missing, as in old captures. Raises Unreadable.
    """
    found = parse_all(text)
    if len(found) > 1:
        raise Unreadable("more text after the dump of an object", text)
    return found[0]


def parse_all(text: str) -> list[Value]:
    """All dumps in a text, one after the other, as `parse` gives each. Raises Unreadable."""
    start = START.search(text)
    if start is None:
        raise Unreadable("no dump of an object", text)
    found: list[Value] = []
    while start is not None:
        reader = _Reader(text, start.end())
        found.append(reader.value(NEXT_PROPERTY, 0))
        rest = text[reader.at :]
        start = START.match(text, len(text) - len(rest.lstrip()))
    if rest.strip():
        raise Unreadable("more text after the dump of an object", rest)
    return found


class _Reader:
    """A place in the text, moved by what is read."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at

    def value(self, following: re.Pattern[str], depth: int) -> Value:
        """One value; `following` tells what may stand after a string here."""
        kind = self._take(TYPE)
        if kind is not None and depth < DEEPEST:
            return self._typed(kind[1], following, depth)
        if self.text[self.at : self.at + 1] in ("'", '"'):
            return self._quoted(following)
        bare = self._take(BARE)
        if bare is None or kind is not None:
            raise self._unreadable("no value where one belongs")
        return _plain(bare[0])

    def _typed(self, kind: str, following: re.Pattern[str], depth: int) -> Value:
        opening = self.text[self.at : self.at + 1]
        if opening == "{":
            return self._object(kind, depth)
        if opening == "[":
            return self._array(depth)
        return self.value(following, depth + 1)

    def _object(self, kind: str, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {"_type": kind}
        self._open()
        while not self._closed("}"):
            if depth == 0 and self.at == len(self.text):
                break
            name = self._take(NAME)
            if name is None or name[1] in found:
                raise self._unreadable("no property, or one twice,")
            found[name[1]] = self.value(NEXT_PROPERTY, depth + 1)
            self._take(AFTER)
        return found

    def _array(self, depth: int) -> list[Value]:
        found: list[Value] = []
        self._open()
        while not self._closed("]"):
            found.append(self.value(NEXT_ITEM, depth + 1))
            self._take(AFTER)
        return found

    def _open(self) -> None:
        self.at += 1
        self._take(AFTER)

    def _closed(self, bracket: str) -> bool:
        closed = self.text.startswith(bracket, self.at)
        self.at += closed
        return closed

    def _quoted(self, following: re.Pattern[str]) -> str:
        """Up to the first quote that something can follow which is no longer the string."""
        quote, start = self.text[self.at], self.at + 1
        end = self.text.find(quote, start)
        while end >= 0 and following.match(self.text, end + 1) is None:
            end = self.text.find(quote, end + 1)
        if end < 0:
            raise self._unreadable("a string without an end")
        self.at = end + 1
        return self.text[start:end]

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def _unreadable(self, why: str) -> Unreadable:
        return Unreadable(f"{why} in the dump of an object", self.text[self.at :])


def _plain(word: str) -> Value:
    if word in ("<unset>", "null"):
        return None
    if word in ("true", "false"):
        return yes_or_no(word)
    if word.startswith("<"):
        return word[1:-1]
    if re.fullmatch(r"-?[0-9]{1,20}\.[0-9]{1,20}", word):
        return float(word)
    return whole_number(word)


def fault(text: str) -> str | None:
    """The fault in vim-cmd's answer, whatever its exit status: `NotFound: Unable to find ...`.

    vim-cmd prints faults on standard output and may exit with 0 all the same. None when there is none; a
    fault inside another object (a task's error) is not the command's own.
    """
    if re.fullmatch(r"\s*Datastore not found\.?\s*", text):
        return text.strip()
    start = START.search(text)
    kind = FAULT.fullmatch(start[1]) if start is not None else None
    if start is None or kind is None:
        return None
    name = kind[1] or kind[2]
    message = _message(text[start.start() :])
    return f"{name}: {message}" if message else name


def _message(text: str) -> str:
    try:
        found = parse(text)
    except Unreadable:
        return ""
    return str(found.get("msg") or "") if isinstance(found, dict) else ""


def datastore_summaries(text: str) -> list[Datastore]:
    """`vim-cmd hostsvc/datastore/listsummary`: type and accessibility, which 4.x prints nowhere else.

    Whether an NFS mount is read-only is not told. Raises Unreadable.
    """
    found = parse(text)
    if not isinstance(found, list):
        raise Unreadable("no list of datastores", text)
    return [_summary(item, text) for item in found]


def _summary(item: Value, text: str) -> Datastore:
    fields = item if isinstance(item, dict) else {}
    name, kind, accessible = (fields.get(key) for key in ("name", "type", "accessible"))
    if not isinstance(name, str) or not isinstance(kind, str) or not isinstance(accessible, bool):
        raise Unreadable("a datastore without name, type or accessibility", text)
    url = re.search(r"/vmfs/volumes/([^/]+)/?$", str(fields.get("url")))
    nfs = _source(kind, str(fields.get("datastore"))) if kind.startswith("NFS") else None
    capacity, free = (_size(fields.get(key)) if accessible else None for key in ("capacity", "freeSpace"))
    volume = url[1] if url else None
    return Datastore(name, kind, accessible, nfs, volume, nfs is None, capacity, free)


def _size(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _source(kind: str, reference: str) -> NfsSource:
    """The host's own reference of an NFS datastore is `vim.Datastore:SERVER:PATH` (field capture: 4.x)."""
    match = SOURCE.fullmatch(reference)
    if match is None:
        raise Unreadable("an NFS datastore that does not tell its server", reference)
    return NfsSource(match[1] or match[3], match[2] or match[4], "4.1" if kind == "NFS41" else "3")
