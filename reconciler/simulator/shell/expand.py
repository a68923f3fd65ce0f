"""Expansion: from words with quotes, parameters and substitutions to the arguments of a command."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from reconciler.simulator.shell.arithmetic import ArithmeticProblem, Evaluator
from reconciler.simulator.shell.patterns import Piece, cut, has_magic, plain
from reconciler.simulator.shell.process import ExpansionProblem, Shell
from reconciler.simulator.shell.run import substitute
from reconciler.simulator.shell.syntax import Arithmetic, Parameter, Part, Substitution, Text, Word


@dataclass
class _Fields:
    """Fields under construction. `open`: the last one may still grow; `splitting`: blanks of IFS part fields."""

    ifs: str
    done: list[list[Piece]] = field(default_factory=list)
    open: bool = False

    def add(self, text: str, quoted: bool) -> None:
        if not self.open:
            self.done.append([])
            self.open = True
        self.done[-1].append((text, quoted))

    def add_split(self, text: str) -> None:
        """Letters of an expansion that is not quoted."""
        start = 0
        for match in _separators(self.ifs).finditer(text) if self.ifs else ():
            self._end_of_field(text[start : match.start()], bool(match[0].strip(" \t\n")))
            start = match.end()
        if text[start:]:
            self.add(text[start:], False)

    def _end_of_field(self, text: str, hard: bool) -> None:
        if text or (hard and not self.open):
            self.add(text, False)
        self.open = False


@lru_cache(maxsize=16)
def _separators(ifs: str) -> re.Pattern[str]:
    """What parts fields: blanks of IFS in a row, or one of its other letters with blanks around."""
    blanks = re.escape("".join(letter for letter in ifs if letter in " \t\n"))
    hard = re.escape("".join(letter for letter in ifs if letter not in " \t\n"))
    around = f"[{blanks}]*" if blanks else ""
    return re.compile("|".join([f"{around}[{hard}]{around}"] * bool(hard) + [f"[{blanks}]+"] * bool(blanks)))


async def fields(shell: Shell, words: tuple[Word, ...]) -> list[str]:
    """The arguments that words become: expanded, split, matched against files, quotes removed."""
    out: list[str] = []
    for word in words:
        if word.plain is not None:
            out.append(word.plain)
            continue
        building = _Fields(shell.ifs)
        for index, part in enumerate(word.parts):
            if index == 0 and isinstance(part, Text) and not part.quoted:
                part = Text(_home(shell, part.text))
            await _expand(shell, part, building)
        for pieces in building.done:
            out.extend(_matched(shell, pieces))
    return out


async def text(shell: Shell, word: Word) -> str:
    """A word as one text, neither split nor matched: an assignment, a here-document, a redirection's target."""
    return plain(await pieces(shell, word)) if word.plain is None else word.plain


async def pieces(shell: Shell, word: Word) -> list[Piece]:
    """A word expanded but not split, with what is quoted in it: a pattern."""
    out: list[Piece] = []
    for index, part in enumerate(word.parts):
        if isinstance(part, Text):
            tilde = index == 0 and not part.quoted
            out.append((_home(shell, part.text) if tilde else part.text, part.quoted))
        elif isinstance(part, Parameter) and part.name in "@*" and not part.operator:
            separator = shell.ifs[:1] if part.name == "*" else " "
            out.append((separator.join(shell.positional), part.quoted))
        else:
            out.append((await _value(shell, part), part.quoted))
    return out


async def _expand(shell: Shell, part: Part, building: _Fields) -> None:
    if isinstance(part, Text):
        building.add(part.text, part.quoted)
        return
    if isinstance(part, Parameter) and part.name in ("@", "*") and not part.operator:
        _all_positional(shell, part, building)
        return
    if isinstance(part, Parameter) and part.operator.lstrip(":") in ("-", "+") and part.word is not None:
        value = shell.parameter(part.name)
        missing = value is None or (part.operator[0] == ":" and value == "")
        if missing == part.operator.endswith("-"):
            await _alternative(shell, part, part.word, building)
            return
    value = await _value(shell, part)
    if part.quoted:
        building.add(value, True)
    else:
        building.add_split(value)


