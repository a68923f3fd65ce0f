"""Reads commands: from the text of a script to its tree, one line of commands at a time, as ash does.

A line is handed out only when it is whole: what ends in the middle of a quote, a here-document or a compound command
raises `Incomplete`, so that nothing of a script that was cut on its way is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reconciler.simulator.shell.syntax import (
    AndOr,
    Case,
    For,
    Function,
    If,
    Loop,
    Node,
    Pipeline,
    Redirected,
    Redirection,
    Sequence,
    Simple,
    Subshell,
    Word,
)
from reconciler.simulator.shell.tokens import ENDING, Tokens
from reconciler.simulator.shell.words import NAME, ShellSyntaxError, WordReader

ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
REDIRECTION = re.compile(r"(\d?)(<<-|<<|>>|<&|>&|<>|>\||<|>)")


class Parser(Tokens):
    """Hands out the commands of `text`, line by line, from `pos` on."""

    def __init__(self, text: str, final: bool = True, reader: WordReader | None = None) -> None:
        super().__init__(reader or WordReader(text, final, _subscript))

    def line(self) -> Sequence | None:
        """The next line of commands; None at the end of the text.

        Raises Incomplete where more text is wanted, ShellSyntaxError for what no further text can mend.
        """
        self._blanks()
        if not self.reader.peek():
            return None
        start = self.pos
        found = self._list(set(), one_line=True)
        if self.pos > start and self.reader.text[self.pos - 1] == "\n":
            return found
        if (token := self._operator()) in (")", ";;", "|", "&&", "||", "&", ";"):
            raise ShellSyntaxError(f'unexpected "{token}"')
        if (word := self._keyword()) in ENDING:
            raise ShellSyntaxError(f'unexpected "{word}"')
        return found

    def until(self, closing: str) -> Sequence:
        """Commands up to the operator `closing`, which is taken too."""
        found = self._list({closing})
        self._expect_operator(closing)
        return found

    # -- lists -----------------------------------------------------------------------------------------------

    def _list(self, ends: set[str], one_line: bool = False) -> Sequence:
        items: list[tuple[Node, bool]] = []
        while True:
            self._newlines() if not one_line else self._blanks()
            if self._at_end(ends):
                return Sequence(tuple(items))
            if one_line and self._operator() == "\n":
                self._take_newline()
                return Sequence(tuple(items))
            node = self._and_or()
            operator = self._operator()
            background = operator == "&"
            items.append((node, background))
            if operator in (";", "&"):
                self._take(operator)
            elif operator != "\n":
                return Sequence(tuple(items))

    def _at_end(self, ends: set[str]) -> bool:
        operator = self._operator()
        if operator in ends or operator in (")", ";;"):
            return True
        if self._keyword() in ENDING:
            return True
        return not self.reader.peek()

    def _and_or(self) -> Node:
        first, rest = self._pipeline(), []
        while (operator := self._operator()) in ("&&", "||"):
            self._take(operator)
            self._newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Node:
        negated = False
        while self._keyword() == "!":
            self._take_word("!")
            negated = not negated
        commands = [self._command()]
        while self._operator() == "|":
            self._take("|")
            self._newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated) if negated or len(commands) > 1 else commands[0]

    # -- commands --------------------------------------------------------------------------------------------

    def _command(self) -> Node:
        self._blanks()
        compound = self._compound()
        if compound is None:
            return self._simple()
        redirections = []
        while (redirection := self._redirection()) is not None:
            redirections.append(redirection)
        self._no_word_here()
        return Redirected(compound, tuple(redirections)) if redirections else compound

    def _no_word_here(self) -> None:
        if self.reader.peek() and self._operator() is None and self._keyword() not in ENDING | {"in"}:
            raise ShellSyntaxError("unexpected word")

    def _compound(self) -> Node | None:
        if self._operator() == "(":
            self._take("(")
            return Subshell(self._filled(self.until(")"), ")"))
        readers: dict[str, Callable[[], Node]] = {
            "if": self._if,
            "while": self._loop,
            "until": self._loop,
            "for": self._for,
            "case": self._case,
            "{": self._group,
        }
        keyword = self._keyword()
        return readers[keyword]() if keyword in readers else None

    def _group(self) -> Node:
        self._take_word("{")
        return self._body("}")

    def _if(self) -> Node:
        arms, otherwise = [], None
        self._take_word("if")
        while True:
            condition = self._body("then")
            body = self._filled(self._list(set()), "fi")
            arms.append((condition, body))
            keyword = self._keyword()
            if keyword not in ("elif", "else", "fi"):
                self._fail("fi")
            self._take_word(str(keyword))
            if keyword == "else":
                otherwise = self._body("fi")
            if keyword != "elif":
                return If(tuple(arms), otherwise)

    def _loop(self) -> Node:
        keyword = str(self._keyword())
        self._take_word(keyword)
        return Loop(keyword == "until", self._body("do"), self._body("done"))

    def _for(self) -> Node:
        self._take_word("for")
        self._blanks()
        name = self.reader.word().literal
        if name is None or not NAME.fullmatch(name):
            raise ShellSyntaxError("bad for loop variable")
        self._newlines()
        words: list[Word] | None = None
        if self._keyword() == "in":
            self._take_word("in")
            words = []
            while self._operator() is None and self.reader.peek():
                words.append(self.reader.word())
                self._blanks()
        if self._operator() == ";":
            self._take(";")
        self._newlines()
        self._expect_word("do")
        return For(name, tuple(words) if words is not None else None, self._body("done"))

    def _case(self) -> Node:
        self._take_word("case")
        self._blanks()
        subject = self.reader.word()
        self._newlines()
        self._expect_word("in")
        self._newlines()
        arms = []
        while self._keyword() != "esac":
            arms.append(self._arm())
            self._newlines()
            if self._operator() == ";;":
                self._take(";;")
                self._newlines()
            elif self._keyword() != "esac":
                self._fail("esac")
        self._take_word("esac")
        return Case(subject, tuple(arms))

    def _arm(self) -> tuple[tuple[Word, ...], Sequence]:
        if self._operator() == "(":
            self._take("(")
        patterns = []
        while True:
            self._blanks()
            self.reader.need('unexpected end of file (expecting "esac")')
            patterns.append(self.reader.word())
            if self._operator() != "|":
                break
            self._take("|")
        self._expect_operator(")")
        return tuple(patterns), self._list({";;"})

    def _body(self, closing: str) -> Sequence:
        found = self._filled(self._list(set()), closing)
        self._expect_word(closing)
        return found

    def _filled(self, found: Sequence, closing: str) -> Sequence:
        if not found.items:
            self._fail(closing)
        return found

    def _simple(self) -> Node:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirections: list[Redirection] = []
        while True:
            self._blanks()
            if (redirection := self._redirection()) is not None:
                redirections.append(redirection)
            elif self._operator() is not None or not self.reader.peek():
                break
            elif not words and (match := ASSIGNMENT.match(self.reader.text, self.pos)):
                self.reader.pos = match.end()
                assignments.append((match[0][:-1], self.reader.word()))
            else:
                words.append(self.reader.word())
                if len(words) == 1 and not assignments and self._operator() == "(":
                    return self._function(words[0])
        if not (assignments or words or redirections):
            self._fail(None)
        return Simple(tuple(assignments), tuple(words), tuple(redirections))

    def _function(self, word: Word) -> Node:
        if word.literal is None or not NAME.fullmatch(word.literal):
            raise ShellSyntaxError("bad function name")
        self._take("(")
        self._expect_operator(")")
        self._newlines()
        return Function(word.literal, self._command())

    def _redirection(self) -> Redirection | None:
        self._blanks()
        match = REDIRECTION.match(self.reader.text, self.pos)
        if match is None:
            return None
        self.reader.peek(len(match[0]) + 1)
        self.reader.pos = match.end()
        self._blanks()
        fd = int(match[1]) if match[1] else (0 if match[2][0] == "<" else 1)
        target = self.reader.word()
        if not target.parts:
            self._fail(None)
        redirection = Redirection(fd, match[2], target)
        if match[2].startswith("<<"):
            self._document(redirection)
        return redirection


def _subscript(reader: WordReader) -> Sequence:
    """The commands of `$(...)`: from inside the parentheses to behind them."""
    return Parser("", reader=reader).until(")")
