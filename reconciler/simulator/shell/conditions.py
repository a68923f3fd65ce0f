"""`test` and `[`, with the operators of busybox."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.simulator.nodes import Node

if TYPE_CHECKING:
    from reconciler.simulator.shell.process import Shell

BINARY: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}
NUMERIC: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
FILES = "efdhLrwxspSbcukgOG"


class BadCondition(Exception):
    """A condition that test refuses; the text is its message."""


class Condition:
    """Judges the arguments of `test` (without its name and without `]`)."""

    def __init__(self, shell: Shell, words: list[str]) -> None:
        self._shell, self._words, self._index = shell, words, 0

    def holds(self) -> bool:
        """Whether it is true; raises BadCondition."""
        count = len(self._words)
        if count <= 1:
            return count == 1 and self._words[0] != ""
        if count == 2 and self._words[0] == "!":
            return self._words[1] == ""
        if count == 3 and self._is_binary(self._words[1]):
            return self._compare(*self._words)
        result = self._or()
        if self._index < count:
            raise BadCondition(f"{self._words[self._index]}: unknown operand")
        return result

    def _peek(self, ahead: int = 0) -> str | None:
        index = self._index + ahead
        return self._words[index] if index < len(self._words) else None

    def _or(self) -> bool:
        result = self._and()
        while self._peek() == "-o":
            self._index += 1
            result = self._and() or result
        return result

    def _and(self) -> bool:
        result = self._not()
        while self._peek() == "-a":
            self._index += 1
            result = self._not() and result
        return result

    def _not(self) -> bool:
        if self._peek() == "!" and self._peek(1) is not None:
            self._index += 1
            return not self._not()
        return self._primary()

    def _primary(self) -> bool:
        word = self._peek()
        if word is None:
            raise BadCondition("argument expected")
        operator = self._peek(1)
        if operator is not None and self._is_binary(operator) and self._peek(2) is not None:
            self._index += 3
            return self._compare(word, operator, self._words[self._index - 1])
        self._index += 1
        if word == "(":
            result = self._or()
            if self._peek() != ")":
                raise BadCondition("closing paren expected")
            self._index += 1
            return result
        if len(word) == 2 and word[0] == "-" and word[1] in FILES + "znt" and self._peek() is not None:
            self._index += 1
            return self._unary(word[1], self._words[self._index - 1])
        return word != ""

    def _is_binary(self, word: str) -> bool:
        return word in BINARY or word in NUMERIC or word in ("-nt", "-ot", "-ef")

    def _compare(self, left: str, operator: str, right: str) -> bool:
        if operator in BINARY:
            return BINARY[operator](left, right)
        if operator in NUMERIC:
            return NUMERIC[operator](_number(left), _number(right))
        first, second = self._node(left), self._node(right)
        if operator == "-ef":
            return first is not None and first is second
        if first is None or second is None:
            return (first if operator == "-nt" else second) is not None
        return first.mtime > second.mtime if operator == "-nt" else first.mtime < second.mtime

    def _node(self, path: str, follow: bool = True) -> Node | None:
        return self._shell.system.files.find(path, self._shell.cwd, follow)

    def _unary(self, letter: str, word: str) -> bool:
        if letter in "zn":
            return (word == "") == (letter == "z")
        if letter == "t":
            return False
        node = self._node(word, follow=letter not in "hL")
        return node is not None and _is(node, letter)


def _is(node: Node, letter: str) -> bool:
    kinds = {"f": "f", "d": "d", "h": "l", "L": "l", "c": "c", "p": "p", "S": "s", "b": "b"}
    if letter in kinds:
        return node.kind == kinds[letter]
    if letter == "s":
        return node.size > 0
    if letter == "x":
        return node.kind == "d" or bool(node.mode & 0o111)
    bits = {"k": 0o1000, "g": 0o2000, "u": 0o4000}
    return bool(node.mode & bits[letter]) if letter in bits else True


def _number(word: str) -> int:
    try:
        return int(word.strip(), 10)
    except ValueError:
        raise BadCondition(f"{word}: bad number") from None
