"""Reads words: quotes, parameters, substitutions. The lower half of the parser."""

from __future__ import annotations

import re
from collections.abc import Callable

from reconciler.simulator.shell.syntax import (
    Arithmetic,
    Parameter,
    Part,
    Sequence,
    Substitution,
    Text,
    Word,
)

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BREAKS = " \t\n;&|<>()"
OPERATORS = re.compile(r":?[-=?+]|##?|%%?")


class ShellSyntaxError(Exception):
    """A script that the shell refuses; the text is what it prints after `syntax error: `."""


class Incomplete(ShellSyntaxError):
    """The text ends in the middle of a command: more of it may come."""


class WordReader:
    """A place in a text, and what can be read there. `final`: no more text will come."""

    def __init__(self, text: str, final: bool, subscript: Callable[[WordReader], Sequence]) -> None:
        self.text, self.pos, self.final = text, 0, final
        self.subscript = subscript

    def peek(self, count: int = 1) -> str:
        """The next letters; raises Incomplete at the end of a text that is not final."""
        if self.pos + count > len(self.text) and not self.final:
            raise Incomplete("unexpected end of file")
        return self.text[self.pos : self.pos + count]

    def need(self, what: str) -> str:
        """The next letter; raises Incomplete when there is none."""
        if self.pos >= len(self.text):
            raise Incomplete(what)
        return self.text[self.pos]

    def word(self, stop: str = BREAKS) -> Word:
        """One word up to a letter of `stop` that is not quoted."""
        parts: list[Part] = []
        while (letter := self.peek()) and letter not in stop:
            parts.extend(self._piece(letter))
        return Word(tuple(parts))

    def _piece(self, letter: str) -> list[Part]:
        if letter == "'":
            return [self._single()]
        if letter == '"':
            return self._double()
        if letter == "\\":
            return self._escape()
        if letter == "$":
            return [self._dollar(False)]
        if letter == "`":
            return [self._backquotes(False)]
        start = self.pos
        self.pos += 1
        while self.pos < len(self.text) and self.text[self.pos] not in BREAKS + "'\"\\$`}":
            self.pos += 1
        return [Text(self.text[start : self.pos])]

    def _single(self) -> Text:
        end = self.text.find("'", self.pos + 1)
        if end < 0:
            raise Incomplete("unterminated quoted string")
        piece = Text(self.text[self.pos + 1 : end], quoted=True)
        self.pos = end + 1
        return piece

    def _escape(self) -> list[Part]:
        self.pos += 1
        letter = self.peek()
        self.pos += 1
        if letter == "\n":
            return []
        return [Text(letter or "\\", quoted=True)]

    def _double(self) -> list[Part]:
        self.pos += 1
        parts = self.quoted_until('"')
        self.pos += 1
        return parts or [Text("", quoted=True)]

    def quoted_until(self, end: str) -> list[Part]:
        """Parts as between double quotes, up to the letter `end` ("": to the end of the text)."""
        parts: list[Part] = []
        while True:
            if not end and self.pos >= len(self.text):
                return parts
            letter = self.need("unterminated quoted string")
            if letter == end:
                return parts
            parts.extend(self._quoted_piece(letter, end))

    def _quoted_piece(self, letter: str, end: str) -> list[Part]:
        if letter == "$":
            return [self._dollar(True)]
        if letter == "`":
            return [self._backquotes(True)]
        if letter == "\\":
            follower = self.text[self.pos + 1 : self.pos + 2]
            special = follower != "" and follower in "$`\\\n" + (end or "")
            self.pos += 2 if special else 1
            kept = follower if special else "\\"
            return [] if kept == "\n" else [Text(kept, quoted=True)]
        if letter == '"' and end == "}":
            self.pos += 1
            return []
        start = self.pos
        stops = "$`\\" + end + ('"' if end == "}" else "")
        while self.pos < len(self.text) and self.text[self.pos] not in stops:
            self.pos += 1
        return [Text(self.text[start : self.pos], quoted=True)]

    def _dollar(self, quoted: bool) -> Part:
        if self.peek(3) == "$((":
            found = self._arithmetic(quoted)
            if found is not None:
                return found
        following = self.peek(2)[1:]
        if following == "(":
            self.pos += 2
            body = self.subscript(self)
            return Substitution(body, quoted)
        if following == "{":
            self.pos += 2
            return self._braces(quoted)
        if following and following in "?$#@*!-0123456789":
            self.pos += 2
            return Parameter(following, quoted=quoted)
        match = NAME.match(self.text, self.pos + 1)
        if match is None:
            self.pos += 1
            return Text("$", quoted)
        if match.end() == len(self.text) and not self.final:
            raise Incomplete("unexpected end of file")
        self.pos = match.end()
        return Parameter(match[0], quoted=quoted)

    def _arithmetic(self, quoted: bool) -> Part | None:
        end = self._arithmetic_end()
        if end is None:
            return None
        inner = WordReader(self.text[self.pos + 3 : end], True, self.subscript)
        self.pos = end + 2
        return Arithmetic(Word(tuple(inner.quoted_until(""))), quoted)

    def _arithmetic_end(self) -> int | None:
        depth, index = 0, self.pos + 3
        while index < len(self.text):
            letter = self.text[index]
            if letter == ")" and depth == 0:
                return index if self.text[index + 1 : index + 2] == ")" else None
            depth += {"(": 1, ")": -1}.get(letter, 0)
            index += 1
        raise Incomplete('unexpected end of file (expecting "))")')

    def _braces(self, quoted: bool) -> Part:
        self.need('unexpected end of file (expecting "}")')
        if self.text[self.pos] == "#" and self.peek(2)[1:] not in ("}", ""):
            self.pos += 1
            name = self._name()
            self._close_brace()
            return Parameter(name, "length", quoted=quoted)
        name = self._name()
        self.need('unexpected end of file (expecting "}")')
        operator = OPERATORS.match(self.text, self.pos)
        if operator is None:
            self._close_brace()
            return Parameter(name, quoted=quoted)
        self.pos = operator.end()
        as_pattern = operator[0][0] in "#%"
        word = Word(tuple(self.quoted_until("}"))) if quoted and not as_pattern else self.word("}")
        self._close_brace()
        return Parameter(name, operator[0], word, quoted)

    def _name(self) -> str:
        match = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?$#@*!-]").match(self.text, self.pos)
        if match is None:
            raise ShellSyntaxError("bad substitution")
        self.pos = match.end()
        return match[0]

    def _close_brace(self) -> None:
        if self.need('unexpected end of file (expecting "}")') != "}":
            raise ShellSyntaxError("bad substitution")
        self.pos += 1

    def _backquotes(self, quoted: bool) -> Part:
        self.pos += 1
        script: list[str] = []
        while (letter := self.need("EOF in backquote substitution")) != "`":
            self.pos += 1
            if letter == "\\":
                follower = self.need("EOF in backquote substitution")
                if follower in "$`\\" + ('"' if quoted else ""):
                    letter, self.pos = follower, self.pos + 1
            script.append(letter)
        self.pos += 1
        inner = WordReader("".join(script) + "\n)", True, self.subscript)
        return Substitution(self.subscript(inner), quoted)
