"""`sh`, and files that a user made runnable."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.simulator.nodes import Node
from reconciler.simulator.shell.lines import LINES
from reconciler.simulator.shell.process import Exit, Leave, Shell
from reconciler.simulator.shell.run import live, run, source
from reconciler.simulator.shell.streams import Stream, decode, encode
from reconciler.simulator.shell.words import Incomplete, ShellSyntaxError
from reconciler.simulator.tools.call import Call, program

if TYPE_CHECKING:
    pass

CHUNK = 1023
MAX_SCRIPT = 8 << 20


@dataclass(frozen=True)
class Script:
    """A runnable file of a user."""

    path: str
    node: Node

    def changes(self, shell: Shell, argv: list[str]) -> bool:
        return False

    async def run(self, call: Call) -> int:
        text = decode(self.node.data)
        return await _child(call, self.path, call.argv[1:], lambda shell: source(shell, text))


@program("/bin/sh", "/bin/ash")
async def sh(call: Call) -> int:
    """`sh -c TEXT`, `sh FILE`, `sh -s`, or a script on standard input."""
    words, text, options = call.argv[1:], None, set()
    while words and words[0][:1] == "-" and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            break
        options |= set(word[1:])
    if unknown := options - set("cseufx"):
        await call.error(f"sh: invalid option -- '{sorted(unknown)[0]}'\n")
        return 2
    if "c" in options:
        if not words:
            await call.error("sh: -c requires an argument\n")
            return 2
        text, name, words = words[0], (words[1:2] or ["sh"])[0], words[2:]
    elif words and "s" not in options:
        name, words = words[0], words[1:]
        try:
            text = decode(call.files.read(name, call.cwd))
        except OSError as problem:
            await call.error(f"sh: can't open '{name}': {os.strerror(problem.errno or 0)}\n")
            return 2
    else:
        name = "sh"

    async def work(shell: Shell) -> int:
        shell.options.update(dict.fromkeys(options & set("eufx"), True))
        return await source(shell, text) if text is not None else await from_stdin(shell)

    return await _child(call, name, words, work)


async def _child(call: Call, name: str, words: list[str], work: Callable[[Shell], Awaitable[int]]) -> int:
    """A new shell with the environment of the call and nothing else of its parent."""
    parent = call.shell
    parent.deeper()
    child = Shell(
        parent.system,
        parent.fds.copy(),
        dict(call.environment),
        set(call.environment),
        parent.link,
        name,
        parent.cwd,
        words,
        traps={signal: action for signal, action in parent.traps.items() if not action},
        umask=parent.umask,
        depth=parent.depth + 1,
        budget=parent.budget,
    )

    async def inside() -> None:
        await work(child)

    async def life() -> int:
        return await live(child, inside)

    return await parent.system.spawn(life())


async def from_stdin(shell: Shell) -> int:
    """Run a script from standard input, line by line, as it arrives. What is cut off in the middle is not run."""
    stdin = shell.fds[0]
    text, ended = "", False
    while True:
        whole = text if ended else text[: text.rfind("\n") + 1]
        try:
            line, end = LINES.next(whole, 0, ended) if whole else (None, 0)
        except Incomplete as problem:
            if ended:
                raise await _syntax_error(shell, problem) from problem
            line = None
        except ShellSyntaxError as problem:
            raise await _syntax_error(shell, problem) from problem
        if line is not None:
            text = text[end:]
            await _line(shell, line)
        elif ended:
            return shell.status
        else:
            piece = await _more(stdin, len(encode(text)))
            ended = not piece
            text = decode(encode(text) + piece)


async def _line(shell: Shell, line: object) -> None:
    try:
        await run(shell, line)  # type: ignore[arg-type]
    except Leave as left:
        if left.kind == "return":
            raise Exit(left.status) from left


async def _syntax_error(shell: Shell, problem: ShellSyntaxError) -> Exit:
    await shell.complain(f"syntax error: {problem}")
    return Exit(2)


async def _more(stdin: Stream, have: int) -> bytes:
    """The next piece of a script; of a long one that is there already, at least as much as was read before."""
    piece = await stdin.read(CHUNK)
    while piece and len(piece) < have and stdin.pending():
        more = await stdin.read(CHUNK)
        if not more:
            break
        piece += more
        if have + len(piece) > MAX_SCRIPT:
            raise Exit(2)
    return piece
