"""Tools that show what stands in the file system."""

from __future__ import annotations

import posixpath
import re
import time

from reconciler.simulator.nodes import Node
from reconciler.simulator.tools.call import Call, Outcome, Usage, program

HALF_YEAR = 6 * 30 * 86400


def permissions(node: Node) -> str:
    """`-rw------T`: kind and mode as ls prints them."""
    bits = "".join(
        letter if node.mode >> (8 - index) & 1 else "-" for index, letter in enumerate("rwxrwxrwx")
    )
    if node.mode & 0o4000:
        bits = bits[:2] + ("s" if bits[2] == "x" else "S") + bits[3:]
    if node.mode & 0o2000:
        bits = bits[:5] + ("s" if bits[5] == "x" else "S") + bits[6:]
    if node.mode & 0o1000:
        bits = bits[:8] + ("t" if bits[8] == "x" else "T")
    return {"f": "-"}.get(node.kind, node.kind) + bits


def _long(call: Call, node: Node, name: str) -> str:
    age = call.host.now() - node.mtime
    form = "%b %e %H:%M" if 0 <= age + 900 < HALF_YEAR else "%b %e  %Y"
    date = time.strftime(form, time.gmtime(node.mtime))
    links = 2 if node.kind == "d" else node.links
    arrow = f" -> {node.target}" if node.kind == "l" else ""
    return f"{permissions(node)} {links:4d} {'root':<8} {'root':<8} {node.size:10d} {date} {name}{arrow}"


@program("/bin/ls")
async def ls(call: Call) -> int:
    options, words = call.options("lad1niLAhtr")
    outcome = Outcome(call)
    singles: list[tuple[str, Node]] = []
    directories: list[tuple[str, Node]] = []
    for word in words or ["."]:
        try:
            follow = "l" not in options or "L" in options or word.endswith("/")
            node = _found(call, word, follow)
            expand = node.kind == "d" and "d" not in options
            (directories if expand else singles).append((word, node))
        except OSError as problem:
            await outcome.failed(word, problem)
    await _rows(call, singles, options)
    for index, (word, node) in enumerate(directories):
        if len(words) > 1:
            await call.out(("\n" if index or singles else "") + f"{word}:\n")
        try:
            await _directory(call, word, node, options)
        except OSError as problem:
            await outcome.failed(word, problem)
    return outcome.status


def _found(call: Call, word: str, follow: bool) -> Node:
    return call.files.node(word, call.cwd, follow)


async def _directory(call: Call, word: str, node: Node, options: dict[str, str]) -> None:
    names = [name for name in node.children if {"a", "A"} & set(options) or not name.startswith(".")]
    entries = [(name, _entry(call, posixpath.join(word, name), "L" in options)) for name in names]
    if "a" in options:
        entries += [(".", node), ("..", _found(call, posixpath.join(word, ".."), True))]
    if "l" in options:
        await call.out(f"total {sum((entry.size + 511) // 512 for _, entry in entries)}\n")
    await _rows(call, entries, options)


def _entry(call: Call, path: str, follow: bool) -> Node:
    node = call.files.node(path, call.cwd, follow=False) if not follow else call.files.find(path, call.cwd)
    return node or call.files.node(path, call.cwd, follow=False)


async def _rows(call: Call, entries: list[tuple[str, Node]], options: dict[str, str]) -> None:
    key = (lambda entry: -entry[1].mtime) if "t" in options else (lambda entry: entry[0])
    for name, node in sorted(entries, key=key, reverse="r" in options):
        row = _long(call, node, name) if "l" in options or "n" in options else name
        if "n" in options:
            row = row.replace("root    ", "0       ")
        await call.out((f"{node.inode:7d} " if "i" in options else "") + row + "\n")


