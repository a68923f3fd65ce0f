"""What a program of the host sees of its call, and the table of programs."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.simulator.shell.redirect import passing
from reconciler.simulator.shell.streams import encode

if TYPE_CHECKING:
    from reconciler.simulator.files import FileSystem
    from reconciler.simulator.host import Host
    from reconciler.simulator.shell.process import Shell


class Usage(Exception):
    """A call that the program refuses: it prints its text on standard error and ends with `status`."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class Call:
    """One running program."""

    shell: Shell
    argv: list[str]
    environment: dict[str, str]

    @property
    def name(self) -> str:
        return self.argv[0].rsplit("/", 1)[-1]

    @property
    def _refusal(self) -> int:
        """The status with which this tool ends when it does not know an option."""
        return 2 if self.name in ("grep", "egrep", "fgrep", "cmp", "diff", "sort") else 1

    @property
    def host(self) -> Host:
        return self.shell.system  # type: ignore[return-value]

    @property
    def files(self) -> FileSystem:
        return self.shell.system.files

    @property
    def cwd(self) -> str:
        return self.shell.cwd

    async def out(self, data: str | bytes) -> None:
        await self.shell.fds[1].write(encode(data) if isinstance(data, str) else data)

    async def complain(self, text: str) -> None:
        """One line on standard error, behind the program's name."""
        await self.error(f"{self.name}: {text}\n")

    async def error(self, text: str) -> None:
        try:
            await self.shell.fds[2].write(encode(text))
        except OSError:
            return

    async def input(self) -> bytes:
        """All of standard input."""
        out = bytearray()
        while piece := await self.shell.fds[0].read():
            out += piece
        return bytes(out)

    def options_first(self, letters: str) -> tuple[dict[str, str], list[str]]:
        """Like `options`, but the first word that is no option ends them."""
        return self.options(letters, first_only=True)

    def options(self, letters: str, first_only: bool = False) -> tuple[dict[str, str], list[str]]:
        """Options as getopt reads them (`letters` like `ac:`), and the other words; raises Usage."""
        wants = {
            letter: letters[index + 1 : index + 2] == ":"
            for index, letter in enumerate(letters)
            if letter != ":"
        }
        found: dict[str, str] = {}
        rest: list[str] = []
        words = self.argv[1:]
        while words:
            word = words.pop(0)
            if word == "--":
                return found, rest + words
            if not word.startswith("-") or word == "-":
                rest.append(word)
                if first_only:
                    return found, rest + words
                continue
            self._cluster(word[1:], words, wants, found)
        return found, rest

    def _cluster(self, cluster: str, words: list[str], wants: dict[str, bool], found: dict[str, str]) -> None:
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            if letter not in wants:
                kind = "unrecognized option" if letter == "-" else "invalid option --"
                raise Usage(
                    f"{self.name}: {kind} '{letter + cluster if letter == '-' else letter}'", self._refusal
                )
            if not wants[letter]:
                found[letter] = ""
                continue
            if not cluster and not words:
                raise Usage(f"{self.name}: option requires an argument -- '{letter}'", self._refusal)
            found[letter] = cluster or words.pop(0)
            return


@dataclass(frozen=True)
class Program:
    """A program of the host: where it lies, what it does, and whether a call of it changes the host."""

    path: str
    work: Callable[[Call], Awaitable[int]]
    changing: Callable[[Shell, list[str]], bool]
    since: str = "4.1"
    until: str = "99"

    async def run(self, call: Call) -> int:
        try:
            return await self.work(call)
        except Usage as refusal:
            await call.error(str(refusal) + "\n")
            return refusal.status

    def changes(self, shell: Shell, argv: list[str]) -> bool:
        return self.changing(shell, argv)


PROGRAMS: list[Program] = []


def never(shell: Shell, argv: list[str]) -> bool:
    return False


def always(shell: Shell, argv: list[str]) -> bool:
    return True


def paths(shell: Shell, argv: list[str]) -> bool:
    """It changes something when one of its words is a path outside /tmp and /dev."""
    return any(not passing(shell, word) for word in argv[1:] if not word.startswith("-"))


def target(shell: Shell, argv: list[str]) -> bool:
    """It changes something when its last word is a path outside /tmp and /dev."""
    return len(argv) > 1 and not passing(shell, argv[-1])


def program(
    *places: str,
    changing: Callable[[Shell, list[str]], bool] = never,
    since: str = "4.1",
    until: str = "99",
) -> Callable[[Callable[[Call], Awaitable[int]]], Callable[[Call], Awaitable[int]]]:
    """Put a function into the table of programs, at each of `places`."""

    def register(work: Callable[[Call], Awaitable[int]]) -> Callable[[Call], Awaitable[int]]:
        PROGRAMS.extend(Program(place, work, changing, since, until) for place in places)
        return work

    return register


@dataclass
class Outcome:
    """Collects what went wrong with some of many files, as busybox tools do: they go on, and end with 1."""

    call: Call
    status: int = field(default=0)

    async def failed(self, text: str, problem: OSError) -> None:
        self.status = 1
        await self.call.complain(f"{text}: {os.strerror(problem.errno or 0)}")


async def contents(call: Call, names: Iterable[str], outcome: Outcome) -> list[tuple[str, bytes]]:
    """The content of each file (`-`: standard input); what can't be opened is complained about."""
    found = []
    for name in names:
        try:
            found.append((name, await call.input() if name == "-" else call.files.read(name, call.cwd)))
        except OSError as problem:
            if problem.errno == 21:
                outcome.status = 1
                await call.complain("read error: Is a directory")
            else:
                await outcome.failed(f"can't open '{name}'", problem)
    return found


PIECE = 1 << 20


async def pieces(call: Call, name: str) -> AsyncIterator[bytes]:
    """The content of a file (`-`: standard input) as it comes, others running meanwhile; raises OSError."""
    if name == "-":
        while piece := await call.shell.fds[0].read():
            yield piece
        return
    node = call.files.node(name, call.cwd)
    if node.kind == "d":
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    node.refuse_locked(writing=False)
    offset = 0
    while piece := node.read_at(offset, PIECE):
        yield piece
        offset += len(piece)
        await asyncio.sleep(0)
