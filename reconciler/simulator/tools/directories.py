"""Tools that make, move, mark and remove files."""

from __future__ import annotations

import errno
import os
import posixpath
import re
import secrets
import string

from reconciler.simulator.nodes import Node, walk
from reconciler.simulator.tools.call import PIECE, Call, Outcome, Usage, paths, program, target


@program("/bin/mkdir", changing=paths)
async def mkdir(call: Call) -> int:
    options, words = call.options("pm:")
    if not words:
        raise Usage("Usage: mkdir [-m MODE] [-p] DIRECTORY...")
    mode = octal(call, options["m"]) if "m" in options else 0o777 & ~call.shell.umask
    outcome = Outcome(call)
    for word in words:
        try:
            _mkdir(call, word, mode, "p" in options)
        except OSError as problem:
            await outcome.failed(f"can't create directory '{word}'", problem)
    return outcome.status


def _mkdir(call: Call, path: str, mode: int, parents: bool) -> None:
    if not parents:
        call.files.mkdir(path, call.cwd, mode)
        return
    done = "/" if path.startswith("/") else ""
    for part in [part for part in path.split("/") if part]:
        done = posixpath.join(done, part)
        node = call.files.find(done, call.cwd)
        if node is None:
            call.files.mkdir(done, call.cwd, mode)
        elif node.kind != "d":
            raise NotADirectoryError(errno.EEXIST if done == path.rstrip("/") else errno.ENOTDIR, "")


def octal(call: Call, text: str) -> int:
    """A mode in octal digits; raises Usage."""
    if not re.fullmatch("[0-7]{1,4}", text):
        raise Usage(f"{call.name}: invalid mode '{text}'")
    return int(text, 8)


@program("/bin/rmdir", changing=paths)
async def rmdir(call: Call) -> int:
    _, words = call.options("")
    outcome = Outcome(call)
    for word in words:
        try:
            call.files.rmdir(word, call.cwd)
        except OSError as problem:
            await outcome.failed(f"'{word}'", problem)
    return outcome.status


@program("/bin/rm", changing=paths)
async def rm(call: Call) -> int:
    options, words = call.options("rRfi")
    if not words and "f" not in options:
        raise Usage("Usage: rm [-irf] FILE...")
    outcome = Outcome(call)
    for word in words:
        node = call.files.find(word, call.cwd, follow=False)
        try:
            if node is None and "f" in options:
                continue
            if node is not None and node.kind == "d":
                if not {"r", "R"} & set(options):
                    outcome.status = 1
                    await call.complain(f"'{word}' is a directory")
                    continue
                await _remove_tree(call, word, outcome)
            else:
                call.files.unlink(word, call.cwd)
        except OSError as problem:
            await outcome.failed(f"can't remove '{word}'", problem)
    return outcome.status


async def _remove_tree(call: Call, path: str, outcome: Outcome) -> None:
    """All that can go goes; what can't is complained about, and the folders above it stay."""
    for name in call.files.names(path, call.cwd):
        child = posixpath.join(path, name)
        if call.files.node(child, call.cwd, follow=False).kind == "d":
            await _remove_tree(call, child, outcome)
            continue
        try:
            call.files.unlink(child, call.cwd)
        except OSError as problem:
            await outcome.failed(f"can't remove '{child}'", problem)
    try:
        call.files.rmdir(path, call.cwd)
    except OSError as problem:
        if problem.errno != errno.ENOTEMPTY or not outcome.status:
            raise


@program("/bin/mv", changing=paths)
async def mv(call: Call) -> int:
    _, words = call.options("fi")
    if len(words) < 2:
        raise Usage("Usage: mv [-fi] SOURCE DEST\nor: mv [-fi] SOURCE... DIRECTORY")
    outcome = Outcome(call)
    for source in words[:-1]:
        destination = inside(call, source, words[-1])
        try:
            try:
                call.files.rename(source, destination, call.cwd)
            except OSError as problem:
                if problem.errno != errno.EXDEV:
                    raise
                copy_tree(call, source, destination, keep=True)
                await _remove_any(call, source, outcome)
        except OSError as problem:
            await outcome.failed(f"can't rename '{source}'", problem)
    return outcome.status


async def _remove_any(call: Call, path: str, outcome: Outcome) -> None:
    if call.files.node(path, call.cwd, follow=False).kind == "d":
        await _remove_tree(call, path, outcome)
    else:
        call.files.unlink(path, call.cwd)


def inside(call: Call, source: str, destination: str) -> str:
    """Where `source` goes: into `destination` when that is a directory."""
    node = call.files.find(destination, call.cwd)
    if node is not None and node.kind == "d":
        return posixpath.join(destination, posixpath.basename(source.rstrip("/")))
    return destination


@program("/bin/cp", changing=target)
async def cp(call: Call) -> int:
    options, words = call.options("pfraRdi")
    if len(words) < 2:
        raise Usage("Usage: cp [OPTIONS] SOURCE... DEST")
    recursive = bool({"r", "R", "a"} & set(options))
    outcome = Outcome(call)
    for source in words[:-1]:
        destination = inside(call, source, words[-1])
        try:
            node = call.files.node(source, call.cwd)
        except OSError as problem:
            await outcome.failed(f"can't stat '{source}'", problem)
            continue
        if node.kind == "d" and not recursive:
            outcome.status = 1
            await call.complain(f"omitting directory '{source}'")
            continue
        try:
            copy_tree(call, source, destination, keep=bool({"p", "a"} & set(options)))
        except OSError as problem:
            await outcome.failed(f"can't create '{destination}'", problem)
    return outcome.status


