"""The commands that the shell does itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

from reconciler.simulator.shell import variables
from reconciler.simulator.shell.conditions import BadCondition, Condition
from reconciler.simulator.shell.printing import BadFormat, Printf, echo
from reconciler.simulator.shell.process import SIGNALS, Exit, Leave, Shell
from reconciler.simulator.shell.run import source
from reconciler.simulator.shell.streams import decode

SPECIAL = {
    ":",
    ".",
    "break",
    "continue",
    "eval",
    "exec",
    "exit",
    "export",
    "readonly",
    "return",
    "set",
    "shift",
    "trap",
    "unset",
}


async def _true(shell: Shell, argv: list[str]) -> int:
    return 0


async def _false(shell: Shell, argv: list[str]) -> int:
    return 1


async def _echo(shell: Shell, argv: list[str]) -> int:
    await shell.fds[1].write(echo(argv[1:]))
    return 0


async def _printf(shell: Shell, argv: list[str]) -> int:
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if not words:
        await shell.complain("usage: printf FORMAT [ARG]...")
        return 1
    call = Printf(words[0], words[1:])
    try:
        await shell.fds[1].write(call.printed())
    except BadFormat as problem:
        await shell.complain(str(problem))
        return 1
    for problem_text in call.problems:
        await shell.complain(problem_text)
    return 1 if call.problems else 0


async def _test(shell: Shell, argv: list[str]) -> int:
    words = argv[1:]
    if argv[0] == "[":
        if words[-1:] != ["]"]:
            await shell.complain("missing ]")
            return 2
        words = words[:-1]
    try:
        return int(not Condition(shell, words).holds())
    except BadCondition as problem:
        await shell.complain(str(problem))
        return 2


async def _cd(shell: Shell, argv: list[str]) -> int:
    target = argv[1] if len(argv) > 1 else shell.variables.get("HOME", "/")
    printed = target == "-"
    target = shell.variables.get("OLDPWD", "") if printed else target
    try:
        node, real = shell.system.files.node(target, shell.cwd), shell.system.files.real(target, shell.cwd)
        if node.kind != "d":
            raise NotADirectoryError(20, "Not a directory")
    except OSError as problem:
        await shell.complain(f"cd: can't cd to {target}: {os.strerror(problem.errno or 0)}")
        return 1
    shell.variables["OLDPWD"], shell.cwd = shell.cwd, real
    shell.variables["PWD"] = real
    if printed:
        await shell.out(real + "\n")
    return 0


async def _pwd(shell: Shell, argv: list[str]) -> int:
    await shell.out(shell.cwd + "\n")
    return 0


async def _exit(shell: Shell, argv: list[str]) -> int:
    raise Exit(_status(argv, shell.status))


async def _return(shell: Shell, argv: list[str]) -> int:
    raise Leave("return", 0, _status(argv, shell.status))


def _status(argv: list[str], otherwise: int) -> int:
    if len(argv) < 2:
        return otherwise
    if not argv[1].isdigit():
        raise Exit(2)
    return int(argv[1]) & 255


async def _leave(shell: Shell, argv: list[str]) -> int:
    if not shell.loops:
        return 0
    levels = min(int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else 1, shell.loops)
    raise Leave(argv[0], levels)


async def _shift(shell: Shell, argv: list[str]) -> int:
    count = int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else 1
    if count > len(shell.positional):
        return 1
    del shell.positional[:count]
    return 0


async def _eval(shell: Shell, argv: list[str]) -> int:
    return await source(shell, " ".join(argv[1:]))


async def _source(shell: Shell, argv: list[str]) -> int:
    try:
        text = decode(shell.system.files.read(argv[1], shell.cwd)) if len(argv) > 1 else ""
    except OSError:
        await shell.complain(f".: can't open '{argv[1]}'")
        raise Exit(2) from None
    return await source(shell, text)


async def _trap(shell: Shell, argv: list[str]) -> int:
    if len(argv) == 1:
        for signal, action in shell.traps.items():
            await shell.out(f"trap -- '{action}' {signal}\n")
        return 0
    resets = len(argv) == 2 or argv[1] == "-"
    for word in argv[1:] if len(argv) == 2 else argv[2:]:
        name = _signal(word)
        if name is None:
            await shell.complain(f"trap: {word}: invalid signal specification")
            return 1
        if resets:
            shell.traps.pop(name, None)
        else:
            shell.traps[name] = argv[1]
    return 0


def _signal(word: str) -> str | None:
    upper = word.upper().removeprefix("SIG")
    if upper in SIGNALS:
        return upper
    return next((name for name, number in SIGNALS.items() if str(number) == word), None)


async def _kill(shell: Shell, argv: list[str]) -> int:
    words, name = argv[1:], "TERM"
    if words and words[0].startswith("-") and words[0] != "--":
        option = words.pop(0)[1:]
        option = words.pop(0) if option == "s" and words else option
        known = "PROBE" if option == "0" else _signal(option)
        if known is None:
            await shell.complain(f"kill: bad signal name '{option}'")
            return 1
        name = known
    status = 0
    for word in words:
        target = shell.system.processes.get(int(word)) if word.isdigit() else None
        if target is None:
            await shell.complain(f"kill: can't kill pid {word}: No such process")
            status = 1
        elif name != "PROBE":
            target.signal(name)
    return status


async def _wait(shell: Shell, argv: list[str]) -> int:
    wanted = [int(word) for word in argv[1:] if word.isdigit()]
    status = 0
    for pid in wanted or list(shell.jobs):
        task = shell.jobs.pop(pid, None)
        if task is None:
            status = 127
            continue
        await asyncio.wait([task])
        status = 143 if task.cancelled() else task.result()
    return status if wanted else 0


async def _type(shell: Shell, argv: list[str]) -> int:
    return await describe(shell, argv[1:], True)


async def describe(shell: Shell, names: list[str], long: bool) -> int:
    """`command -v`, `command -V` (long) and `type`."""
    status = 0
    for name in names:
        short, sentence = _meaning(shell, name)
        if short is None:
            status = 127
            if long:
                await shell.out(f"{name}: not found\n")
        else:
            await shell.out(f"{name} is {sentence}\n" if long else short + "\n")
    return status


def _meaning(shell: Shell, name: str) -> tuple[str | None, str]:
    if name in shell.functions:
        return name, "a shell function"
    if name in BUILTINS:
        return name, "a special shell builtin" if name in SPECIAL else "a shell builtin"
    try:
        path = shell.system.program(name, shell.variables.get("PATH", ""), shell.cwd).path
    except OSError:
        return None, ""
    return path, path


BUILTINS: dict[str, Callable[[Shell, list[str]], Awaitable[int]]] = {
    ":": _true,
    "true": _true,
    "false": _false,
    "echo": _echo,
    "printf": _printf,
    "test": _test,
    "[": _test,
    "cd": _cd,
    "pwd": _pwd,
    "exit": _exit,
    "return": _return,
    "break": _leave,
    "continue": _leave,
    "export": variables.export_,
    "readonly": variables.export_,
    "local": variables.local_,
    "unset": variables.unset_,
    "set": variables.set_,
    "shift": _shift,
    "eval": _eval,
    ".": _source,
    "source": _source,
    "trap": _trap,
    "kill": _kill,
    "wait": _wait,
    "read": variables.read_,
    "umask": variables.umask_,
    "type": _type,
    "exec": _true,
}
