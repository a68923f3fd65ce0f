"""Runs a tree, a text or a whole process; what each kind of node does is registered by other modules."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from reconciler.simulator.shell.lines import LINES
from reconciler.simulator.shell.process import Exit, Leave, Shell
from reconciler.simulator.shell.streams import Capture, decode
from reconciler.simulator.shell.syntax import Node, Sequence
from reconciler.simulator.shell.words import ShellSyntaxError

Runner = Callable[[Shell, Any], Awaitable[int]]
RUNNERS: dict[type, Runner] = {}


def runs(kind: type) -> Callable[[Runner], Runner]:
    """Register what a kind of node does."""

    def register(runner: Runner) -> Runner:
        RUNNERS[kind] = runner
        return runner

    return register


async def run(shell: Shell, node: Node) -> int:
    """Run one node; the status is kept in the shell too."""
    status = await RUNNERS[type(node)](shell, node)
    shell.status = status
    return status


async def run_child(child: Shell, node: Node) -> int:
    """Run `node` as the whole work of a process of its own, up to its EXIT trap and end."""

    async def work() -> None:
        await run(child, node)

    return await live(child, work)


async def live(shell: Shell, work: Callable[[], Awaitable[None]]) -> int:
    """The life of a process: its work, its EXIT trap, its end; returns its status."""
    shell.task = asyncio.current_task()
    try:
        traps = True
        try:
            await work()
        except Exit as end:
            shell.status, traps = end.status, end.traps
        except Leave as left:
            shell.status = left.status
        if traps and shell.traps.get("EXIT"):
            await _exit_trap(shell)
        return shell.status
    finally:
        shell.ended()


async def _exit_trap(shell: Shell) -> None:
    status = shell.status
    try:
        await source(shell, shell.traps.pop("EXIT"))
        shell.status = status
    except Exit as end:
        shell.status = end.status


async def source(shell: Shell, text: str) -> int:
    """Run a text in this shell: `eval`, `.`, a trap. Raises Exit(2) after a syntax error."""
    shell.status = at = 0
    while True:
        try:
            line, at = LINES.next(text, at, final=True)
        except ShellSyntaxError as problem:
            await shell.complain(f"syntax error: {problem}")
            raise Exit(2) from problem
        if line is None:
            return shell.status
        await run(shell, line)


async def substitute(shell: Shell, body: Sequence) -> str:
    """`$(...)`: the output of commands, without its last newlines."""
    capture, child = Capture(), shell.fork()
    child.fds.set(1, capture)
    shell.substituted = await run_child(child, body)
    return decode(bytes(capture.data).replace(b"\0", b"")).rstrip("\n")