@program("/usr/bin/stat", "/bin/stat")
async def stat(call: Call) -> int:
    options, words = call.options("c:Lf")
    if not words:
        raise Usage("Usage: stat [OPTIONS] FILE...")
    outcome = Outcome(call)
    for word in words:
        try:
            node = call.files.node(word, call.cwd, follow="L" in options)
        except OSError as problem:
            await outcome.failed(f"can't stat '{word}'", problem)
            continue
        if "f" in options:
            volume = node.volume
            await call.out(_volume_text(word, volume.capacity // 4096, volume.free // 4096))
        else:
            await call.out(_formatted(options.get("c", DEFAULT), word, node) + "\n")
    return outcome.status


DEFAULT = (
    "  File: '%n'\n  Size: %s\tBlocks: %b\tIO Block: 131072 %F\nDevice: %Dh\tInode: %i\tLinks: %h\n"
    "Access: (%a/%A)  Uid: (%u/%U)  Gid: (%g/%G)"
)
KINDS = {"f": "regular file", "d": "directory", "l": "symbolic link", "c": "character special file"}


def _volume_text(word: str, total: int, free: int) -> str:
    return (
        f'  File: "{word}"\n    ID: 1        Namelen: 127     Type: UNKNOWN\nBlock size: 4096\n'
        f"Blocks: Total: {total}    Free: {free}    Available: {free}\nInodes: Total: 100000     Free: 90000\n"
    )


def _formatted(form: str, name: str, node: Node) -> str:
    kind = "regular empty file" if node.kind == "f" and not node.size else KINDS.get(node.kind, "file")
    values = {
        "n": name,
        "s": str(node.size),
        "b": str((_taken(node) + 511) // 512),
        "B": "512",
        "F": kind,
        "i": str(node.inode),
        "h": str(node.links),
        "a": f"{node.mode & 0o7777:o}",
        "A": permissions(node),
        "u": "0",
        "U": "root",
        "g": "0",
        "G": "root",
        "Y": str(int(node.mtime)),
        "X": str(int(node.mtime)),
        "Z": str(int(node.mtime)),
        "D": "1",
        "N": f"'{name}' -> '{node.target}'" if node.kind == "l" else f"'{name}'",
        "%": "%",
        "f": f"{ {'f': 0o100000, 'd': 0o40000, 'l': 0o120000}.get(node.kind, 0o20000) | node.mode:x}",
    }
    return re.sub("%(.?)", lambda match: values.get(match[1], match[0]), form)


@program("/bin/readlink", "/usr/bin/readlink")
async def readlink(call: Call) -> int:
    options, words = call.options("fn")
    if len(words) != 1:
        raise Usage("Usage: readlink [-fn] FILE")
    try:
        if "f" in options:
            text = _canonical(call, words[0])
        else:
            node = call.files.node(words[0], call.cwd, follow=False)
            if node.kind != "l":
                return 1
            text = node.target
    except OSError:
        return 1
    await call.out(text + ("" if "n" in options else "\n"))
    return 0


def _canonical(call: Call, path: str) -> str:
    """The real path; its last part need not exist."""
    node = call.files.find(path, call.cwd)
    return call.files.real(path, call.cwd) if node is not None else call.files.place(path, call.cwd)[2]


@program("/usr/bin/du", "/bin/du")
async def du(call: Call) -> int:
    """What files take, not how long they are; `-a` tells of every file, `-s` only of the words."""
    options, words = call.options("ksahm")
    outcome = Outcome(call)
    for word in words or ["."]:
        try:
            node = call.files.node(word, call.cwd)
        except OSError as problem:
            await outcome.failed(word, problem)
            continue
        if node.kind == "d" and "s" not in options:
            await _below(call, word, node, files="a" in options)
        await call.out(f"{_kib(node)}\t{word}\n")
    return outcome.status


async def _below(call: Call, path: str, node: Node, *, files: bool) -> None:
    for name, child in sorted(node.children.items()):
        below = posixpath.join(path, name)
        if child.kind == "d":
            await _below(call, below, child, files=files)
        if child.kind == "d" or files:
            await call.out(f"{_kib(child)}\t{below}\n")


def _kib(node: Node) -> int:
    return (_taken(node) + 1023) // 1024 + sum(_kib(child) for child in node.children.values())


def _taken(node: Node) -> int:
    """The bytes that are charged for a file, and its length for whatever else there is."""
    return node.allocated if node.kind == "f" else node.size
