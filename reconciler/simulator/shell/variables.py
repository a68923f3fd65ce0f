"""Builtins about variables and options: export, local, set, unset, read, umask."""

from __future__ import annotations

import re

from reconciler.simulator.shell.process import Exit, Shell
from reconciler.simulator.shell.streams import decode


async def export_(shell: Shell, argv: list[str]) -> int:
    kept = shell.exported if argv[0] == "export" else shell.readonly
    for word in [word for word in argv[1:] if word != "-p"]:
        name, equals, value = word.partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            await shell.complain(f"{argv[0]}: {word}: bad variable name")
            raise Exit(2)
        if equals:
            shell.assign(name, value)
        kept.add(name)
    if len(argv) == 1:
        for name in sorted(kept):
            await shell.out(f"{argv[0]} {name}='{shell.variables.get(name, '')}'\n")
    return 0


async def local_(shell: Shell, argv: list[str]) -> int:
    if not shell.locals:
        await shell.complain("local: not in a function")
        raise Exit(2)
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        shell.locals[-1].setdefault(name, shell.variables.get(name))
        if equals:
            shell.assign(name, value)
        else:
            shell.variables.pop(name, None)
    return 0


async def unset_(shell: Shell, argv: list[str]) -> int:
    functions = argv[1:2] == ["-f"]
    for name in argv[2:] if argv[1:2] in (["-f"], ["-v"]) else argv[1:]:
        if functions:
            shell.functions.pop(name, None)
        elif name in shell.readonly:
            await shell.complain(f"unset: {name}: is read only")
            raise Exit(2)
        else:
            shell.variables.pop(name, None)
    return 0


async def set_(shell: Shell, argv: list[str]) -> int:
    words = argv[1:]
    while words and re.fullmatch(r"[-+][a-z]+", words[0]):
        word = words.pop(0)
        for letter in word[1:]:
            if letter not in shell.options:
                await shell.complain(f"set: illegal option {word[0]}{letter}")
                raise Exit(2)
            shell.options[letter] = word[0] == "-"
        if not words:
            return 0
    if words[:1] == ["--"]:
        words.pop(0)
    elif not words:
        return 0
    shell.positional = words
    return 0


async def read_(shell: Shell, argv: list[str]) -> int:
    names = [word for word in argv[1:] if word != "-r"]
    raw = "-r" in argv[1:]
    line, ended = await _line(shell, raw)
    values = _split(shell.ifs, line, max(1, len(names)))
    for name, value in zip(names or ["REPLY"], values + [""] * len(names), strict=False):
        shell.assign(name, value)
    return 0 if ended else 1


async def _line(shell: Shell, raw: bool) -> tuple[str, bool]:
    """One line of standard input, taken byte by byte, so that the rest stays for the next command."""
    out = bytearray()
    while True:
        byte = await shell.fds[0].read(1)
        if not byte or byte == b"\n":
            return decode(bytes(out)), bool(byte)
        if byte == b"\\" and not raw:
            byte = await shell.fds[0].read(1)
            if byte == b"\n":
                continue
        out += byte


def _split(ifs: str, line: str, count: int) -> list[str]:
    blanks = "".join(letter for letter in ifs if letter in " \t\n")
    if not ifs:
        return [line]
    letters = re.escape(ifs)
    values: list[str] = []
    rest = line.strip(blanks) if blanks else line
    while len(values) < count - 1 and rest:
        match = re.search(
            f"[{re.escape(blanks)}]*[{letters}][{re.escape(blanks)}]*" if blanks else f"[{letters}]", rest
        )
        if match is None:
            break
        values.append(rest[: match.start()])
        rest = rest[match.end() :]
    return [*values, rest]


async def umask_(shell: Shell, argv: list[str]) -> int:
    if len(argv) == 1:
        await shell.out(f"{shell.umask:04o}\n")
    elif re.fullmatch("[0-7]{1,4}", argv[1]):
        shell.umask = int(argv[1], 8)
    else:
        await shell.complain(f"umask: illegal mode: {argv[1]}")
        return 2
    return 0
