"""Redirections: what `>`, `<`, `>&` and here-documents do to the open files of a process."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from reconciler.simulator.files import OpenFile
from reconciler.simulator.shell import expand
from reconciler.simulator.shell.streams import Fds, Fixed, Null, Stream, encode
from reconciler.simulator.shell.syntax import Redirection

if TYPE_CHECKING:
    from reconciler.simulator.shell.process import Shell


class RedirectionProblem(Exception):
    """A file that can't be opened; the text is what the shell prints after its name."""


async def apply(shell: Shell, redirections: tuple[Redirection, ...], fds: Fds) -> list[str]:
    """Carry the redirections out on `fds`; returns the paths of files that were opened for writing."""
    written: list[str] = []
    for redirection in redirections:
        target = await expand.text(shell, redirection.target)
        if redirection.operator == "<<":
            fds.set(redirection.fd, Fixed(encode(target)))
        elif redirection.operator in ("<&", ">&"):
            _duplicate(redirection.fd, target, fds)
        else:
            fds.set(redirection.fd, _opened(shell, redirection.operator, target))
            if redirection.operator != "<":
                written.append(target)
    return written


def writes(operator: str) -> bool:
    return operator in (">", ">>", ">|", "<>")


def _duplicate(fd: int, target: str, fds: Fds) -> None:
    if target == "-":
        fds.set(fd, None)
        return
    if not target.isdigit():
        raise RedirectionProblem(f"{target}: bad fd number" if target else "bad fd number")
    try:
        fds.set(fd, fds[int(target)])
    except OSError as problem:
        raise RedirectionProblem(f"{target}: Bad file descriptor") from problem


def _opened(shell: Shell, operator: str, target: str) -> Stream:
    files = shell.system.files
    try:
        node = (
            files.node(target, shell.cwd)
            if operator == "<"
            else files.for_writing(target, shell.cwd, 0o666 & ~shell.umask)
        )
        if node.kind == "c":
            return Null()
        node.volume.reached()
        node.refuse_locked(writing=operator != "<")
        if operator in (">", ">|"):
            node.truncate(0, files.now())
        return OpenFile(node, files.now, append=operator == ">>")
    except OSError as problem:
        verb, missing = ("open", "no such file") if operator == "<" else ("create", "nonexistent directory")
        reason = (
            missing if problem.errno in (errno.ENOENT, errno.ENOTDIR) else os.strerror(problem.errno or 0)
        )
        raise RedirectionProblem(f"can't {verb} {target}: {reason}") from problem


def passing(shell: Shell, path: str) -> bool:
    """Whether `path` lies in /tmp or /dev, where nothing lasts."""
    files = shell.system.files
    try:
        real = files.place(path, shell.cwd)[2]
    except OSError:
        real = os.path.normpath(os.path.join(shell.cwd, path))
    return real.startswith(("/tmp/", "/dev/"))
