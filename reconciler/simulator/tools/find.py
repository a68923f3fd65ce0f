"""find."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Callable

from reconciler.simulator.nodes import Node
from reconciler.simulator.tools.call import Call, Outcome, Usage, program


@program("/usr/bin/find", "/bin/find")
async def find(call: Call) -> int:
    """`find PATH... [-maxdepth N] [-name P] [-type T] [! ...] [-print]`; branched files show their marker too."""
    words = call.argv[1:]
    starts = []
    while words and not words[0].startswith(("-", "!", "(")):
        starts.append(words.pop(0))
    tests, depth = _tests(call, words)
    outcome = Outcome(call)
    for start in starts or ["."]:
        try:
            await _descend(call, start, call.files.node(start, call.cwd, follow=False), tests, depth)
        except OSError as problem:
            await outcome.failed(start, problem)
    return outcome.status


Test = Callable[[str, str], bool]


def _tests(call: Call, words: list[str]) -> tuple[list[Test], int]:
    tests: list[Test] = []
    depth, negated = 1 << 30, False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "!":
            negated = True
            continue
        if word == "-print":
            continue
        if word not in ("-name", "-type", "-maxdepth") or not rest:
            raise Usage(f"find: unrecognized: {word}")
        value = rest.pop(0)
        if word == "-maxdepth":
            depth = int(value) if value.isdigit() else 0
            continue
        test = _test(word, value)
        tests.append((lambda name, kind, test=test: not test(name, kind)) if negated else test)  # type: ignore[misc]
        negated = False
    return tests, depth


def _test(word: str, value: str) -> Test:
    if word == "-name":
        return lambda name, kind: fnmatch.fnmatchcase(name, value)
    return lambda name, kind: kind == value


async def _descend(call: Call, path: str, node: Node, tests: list[Test], depth: int) -> None:
    name = posixpath.basename(path.rstrip("/")) or path
    if all(test(name, node.kind) for test in tests):
        await call.out(path + "\n")
    if node.kind == "f" and node.branched:
        marker = f".#{name}"
        if all(test(marker, "f") for test in tests):
            await call.out(posixpath.join(posixpath.dirname(path), marker) + "\n")
    if node.kind == "d" and depth > 0:
        inner = node.entered()
        for child in list(inner.children):
            await _descend(call, posixpath.join(path, child), inner.children[child], tests, depth - 1)
