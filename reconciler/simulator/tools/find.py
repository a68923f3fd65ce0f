"""find."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.simulator.nodes import Node
from reconciler.simulator.tools.call import Call, Outcome, Usage, program

Test = Callable[[str, str, int], bool]
SIZES = {"": 512, "b": 512, "c": 1, "k": 1024}


@dataclass
class Expression:
    """Groups of tests, tried in turn up to the first that fits as a whole. `print` and `prune` are tests that fit
    always; without a `-print` in any group whatever fits is printed."""

    groups: list[list[Test | str]] = field(default_factory=lambda: [[]])
    depth: int = 1 << 30

    def fits(self, name: str, kind: str, size: int) -> tuple[bool, bool]:
        """Whether a file is printed, and whether find stays out of it."""
        printed = pruned = False
        for group in self.groups:
            for test in group:
                if test == "prune":
                    pruned = True
                elif test == "print":
                    printed = True
                elif not isinstance(test, str) and not test(name, kind, size):
                    break
            else:
                return printed or not self._prints, pruned
        return printed, pruned

    @property
    def _prints(self) -> bool:
        return any("print" in group for group in self.groups)


@program("/usr/bin/find", "/bin/find")
async def find(call: Call) -> int:
    """`find PATH... [-maxdepth N] [-name P] [-type T] [-size [+-]N[bck]] [!] [-o] [-prune] [-print]`.

    Branched files show their marker too.
    """
    words = call.argv[1:]
    starts = []
    while words and not words[0].startswith(("-", "!", "(")):
        starts.append(words.pop(0))
    expression = _expression(words)
    outcome = Outcome(call)
    for start in starts or ["."]:
        try:
            node = call.files.node(start, call.cwd, follow=False)
            await _descend(call, start, node, expression, expression.depth)
        except OSError as problem:
            await outcome.failed(start, problem)
    return outcome.status


def _expression(words: list[str]) -> Expression:
    found, negated = Expression(), False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "!":
            negated = True
        elif word == "-o":
            found.groups.append([])
        elif word in ("-print", "-prune"):
            found.groups[-1].append(word[1:])
        elif word in ("-name", "-type", "-maxdepth", "-size") and rest:
            _add(found, word, rest.pop(0), negated)
            negated = False
        else:
            raise Usage(f"find: unrecognized: {word}")
    return found


def _add(found: Expression, word: str, value: str, negated: bool) -> None:
    if word == "-maxdepth":
        found.depth = int(value) if value.isdigit() else 0
        return
    test = _test(word, value)
    found.groups[-1].append((lambda *file: not test(*file)) if negated else test)


def _test(word: str, value: str) -> Test:
    if word == "-name":
        return lambda name, kind, size: fnmatch.fnmatchcase(name, value)
    if word == "-type":
        return lambda name, kind, size: kind == value
    match = re.fullmatch(r"([-+]?)(\d+)([bck]?)", value)
    if match is None:
        raise Usage(f"find: invalid number '{value}'")
    sign, wanted = match[1], int(match[2]) * SIZES[match[3]]
    return lambda name, kind, size: (
        size < wanted if sign == "-" else size > wanted if sign else size == wanted
    )


async def _descend(call: Call, path: str, node: Node, expression: Expression, depth: int) -> None:
    name = posixpath.basename(path.rstrip("/")) or path
    printed, pruned = expression.fits(name, node.kind, node.size)
    if printed:
        await call.out(path + "\n")
    if node.kind == "f" and node.branched:
        marker = f".#{name}"
        if expression.fits(marker, "f", 0)[0]:
            await call.out(posixpath.join(posixpath.dirname(path), marker) + "\n")
    if node.kind == "d" and depth > 0 and not pruned:
        inner = node.entered()
        for child in list(inner.children):
            below = posixpath.join(path, child)
            await _descend(call, below, inner.children[child], expression, depth - 1)