async def _alternative(shell: Shell, part: Parameter, word: Word, building: _Fields) -> None:
    if part.quoted and not word.parts:
        building.add("", True)
    for inner in word.parts:
        if isinstance(inner, Text) and not inner.quoted and not part.quoted:
            building.add_split(inner.text)
        else:
            await _expand(shell, inner, building)


def _all_positional(shell: Shell, part: Parameter, building: _Fields) -> None:
    values = shell.positional
    if part.quoted and part.name == "*":
        building.add(shell.ifs[:1].join(values), True)
        return
    for index, value in enumerate(values):
        if index:
            building.open = False
        if part.quoted:
            building.add(value, True)
        else:
            building.add_split(value)


async def _value(shell: Shell, part: Part) -> str:
    if isinstance(part, Substitution):
        return await substitute(shell, part.body)
    if isinstance(part, Arithmetic):
        return str(evaluate(shell, await text(shell, part.word)))
    if isinstance(part, Parameter):
        return await _parameter(shell, part)
    return part.text


def evaluate(shell: Shell, expression: str) -> int:
    """The value of an arithmetic expression over the shell's variables."""
    try:
        return Evaluator(expression, lambda name: shell.parameter(name) or "", shell.assign).value()
    except ArithmeticProblem as problem:
        raise ExpansionProblem(str(problem)) from problem


async def _parameter(shell: Shell, part: Parameter) -> str:
    value = shell.parameter(part.name)
    if part.name in ("@", "*"):
        value = " ".join(shell.positional)
    operator = part.operator
    if operator.lstrip(":") in ("-", "=", "?", "+") and operator:
        return await _conditional(shell, part, value)
    if value is None:
        if shell.options["u"] and part.name not in ("@", "*"):
            raise ExpansionProblem(f"{part.name}: parameter not set")
        value = ""
    if operator == "length":
        return str(len(value.encode("utf-8", "surrogateescape")))
    if operator and part.word is not None:
        return cut(value, await pieces(shell, part.word), operator)
    return value


async def _conditional(shell: Shell, part: Parameter, value: str | None) -> str:
    word = part.word or Word(())
    missing = value is None or (part.operator[0] == ":" and value == "")
    kind = part.operator[-1]
    if kind == "+":
        return "" if missing else await text(shell, word)
    if not missing:
        return value or ""
    replacement = await text(shell, word)
    if kind == "=":
        shell.assign(part.name, replacement)
    if kind == "?":
        raise ExpansionProblem(f"{part.name}: {replacement or 'parameter not set'}")
    return replacement


def _home(shell: Shell, letters: str) -> str:
    if letters == "~" or letters.startswith("~/"):
        return (shell.parameter("HOME") or "~") + letters[1:]
    return letters


def _matched(shell: Shell, field_pieces: list[Piece]) -> list[str]:
    if not has_magic(field_pieces) or shell.options["f"]:
        return [plain(field_pieces)]
    components: list[list[Piece]] = [[]]
    for letters, quoted in field_pieces:
        for index, component in enumerate(letters.split("/")):
            if index:
                components[-1].append(("/", True))
                components.append([])
            components[-1].append((component, quoted))
    found = shell.system.files.glob([_component(each) for each in components], shell.cwd)
    return found or [plain(field_pieces)]


def _component(component: list[Piece]) -> tuple[str, bool]:
    """One step of a path in fnmatch's words; the slash behind it stays with it."""
    slash = component[-1:] == [("/", True)]
    inner = component[:-1] if slash else component
    if not has_magic(inner):
        return plain(component), False
    pattern = "".join(
        fnmatch_escape(letters) if quoted else letters.replace("[^", "[!") for letters, quoted in inner
    )
    return pattern + ("/" if slash else ""), True


def fnmatch_escape(letters: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", letters)
