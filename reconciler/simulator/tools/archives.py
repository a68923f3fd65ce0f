"""tar and diff."""

from __future__ import annotations

import os
import posixpath
import re
import time

from reconciler.simulator.archive import BadArchive, Member, member, pack, unpack
from reconciler.simulator.nodes import Node
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.shell.redirect import passing
from reconciler.simulator.tools.call import Call, Outcome, Usage, contents, program
from reconciler.simulator.tools.listing import permissions


def _words(argv: list[str]) -> list[str]:
    """tar's first word is options with or without a dash."""
    if len(argv) > 1 and not argv[1].startswith("-"):
        return [argv[0], "-" + argv[1], *argv[2:]]
    return argv


def _changes(shell: Shell, argv: list[str]) -> bool:
    """Making an archive changes its file, unpacking changes the folder (`-C`)."""
    words = _words(argv)
    letters = "".join(word[1:] for word in words[1:] if word.startswith("-"))
    if "x" in letters and "O" not in letters:
        folder = next((words[i + 1] for i, word in enumerate(words[:-1]) if word == "-C"), shell.cwd)
        return not passing(shell, posixpath.join(folder, "x"))
    if "c" in letters:
        named = [words[i + 1] for i, word in enumerate(words[:-1]) if re.fullmatch("-[a-zA-Z]*f", word)]
        return any(name != "-" and not passing(shell, name) for name in named)
    return False


@program("/bin/tar", changing=_changes)
async def tar(call: Call) -> int:
    call.argv = _words(call.argv)
    options, words = call.options("cxtzf:C:OvphT")
    if len({"c", "x", "t"} & set(options)) != 1:
        raise Usage("tar: need exactly one of -c, -x, -t" if not words else "BusyBox tar: invalid options")
    base = call.cwd
    if "C" in options:
        try:
            base = call.files.real(options["C"], call.cwd)
        except OSError as problem:
            raise Usage(
                f"tar: can't change directory to '{options['C']}': {os.strerror(problem.errno or 0)}"
            ) from problem
    if "c" in options:
        return await _create(call, options, words, base)
    return await _read(call, options, words, base)


async def _create(call: Call, options: dict[str, str], words: list[str], base: str) -> int:
    if not words:
        raise Usage("tar: empty archive")
    members: list[Member] = []
    outcome = Outcome(call)
    for word in words:
        if word.startswith("/"):
            await call.error("tar: removing leading '/' from member names\n")
        try:
            node = call.files.node(word, base, follow=False)
        except OSError as problem:
            await outcome.failed(word, problem)
            continue
        _collect(call, word, node, base, members)
    data = pack(members, compress="z" in options)
    if "v" in options:
        await call.error("".join(f"{each.name}\n" for each in members))
    name = options.get("f", "-")
    if name == "-":
        await call.out(data)
        return outcome.status
    try:
        call.files.write(name, data, call.cwd, 0o666 & ~call.shell.umask)
    except OSError as problem:
        raise Usage(f"tar: can't open '{name}': {os.strerror(problem.errno or 0)}") from problem
    return outcome.status


def _collect(call: Call, name: str, node: Node, base: str, members: list[Member]) -> None:
    inner = node.entered()
    stored = name.lstrip("/") or "."
    members.append(member(stored + ("/" if inner.kind == "d" else ""), inner))
    for child in sorted(inner.children):
        _collect(call, posixpath.join(name, child), inner.children[child], base, members)


async def _read(call: Call, options: dict[str, str], words: list[str], base: str) -> int:
    members = await _members(call, options)
    wanted = [each for each in members if _wanted(each.name, words)]
    for each in wanted:
        if "t" in options:
            await call.out(_row(each) if "v" in options else f"{_shown(each)}\n")
        elif "O" in options:
            await call.out(each.data)
        else:
            if "v" in options:
                await call.out(f"{each.name}\n")
            _extract(call, each, base)
    for word in words:
        if not any(_wanted(each.name, [word]) for each in members):
            await call.complain(f"{word}: not found in archive")
            return 1
    return 0


async def _members(call: Call, options: dict[str, str]) -> list[Member]:
    name = options.get("f", "-")
    try:
        data = await call.input() if name == "-" else call.files.read(name, call.cwd)
    except OSError as problem:
        raise Usage(f"tar: can't open '{name}': {os.strerror(problem.errno or 0)}") from problem
    if "z" in options and data[:2] != b"\x1f\x8b":
        raise Usage("tar: invalid magic\ntar: short read")
    if not data:
        raise Usage("tar: short read")
    try:
        return unpack(data)
    except BadArchive as problem:
        raise Usage("tar: short read" if "z" in options else "tar: invalid tar magic") from problem


def _wanted(name: str, words: list[str]) -> bool:
    plain = name.rstrip("/")
    return not words or any(
        plain == word.rstrip("/") or plain.startswith(word.rstrip("/") + "/") for word in words
    )


def _shown(each: Member) -> str:
    return each.name.rstrip("/") + "/" if each.kind == "d" else each.name


def _row(each: Member) -> str:
    node_kind = {"f": "-", "d": "d", "l": "l"}[each.kind]
    bits = permissions_of(each.mode)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(each.mtime))
    arrow = f" -> {each.target}" if each.kind == "l" else ""
    return f"{node_kind}{bits} root/root {len(each.data):9d} {stamp} {_shown(each)}{arrow}\n"


def permissions_of(mode: int) -> str:
    """Nine letters, as ls prints them."""
    from reconciler.simulator.nodes import Volume

    return permissions(Node(Volume("tmp", 0), "f", mode))[1:]


def _extract(call: Call, each: Member, base: str) -> None:
    path = posixpath.join(base, each.name.strip("/"))
    try:
        if each.kind == "d":
            if call.files.find(path) is None:
                call.files.makedirs(path, each.mode)
            return
        call.files.makedirs(posixpath.dirname(path))
        if call.files.find(path, follow=False) is not None:
            call.files.unlink(path)
        if each.kind == "l":
            call.files.symlink(each.target, path)
            return
        node = call.files.write(path, each.data, mode=each.mode)
        node.mtime = each.mtime
    except OSError as problem:
        raise Usage(f"tar: can't open '{each.name}': {os.strerror(problem.errno or 0)}") from problem


@program("/usr/bin/diff", "/bin/diff")
async def diff(call: Call) -> int:
    """`diff [-uqN] OLD NEW`: unified, as busybox."""
    from reconciler.simulator.esx.backup import unified

    options, words = call.options("uqN")
    if len(words) != 2:
        raise Usage("Usage: diff [-uqN] FILE1 FILE2", 2)
    outcome = Outcome(call)
    missing = [word for word in words if "N" in options and call.files.find(word, call.cwd) is None]
    found = dict(await contents(call, [word for word in words if word not in missing], outcome))
    if outcome.status:
        return 2
    old, new = found.get(words[0], b""), found.get(words[1], b"")
    if old == new:
        return 0
    if "q" in options:
        await call.out(f"Files {words[0]} and {words[1]} differ\n")
    else:
        await call.out(unified(words[0], words[1], old, new))
    return 1
