"""`$((...))`: C's integer expressions over 64 bits."""

from __future__ import annotations

import re
from collections.abc import Callable

TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<=|>>=|\*\*|\+\+|--|&&|\|\||[<>=!]=|<<|>>|[-+*/%&|^]=|[-+*/%&|^~!<>=?:(),])"
)
LEVELS = [
    ["||"],
    ["&&"],
    ["|"],
    ["^"],
    ["&"],
    ["==", "!="],
    ["<", "<=", ">", ">="],
    ["<<", ">>"],
    ["+", "-"],
    ["*", "/", "%"],
]
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}


class ArithmeticProblem(Exception):
    """An expression that the shell refuses; the text is its message."""


class Evaluator:
    """Evaluates one expression; `get` and `put` are the shell's variables."""

    def __init__(self, text: str, get: Callable[[str], str], put: Callable[[str, str], None]) -> None:
        self._tokens, self._index = _tokens(text), 0
        self._get, self._put = get, put

    def value(self) -> int:
        """The value; raises ArithmeticProblem."""
        if not self._tokens:
            return 0
        result = self._comma()
        if self._peek():
            raise ArithmeticProblem("arithmetic syntax error")
        return result

    def _peek(self, ahead: int = 0) -> str:
        index = self._index + ahead
        return self._tokens[index] if index < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._index += 1
        return token

    def _comma(self) -> int:
        result = self._assignment()
        while self._peek() == ",":
            self._take()
            result = self._assignment()
        return result

    def _assignment(self) -> int:
        if re.match(r"[A-Za-z_]", self._peek()) and self._peek(1) in ASSIGNMENTS:
            name, operator = self._take(), self._take()
            value = self._assignment()
            if operator != "=":
                value = _apply(operator[:-1], self._variable(name), value)
            self._put(name, str(value))
            return value
        return self._ternary()

    def _ternary(self) -> int:
        condition = self._binary(0)
        if self._peek() != "?":
            return condition
        self._take()
        first = self._comma()
        if self._take() != ":":
            raise ArithmeticProblem("arithmetic syntax error")
        second = self._ternary()
        return first if condition else second

    def _binary(self, level: int) -> int:
        if level == len(LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in LEVELS[level]:
            operator = self._take()
            left = _apply(operator, left, self._binary(level + 1))
        return left

    def _unary(self) -> int:
        token = self._take()
        if token in ("-", "+", "~", "!"):
            value = self._unary()
            return {"-": -value, "+": value, "~": ~value, "!": int(not value)}[token]
        if token in ("++", "--"):
            return self._step(self._take(), 1 if token == "++" else -1)
        if token == "(":
            value = self._comma()
            if self._take() != ")":
                raise ArithmeticProblem("arithmetic syntax error")
            return value
        if token[:1].isdigit():
            return _number(token)
        if not re.match(r"[A-Za-z_]", token):
            raise ArithmeticProblem("arithmetic syntax error")
        value = self._variable(token)
        if self._peek() in ("++", "--"):
            self._step(token, 1 if self._take() == "++" else -1)
        return value

    def _step(self, name: str, by: int) -> int:
        value = self._variable(name) + by
        self._put(name, str(value))
        return value

    def _variable(self, name: str) -> int:
        text = self._get(name).strip()
        if not text:
            return 0
        if re.fullmatch(r"-?(0[xX][0-9a-fA-F]+|\d+)", text):
            return -_number(text[1:]) if text[0] == "-" else _number(text)
        return Evaluator(text, self._get, self._put).value()


def _tokens(text: str) -> list[str]:
    tokens, pos = [], 0
    text = text.rstrip()
    while pos < len(text):
        match = TOKEN.match(text, pos)
        if match is None:
            raise ArithmeticProblem("arithmetic syntax error")
        tokens.append(match[1])
        pos = match.end()
    return tokens


def _number(token: str) -> int:
    if token[:2] in ("0x", "0X"):
        return int(token, 16)
    if len(token) > 1 and token[0] == "0":
        if not re.fullmatch("[0-7]+", token):
            raise ArithmeticProblem("arithmetic syntax error")
        return int(token, 8)
    return int(token)


def _apply(operator: str, left: int, right: int) -> int:
    if operator in ("/", "%"):
        if right == 0:
            raise ArithmeticProblem("divide by zero")
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return _wrapped(quotient if operator == "/" else left - quotient * right)
    results: dict[str, Callable[[], int]] = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "<<": lambda: left << (right & 63),
        ">>": lambda: left >> (right & 63),
        "&": lambda: left & right,
        "|": lambda: left | right,
        "^": lambda: left ^ right,
        "==": lambda: left == right,
        "!=": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
        "&&": lambda: bool(left and right),
        "||": lambda: bool(left or right),
    }
    return _wrapped(int(results[operator]()))


def _wrapped(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
