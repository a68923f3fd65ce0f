"""Runs simple commands: assignments, functions, builtins and programs, with their redirections."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable
from typing import Any

from reconciler.simulator.shell import expand, redirect
from reconciler.simulator.shell.builtins import BUILTINS, SPECIAL, describe
from reconciler.simulator.shell.process import Exit, ExpansionProblem, Leave, Shell
from reconciler.simulator.shell.redirect import RedirectionProblem, passing
from reconciler.simulator.shell.run import run, runs, source
from reconciler.simulator.shell.streams import Fds
from reconciler.simulator.shell.syntax import Function, Simple
from reconciler.simulator.tools.call import Call


@runs(Simple)
async def simple(shell: Shell, node: Simple) -> int:
    shell.budget.spend()
    await _traps(shell)
    shell.substituted = None
    try:
        argv = await expand.fields(shell, node.words)
        if not argv:
            return await _bare(shell, node)
        status = await _command(shell, node, argv)
    except ExpansionProblem as problem:
        await shell.complain(str(problem))
        raise Exit(2) from problem
    await _traps(shell)
    return checked(shell, status)


async def _traps(shell: Shell) -> None:
    while shell.pending:
        status = shell.status
        await source(shell, shell.traps.get(shell.pending.pop(0), ""))
        shell.status = status


async def _bare(shell: Shell, node: Simple) -> int:
    """Assignments and redirections without a command."""
    for name, word in node.assignments:
        shell.assign(name, await expand.text(shell, word))
    status = shell.substituted or 0
    if node.redirections:
        written = [each for each in node.redirections if redirect.writes(each.operator)]
        status = await opened(shell, node, [":"], bool(written), lambda: _done(status))
    return checked(shell, status)


async def _done(status: int) -> int:
    return status


async def _command(shell: Shell, node: Simple, argv: list[str]) -> int:
    function = shell.functions.get(argv[0]) if argv[0] not in SPECIAL else None
    if function is not None:
        return await opened(shell, node, argv, False, lambda: _function(shell, function, node, argv))
    if argv[0] in BUILTINS:
        return await _builtin(shell, node, argv)
    return await opened(shell, node, argv, None, lambda: start(shell, node, argv))


async def _builtin(shell: Shell, node: Simple, argv: list[str]) -> int:
    if argv[0] == "exec":
        await _become(shell, node, argv)
    kept = await _assigned(shell, node)
    try:
        return await opened(shell, node, argv, None, lambda: guarded(shell, argv))
    finally:
        if argv[0] not in SPECIAL:
            shell.variables.update({name: value for name, value in kept.items() if value is not None})
            for name in [name for name, value in kept.items() if value is None]:
                shell.variables.pop(name, None)


async def guarded(shell: Shell, argv: list[str]) -> int:
    """A builtin runs in the shell itself: a broken pipe ends the shell, unless that signal is ignored."""
    try:
        return await BUILTINS[argv[0]](shell, argv)
    except BrokenPipeError:
        if not shell.ignores("PIPE"):
            raise Exit(141, traps=False) from None
        await shell.complain("write error: Broken pipe")
        return 1
    except OSError as problem:
        await shell.complain(f"write error: {os.strerror(problem.errno or 0)}")
        return 1


async def _assigned(shell: Shell, node: Simple) -> dict[str, str | None]:
    """Do the assignments before a command; returns what the variables were."""
    before: dict[str, str | None] = {}
    for name, word in node.assignments:
        before.setdefault(name, shell.variables.get(name))
        shell.assign(name, await expand.text(shell, word))
    return before


async def _become(shell: Shell, node: Simple, argv: list[str]) -> None:
    """`exec`: its redirections stay; a command takes the place of the shell."""
    fds = shell.fds.copy()
    try:
        await redirect.apply(shell, node.redirections, fds)
    except RedirectionProblem as problem:
        fds.close()
        await shell.complain(str(problem))
        raise Exit(2) from problem
    shell.fds, old = fds, shell.fds
    old.close()
    if len(argv) > 1:
        bare = Simple(node.assignments, (), ())
        raise Exit(
            await opened(shell, bare, argv[1:], None, lambda: start(shell, bare, argv[1:])), traps=False
        )


async def _function(shell: Shell, function: Function, node: Simple, argv: list[str]) -> int:
    await _assigned(shell, node)
    before, shell.positional = shell.positional, argv[1:]
    shell.deeper()
    shell.depth += 1
    shell.locals.append({})
    try:
        return await run(shell, function.body)
    except Leave as left:
        if left.kind != "return":
            raise
        return left.status
    finally:
        shell.depth -= 1
        shell.positional = before
        for name, value in shell.locals.pop().items():
            shell.variables.pop(name, None)
            if value is not None:
                shell.variables[name] = value


async def opened(
    shell: Shell, node: Simple, argv: list[str], changing: bool | None, work: Callable[[], Awaitable[int]]
) -> int:
    """Open the redirections around `work`, as one command that the host records.

    `changing` None: it changes something when the program says so, or when a file is opened for writing.
    """
    program = _known(shell, argv[0]) if argv[0] not in BUILTINS and changing is None else None
    if changing is None:
        changing = bool(program and program.changes(shell, argv)) or await writes(shell, node)

    async def inside() -> int:
        if not node.redirections or argv[0] == "exec":
            return await work()
        fds = shell.fds.copy()
        try:
            await redirect.apply(shell, node.redirections, fds)
        except RedirectionProblem as problem:
            fds.close()
            await shell.complain(str(problem))
            if argv[0] in SPECIAL and argv[0] in BUILTINS:
                raise Exit(1) from problem
            return 1
        return await _with_files(shell, fds, work)

    if program is None and not changing:
        return await inside()
    return await shell.system.command(argv, changing, shell.link, inside)


def _known(shell: Shell, name: str) -> Any:
    try:
        return shell.system.program(name, shell.variables.get("PATH", ""), shell.cwd)
    except OSError:
        return None


async def writes(shell: Shell, node: Simple) -> bool:
    """Whether a redirection opens a file that is not a passing one (/tmp, /dev) for writing."""
    for each in node.redirections:
        if redirect.writes(each.operator):
            target = await expand.text(shell, each.target)
            if not passing(shell, target):
                return True
    return False


async def start(shell: Shell, node: Simple, argv: list[str]) -> int:
    assignments = {name: await expand.text(shell, word) for name, word in node.assignments}
    try:
        program = shell.system.program(argv[0], shell.variables.get("PATH", ""), shell.cwd)
    except OSError as problem:
        missing = problem.errno == errno.ENOENT
        await shell.complain(f"{argv[0]}: {'not found' if missing else os.strerror(problem.errno or 0)}")
        return 127 if missing else 126
    environment = {**shell.environment, **assignments}
    try:
        return int(await program.run(Call(shell, argv, environment)))
    except BrokenPipeError:
        if not shell.ignores("PIPE"):
            return 141
        await shell.complain(f"{argv[0]}: write error: Broken pipe")
        return 1
    except OSError as problem:
        await _said(shell, f"{argv[0]}: write error: {os.strerror(problem.errno or 0)}")
        return 1


async def _said(shell: Shell, text: str) -> None:
    try:
        await shell.fds[2].write((text + "\n").encode("utf-8", "surrogateescape"))
    except OSError:
        return


async def _with_files(shell: Shell, fds: Fds, work: Callable[[], Awaitable[int]]) -> int:
    before, shell.fds = shell.fds, fds
    if shell.final:
        shell.final = False
        before.close()
        return await work()
    try:
        return await work()
    finally:
        if shell.fds is fds:
            shell.fds = before
            fds.close()
        else:
            before.close()


def checked(shell: Shell, status: int) -> int:
    """`set -e`: a failure that nothing tests ends the shell."""
    if status and shell.options["e"] and not shell.tested:
        raise Exit(status)
    return status


async def _run_words(shell: Shell, argv: list[str]) -> int:
    """Run a command by its words, functions left out: `command NAME`."""
    if argv[0] in BUILTINS:
        return await guarded(shell, argv)
    bare = Simple((), (), ())
    return await opened(shell, bare, argv, None, lambda: start(shell, bare, argv))


async def _command_builtin(shell: Shell, argv: list[str]) -> int:
    """`command NAME`, `command -v NAME`."""
    if argv[1:2] in (["-v"], ["-V"]):
        return await describe(shell, argv[2:], argv[1] == "-V")
    return await _run_words(shell, argv[1:]) if argv[1:] else 0


BUILTINS["command"] = _command_builtin
