"""POSIX regular expressions, as Python's."""

from __future__ import annotations

import re


def regular(pattern: str, extended: bool) -> str:
    """A POSIX regular expression as Python's; raises re.error for a bracket that is not closed."""
    out: list[str] = []
    index = 0
    while index < len(pattern):
        letter, following = pattern[index], pattern[index + 1 : index + 2]
        if letter == "[":
            bracket, index = _bracket(pattern, index)
            out.append(bracket)
        elif letter == "\\" and following:
            out.append(_escaped(following, extended))
            index += 2
        else:
            out.append(letter if extended else _basic(letter, out, pattern[index + 1 : index + 3]))
            index += 1
    return "".join(out)


def _escaped(letter: str, extended: bool) -> str:
    if not extended and letter in "(){}|+?":
        return letter
    if letter.isdigit() or letter in "bBwWs":
        return "\\" + letter
    return r"\b" if letter in "<>" else re.escape(letter)


def _basic(letter: str, before: list[str], after: str) -> str:
    """A letter of a basic expression: some are special only in their place, some only behind a backslash."""
    literal = (
        letter in "(){}|+?"
        or (letter == "*" and "".join(before) in ("", "^", "("))
        or (letter == "^" and before != [] and before[-1] not in ("(", "|"))
        or (letter == "$" and after != "" and after not in ("\\)", "\\|"))
    )
    return "\\" + letter if literal else letter


CLASSES = {
    "space": r"\s",
    "digit": "0-9",
    "alpha": "a-zA-Z",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "blank": r" \t",
    "xdigit": "0-9a-fA-F",
    "punct": r"!-/:-@\[-`{-~",
}


def _bracket(pattern: str, start: int) -> tuple[str, int]:
    index = start + 1
    negated = pattern[index : index + 1] == "^"
    index += negated
    body, first = "", True
    while index < len(pattern) and (pattern[index] != "]" or first):
        match = re.compile(r"\[:([a-z]+):\]").match(pattern, index)
        if match and match[1] in CLASSES:
            body, index = body + CLASSES[match[1]], match.end()
        else:
            body += pattern[index] if pattern[index] == "-" else re.escape(pattern[index])
            index += 1
        first = False
    if index >= len(pattern):
        raise re.error("Unmatched [")
    return f"[{'^' if negated else ''}{body}]", index + 1
