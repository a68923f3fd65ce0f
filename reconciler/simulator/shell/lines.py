"""Lines of commands that were parsed once, for all hosts of a process: a fleet is asked the same over and over.

What a whole line parses to depends on its own letters alone, as the parser goes from left to right and stops behind
its newline. So a tree that is kept is exactly the one that a parser would find, whatever comes behind. What was read
from a final text is not kept: there the end itself may have closed something.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from reconciler.simulator.shell.parser import Parser
from reconciler.simulator.shell.syntax import Sequence
from reconciler.simulator.shell.words import Incomplete

SHORT = 256
"""Lines with fewer letters are parsed as fast as they are found."""
ROOM = 1 << 20
"""Letters of the lines that are kept; their trees take about 30 times as many bytes."""


class Lines:
    """The trees of the lines that were used last. Farms in several threads may share it."""

    def __init__(self, room: int = ROOM, short: int = SHORT) -> None:
        self._room, self._short = room, short
        self._trees: OrderedDict[str, Sequence] = OrderedDict()
        self._beginnings: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def next(self, text: str, pos: int, final: bool) -> tuple[Sequence | None, int]:
        """The line of commands at `pos` (None: the text ends there), and where the next begins.

        Raises Incomplete where more text is wanted, ShellSyntaxError for what no further text can mend.
        """
        if (known := self._known(text, pos, final)) is not None:
            return known
        parser = Parser(text, final)
        parser.reader.pos = pos
        tree = parser.line()
        line = text[pos : parser.pos]
        if tree is not None and not final and len(line) >= self._short and line.endswith("\n"):
            self._keep(line, tree)
        return tree, parser.pos

    def _known(self, text: str, pos: int, final: bool) -> tuple[Sequence, int] | None:
        with self._lock:
            for line in self._beginnings.get(_beginning(text, pos), ()):
                if text.startswith(line, pos):
                    self._trees.move_to_end(line)
                    return self._trees[line], pos + len(line)
                if not final and len(text) - pos < len(line) and line.startswith(text[pos:]):
                    raise Incomplete("unexpected end of file")
        return None

    def _keep(self, line: str, tree: Sequence) -> None:
        with self._lock:
            if line in self._trees:
                return
            self._trees[line] = tree
            self._beginnings.setdefault(_beginning(line, 0), []).append(line)
            self._room -= len(line)
            while self._room < 0:
                self._forget(self._trees.popitem(last=False)[0])

    def _forget(self, line: str) -> None:
        self._room += len(line)
        siblings = self._beginnings[_beginning(line, 0)]
        siblings.remove(line)
        if not siblings:
            del self._beginnings[_beginning(line, 0)]


def _beginning(text: str, pos: int) -> str:
    """The first physical line from `pos` on, by which lines are found."""
    return text[pos : text.find("\n", pos) + 1]


LINES = Lines()