def copy_tree(call: Call, source: str, destination: str, keep: bool) -> None:
    """Copy a file, or a directory with all in it. `keep`: mode and times too."""
    node = call.files.node(source, call.cwd)
    if node.kind == "d":
        if call.files.find(destination, call.cwd) is None:
            call.files.mkdir(destination, call.cwd, node.mode & 0o777)
        for name in call.files.names(source, call.cwd):
            copy_tree(call, posixpath.join(source, name), posixpath.join(destination, name), keep)
        return
    copied = call.files.for_writing(destination, call.cwd, node.mode & 0o777 & ~call.shell.umask)
    if copied.kind == "c":
        return
    if copied is node:
        raise OSError(errno.EEXIST, "same file")
    copied.truncate(0, call.files.now())
    node.refuse_locked(writing=False)
    for offset in range(0, node.size, PIECE):
        copied.put(offset, node.read_at(offset, PIECE), call.files.now())
    if keep:
        copied.set_mode(node.mode)
        copied.mtime = node.mtime


@program("/bin/ln", changing=target)
async def ln(call: Call) -> int:
    options, words = call.options("sfn")
    if "s" not in options or len(words) != 2:
        raise Usage(
            "ln: hard links are not there on this file system"
            if "s" not in options
            else "Usage: ln [OPTIONS] TARGET LINK"
        )
    link = words[1] if "n" in options else inside(call, words[0], words[1])
    try:
        if "f" in options and call.files.find(link, call.cwd, follow=False) is not None:
            call.files.unlink(link, call.cwd)
        call.files.symlink(words[0], link, call.cwd)
    except OSError as problem:
        raise Usage(f"ln: {link}: {os.strerror(problem.errno or 0)}") from problem
    return 0


@program("/bin/chmod", changing=paths)
async def chmod(call: Call) -> int:
    words = [word for word in call.argv[1:] if word not in ("-R", "--")]
    deep = "-R" in call.argv[1:]
    if len(words) < 2:
        raise Usage("Usage: chmod [-R] MODE[,MODE]... FILE...")
    outcome = Outcome(call)
    for word in words[1:]:
        try:
            top = call.files.node(word, call.cwd)
            call.files.may_change(word, call.cwd)
            for _, node in walk(top, word) if deep else [(word, top)]:
                node.set_mode(changed_mode(call, words[0], node))
        except OSError as problem:
            await outcome.failed(word, problem)
    return outcome.status


def changed_mode(call: Call, text: str, node: Node) -> int:
    """The mode of `node` after `chmod TEXT`; raises Usage."""
    if re.fullmatch("[0-7]{1,4}", text):
        return int(text, 8)
    mode = node.mode
    for clause in text.split(","):
        match = re.fullmatch("([ugoa]*)([-+=])([rwxXst]*)", clause)
        if match is None:
            raise Usage(f"chmod: invalid mode '{text}'")
        bits = _bits(match[1] or "a", match[3])
        if match[2] == "=":
            mode &= ~_bits(match[1] or "a", "rwx")
        mode = mode & ~bits if match[2] == "-" else mode | bits
    return mode


def _bits(who: str, what: str) -> int:
    each = sum({"r": 4, "w": 2, "x": 1, "X": 1}.get(letter, 0) for letter in set(what) - {"X"})
    shifts = {"u": 6, "g": 3, "o": 0}
    bits = 0
    for letter in "ugo" if "a" in who else who:
        bits |= each << shifts[letter]
    if "s" in what:
        bits |= (0o4000 if "u" in who or "a" in who else 0) | (0o2000 if "g" in who or "a" in who else 0)
    return bits | (0o1000 if "t" in what else 0)


@program("/bin/touch", "/usr/bin/touch", changing=paths)
async def touch(call: Call) -> int:
    options, words = call.options("c")
    outcome = Outcome(call)
    for word in words:
        try:
            if call.files.find(word, call.cwd) is None:
                if "c" not in options:
                    call.files.for_writing(word, call.cwd, 0o666 & ~call.shell.umask)
            else:
                call.files.may_change(word, call.cwd)
                call.files.node(word, call.cwd).mtime = call.files.now()
        except OSError as problem:
            await outcome.failed(word, problem)
    return outcome.status


@program("/bin/mktemp", "/usr/bin/mktemp")
async def mktemp(call: Call) -> int:
    options, words = call.options("dqtp:")
    template = words[0] if words else "/tmp/tmp.XXXXXX"
    if not template.endswith("XXXXXX"):
        raise Usage("mktemp: : Invalid argument")
    name = template[:-6] + "".join(secrets.choice(string.ascii_letters) for _ in range(6))
    try:
        call.files.create(name, call.cwd, 0o700 if "d" in options else 0o600, "d" if "d" in options else "f")
    except OSError as problem:
        raise Usage(f"mktemp: : {os.strerror(problem.errno or 0)}") from problem
    await call.out(name + "\n")
    return 0
