"""grep."""

from __future__ import annotations

import re

from reconciler.simulator.shell.streams import decode
from reconciler.simulator.tools.call import Call, Outcome, Usage, program
from reconciler.simulator.tools.regular import regular


@program("/bin/grep", "/bin/egrep", "/bin/fgrep")
async def grep(call: Call) -> int:
    options, words = call.options("cqvinEFxohHlse:w")
    if "e" not in options and not words:
        raise Usage("Usage: grep [-cqvinEFxohHlsw] PATTERN [FILE]...", 2)
    pattern = options["e"] if "e" in options else words.pop(0)
    test = _compiled(call, pattern, options)
    outcome = Outcome(call)
    silent = "s" in options
    found_any = False
    for name in words or ["-"]:
        if silent and name != "-" and call.files.find(name, call.cwd) is None:
            outcome.status = 1
            continue
        for _, data in await _contents(call, name, outcome):
            hits = _hits(decode(data), test, "v" in options)
            found_any = found_any or bool(hits)
            prefix = f"{name}:" if (len(words) > 1 or "H" in options) and "h" not in options else ""
            await _show(call, hits, options, prefix, name, test)
    if found_any and ("q" in options or not outcome.status):
        return 0
    return 2 if outcome.status else 1


async def _contents(call: Call, name: str, outcome: Outcome) -> list[tuple[str, bytes]]:
    if name != "-" and (node := call.files.find(name, call.cwd)) is not None and node.kind == "d":
        await call.complain(f"{name}: Is a directory")
        outcome.status = 1
        return []
    try:
        return [(name, await call.input() if name == "-" else call.files.read(name, call.cwd))]
    except OSError as problem:
        await outcome.failed(name, problem)
        return []


def _compiled(call: Call, pattern: str, options: dict[str, str]) -> re.Pattern[str]:
    fixed = "F" in options or call.name == "fgrep"
    extended = "E" in options or call.name == "egrep"
    try:
        each = [re.escape(line) if fixed else regular(line, extended) for line in pattern.split("\n")]
        expression = "|".join(f"(?:{item})" for item in each) if len(each) > 1 else each[0]
        if "w" in options:
            expression = rf"\b(?:{expression})\b"
        if "x" in options:
            expression = rf"^(?:{expression})$"
        return re.compile(expression, re.IGNORECASE if "i" in options else 0)
    except re.error as problem:
        raise Usage(f"{call.name}: bad regex '{pattern}': {problem.msg}", 2) from problem


def _hits(text: str, test: re.Pattern[str], inverted: bool) -> list[tuple[int, str]]:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [(number, line) for number, line in enumerate(lines, 1) if bool(test.search(line)) != inverted]


async def _show(
    call: Call,
    hits: list[tuple[int, str]],
    options: dict[str, str],
    prefix: str,
    name: str,
    test: re.Pattern[str],
) -> None:
    if "q" in options:
        return
    if "c" in options:
        await call.out(f"{prefix}{len(hits)}\n")
        return
    if "l" in options:
        await call.out(f"{name}\n" if hits else "")
        return
    for number, line in hits:
        head = prefix + (f"{number}:" if "n" in options else "")
        if "o" in options:
            for match in test.finditer(line):
                await call.out(f"{head}{match[0]}\n" if match[0] else "")
        else:
            await call.out(f"{head}{line}\n")
