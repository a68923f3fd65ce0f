"""Runs lists and compound commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from reconciler.simulator.shell import expand
from reconciler.simulator.shell.commands import checked, opened, writes
from reconciler.simulator.shell.patterns import matches
from reconciler.simulator.shell.process import SIGNALS, Leave, Shell
from reconciler.simulator.shell.run import run, run_child, runs
from reconciler.simulator.shell.streams import Null, Pipe
from reconciler.simulator.shell.syntax import (
    AndOr,
    Case,
    For,
    Function,
    If,
    Loop,
    Node,
    Pipeline,
    Redirected,
    Sequence,
    Simple,
    Subshell,
)

# -- lists -----------------------------------------------------------------------------------------------------


@runs(Sequence)
async def _sequence(shell: Shell, node: Sequence) -> int:
    status = shell.status if not node.items else 0
    for item, background in node.items:
        status = _in_background(shell, item) if background else await run(shell, item)
    return status


def _in_background(shell: Shell, node: Node) -> int:
    child = shell.fork()
    child.fds.set(0, Null())
    child.tested = 0
    # what runs in the background is no part of the conversation: it outlives a link that is cut
    child.link = None
    child.final = isinstance(node, Redirected | Simple)
    task = shell.system.spawn(run_child(child, node))
    child.task = task
    shell.background_pid = child.pid
    shell.jobs[child.pid] = task
    return 0


@runs(AndOr)
async def _and_or(shell: Shell, node: AndOr) -> int:
    status = await _tested(shell, node.first)
    for index, (operator, command) in enumerate(node.rest):
        if (status == 0) == (operator == "&&"):
            last = index == len(node.rest) - 1
            status = await (run(shell, command) if last else _tested(shell, command))
    return status


async def _tested(shell: Shell, node: Node) -> int:
    """Run something whose failure does not end the shell under `set -e`."""
    shell.tested += 1
    try:
        return await run(shell, node)
    finally:
        shell.tested -= 1


@runs(Pipeline)
async def _pipeline(shell: Shell, node: Pipeline) -> int:
    if len(node.commands) == 1:
        return int(not await _tested(shell, node.commands[0]))
    tasks, source_end = [], None
    for index, command in enumerate(node.commands):
        child = shell.fork()
        if source_end is not None:
            child.fds.set(0, source_end)
        if index < len(node.commands) - 1:
            pipe = Pipe()
            child.fds.set(1, pipe.writer)
            source_end = pipe.reader
        task = shell.system.spawn(run_child(child, command))
        child.task = task
        tasks.append(task)
    statuses = await asyncio.gather(*(_waited(task) for task in tasks))
    status = statuses[-1]
    return int(not status) if node.negated else checked(shell, status)


async def _waited(task: asyncio.Task[int]) -> int:
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError as gone:
        if not task.cancelled():
            task.cancel()
            raise
        return 128 + SIGNALS.get(str(gone), 9)


# -- compound commands -----------------------------------------------------------------------------------------


@runs(Subshell)
async def _subshell(shell: Shell, node: Subshell) -> int:
    child = shell.fork()
    task = shell.system.spawn(run_child(child, node.body))
    return checked(shell, await _waited(task))


@runs(If)
async def _if(shell: Shell, node: If) -> int:
    for condition, body in node.arms:
        if await _tested(shell, condition) == 0:
            return await run(shell, body)
    return await run(shell, node.otherwise) if node.otherwise else 0


@runs(Loop)
async def _loop(shell: Shell, node: Loop) -> int:
    async def rounds() -> int:
        status = 0
        while (await _tested(shell, node.condition) == 0) != node.until:
            shell.budget.spend()
            await asyncio.sleep(0)
            status = await _round(shell, node.body)
        return status

    return await _looping(shell, rounds)


@runs(For)
async def _for(shell: Shell, node: For) -> int:
    words = list(shell.positional) if node.words is None else await expand.fields(shell, node.words)

    async def rounds() -> int:
        status = 0
        for word in words:
            shell.budget.spend()
            shell.assign(node.name, word)
            status = await _round(shell, node.body)
        return status

    return await _looping(shell, rounds)


async def _looping(shell: Shell, rounds: Callable[[], Awaitable[int]]) -> int:
    shell.loops += 1
    try:
        return await rounds()
    except Leave as left:
        if left.kind == "break" and left.levels <= 1:
            return 0
        if left.kind == "break":
            raise Leave("break", left.levels - 1) from left
        raise
    finally:
        shell.loops -= 1


async def _round(shell: Shell, body: Sequence) -> int:
    try:
        return await run(shell, body)
    except Leave as left:
        if left.kind == "continue" and left.levels <= 1:
            return 0
        if left.kind == "continue":
            raise Leave("continue", left.levels - 1) from left
        raise


@runs(Case)
async def _case(shell: Shell, node: Case) -> int:
    subject = await expand.text(shell, node.subject)
    for patterns, body in node.arms:
        for pattern in patterns:
            if matches(await expand.pieces(shell, pattern), subject):
                return await run(shell, body) if body.items else 0
    return 0


@runs(Function)
async def _define(shell: Shell, node: Function) -> int:
    shell.functions[node.name] = node
    return 0


@runs(Redirected)
async def _redirected(shell: Shell, node: Redirected) -> int:
    simple = Simple((), (), node.redirections)
    if await writes(shell, simple):
        return await opened(shell, simple, ["{"], True, lambda: run(shell, node.body))
    return checked(shell, await opened(shell, simple, ["{"], False, lambda: run(shell, node.body)))
