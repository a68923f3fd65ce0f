"""Parsed lines that are kept: what comes out is what a parser finds, however the text arrives."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.simulator.shell.lines import Lines
from reconciler.simulator.shell.parser import Parser
from reconciler.simulator.shell.syntax import Sequence
from reconciler.simulator.shell.words import Incomplete, ShellSyntaxError

PIECES = (
    "echo a",
    "f() {\necho $1\n}",
    "f() {\necho $1\n}; echo b",
    "f() {\necho $2\n}",
    "( cat /etc/hosts\n) </dev/null",
    "cat <<E\nhello\nE",
    "case $x in\na) echo 1;;\nesac",
    "if true; then\n:\nfi",
    "# a comment",
    "",
    "echo 'half\nof it'",
    ") bad",
)
scripts = st.lists(st.sampled_from(PIECES), max_size=6).map(lambda lines: "".join(f"{it}\n" for it in lines))


def anew(text: str, final: bool) -> list[Sequence | type[Exception]]:
    """All lines of a text from one parser, and what ends it."""
    parser, found = Parser(text, final), list[Sequence | type[Exception]]()
    try:
        while (line := parser.line()) is not None:
            found.append(line)
    except ShellSyntaxError as problem:
        found.append(type(problem))
    return found


def kept(lines: Lines, text: str, final: bool) -> list[Sequence | type[Exception]]:
    """The same from lines that are kept."""
    at, found = 0, list[Sequence | type[Exception]]()
    try:
        while True:
            line, at = lines.next(text, at, final)
            if line is None:
                return found
            found.append(line)
    except ShellSyntaxError as problem:
        found.append(type(problem))
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(scripts, st.integers(0, 40), st.booleans()), max_size=6), st.integers(1, 200))
@example([("f() {\necho $1\n}\n", 0, False), ("f() {\necho $1\n}; echo b\n", 0, True)], 200)
@example([("cat <<E\nhello\nE\n", 8, True), ("cat <<E\nhello\nE\n", 0, False)], 200)
def test_kept_lines_are_those_of_a_parser(asked: list[tuple[str, int, bool]], room: int) -> None:
    lines = Lines(room, short=1)
    for text, cut, final in asked:
        part = text[: len(text) - cut] if cut < len(text) else text
        part = part[: part.rfind("\n") + 1]
        assert kept(lines, part, final) == anew(part, final)


def test_a_line_that_nothing_can_begin_with_is_an_error_wherever_it_stands() -> None:
    assert anew(") bad\n", True) == [ShellSyntaxError]
    assert anew("echo a\n) bad\n", True)[1:] == [ShellSyntaxError]


def test_a_known_line_that_has_not_arrived_whole_is_waited_for() -> None:
    lines = Lines(short=1)
    tree, _ = lines.next("f() {\necho a\n}\n", 0, False)
    assert kept(lines, "f() {\necho a\n", False) == [Incomplete]
    assert lines.next("f() {\necho a\n}\necho b\n", 0, False)[0] is tree
