"""Reads tokens of a script: blanks, operators, keywords, here-documents. The middle of the parser."""

from __future__ import annotations

import re

from reconciler.simulator.shell.syntax import Document, Redirection, Text, Word
from reconciler.simulator.shell.words import BREAKS, Incomplete, ShellSyntaxError, WordReader

ENDING = {"then", "else", "elif", "fi", "do", "done", "esac", "}"}
OPENING = {"if", "while", "until", "for", "case", "{", "!"}
LEADING = " \t\\#"
"""With what a blank or a comment begins."""
BLANKS = re.compile(r"(?:[ \t]|\\\n)*")
KEYWORD = re.compile(r"[a-z]+|[{}!]")
OPERATOR = re.compile(r"&&|\|\||;;|<<-|<<|>>|<&|>&|<>|>\||[;&|<>()\n]")


class Tokens:
    """A place in a script, and what stands there."""

    def __init__(self, reader: WordReader) -> None:
        self.reader = reader
        self._documents: list[Document] = []

    @property
    def pos(self) -> int:
        return self.reader.pos

    # -- here-documents --------------------------------------------------------------------------------------

    def _document(self, redirection: Redirection) -> None:
        parts = redirection.target.parts
        literal = any(isinstance(part, Text) and part.quoted for part in parts)
        delimiter = "".join(part.text for part in parts if isinstance(part, Text))
        strip_tabs, redirection.operator = redirection.operator == "<<-", "<<"
        self._documents.append(Document(redirection, delimiter, literal, strip_tabs))

    def _take_newline(self) -> None:
        self._take("\n")
        documents, self._documents = self._documents, []
        for document in documents:
            self._fill(document)

    def _fill(self, document: Document) -> None:
        lines: list[str] = []
        while True:
            end = self.reader.text.find("\n", self.pos)
            if end < 0 and not self.reader.final:
                raise Incomplete("unexpected end of file")
            line = self.reader.text[self.pos : end if end >= 0 else None]
            at_end = end < 0
            self.reader.pos = len(self.reader.text) if at_end else end + 1
            if document.strip_tabs:
                line = line.lstrip("\t")
            if line == document.delimiter or (at_end and not line):
                break
            lines.append(line + "\n")
            if at_end:
                break
        body = "".join(lines)
        inner = WordReader(body, True, self.reader.subscript)
        parts = (Text(body, quoted=True),) if document.literal else tuple(inner.quoted_until(""))
        document.redirection.target = Word(parts)

    # -- tokens ----------------------------------------------------------------------------------------------

    def _blanks(self) -> None:
        text, reader = self.reader.text, self.reader
        while text[reader.pos : reader.pos + 1] in LEADING:
            blanks = BLANKS.match(text, reader.pos)
            reader.pos = blanks.end() if blanks else reader.pos
            if not text.startswith("#", reader.pos):
                return
            end = text.find("\n", reader.pos)
            if end < 0 and not reader.final:
                raise Incomplete("unexpected end of file")
            reader.pos = end if end >= 0 else len(text)

    def _newlines(self) -> None:
        self._blanks()
        while self.pos < len(self.reader.text) and self.reader.text[self.pos] == "\n":
            self._take_newline()
            self._blanks()

    def _operator(self) -> str | None:
        """The operator that stands here, or None."""
        self._blanks()
        letter = self.reader.peek()
        if not letter or letter not in BREAKS:
            return None
        match = OPERATOR.match(self.reader.text, self.pos)
        if match is None:
            return None
        if match[0] in "&|;<>" and match[0] != "\n":
            self.reader.peek(2)
        return match[0]

    def _take(self, operator: str) -> None:
        self.reader.pos += len(operator)

    def _keyword(self) -> str | None:
        """The bare word that stands here, if it may be a keyword; it is not taken."""
        self._blanks()
        match = KEYWORD.match(self.reader.text, self.pos)
        if match is None:
            return None
        if match.end() == len(self.reader.text):
            self.reader.peek(len(match[0]) + 1)
        elif self.reader.text[match.end()] not in BREAKS:
            return None
        return match[0] if match[0] in ENDING | OPENING | {"in"} else None

    def _take_word(self, word: str) -> None:
        self.reader.pos += len(word)

    def _expect_word(self, word: str) -> None:
        self._newlines()
        if self._keyword() != word:
            self._fail(word)
        self._take_word(word)

    def _expect_operator(self, operator: str) -> None:
        if self._operator() != operator:
            self._fail(operator)
        self._take(operator)

    def _fail(self, expected: str | None) -> None:
        """Raise the fitting error: the text has ended, or something else stands here."""
        expecting = f' (expecting "{expected}")' if expected else ""
        if not self.reader.text[self.pos :].strip(" \t"):
            raise Incomplete(f"unexpected end of file{expecting}")
        operator, keyword = self._operator(), self._keyword()
        found = {"\n": "newline"}.get(operator or "", f'"{operator or keyword}"')
        if operator is None and keyword is None:
            found = "word"
        raise ShellSyntaxError(f"unexpected {found}{expecting}")
