"""A process of the simulated shell: its variables, files, traps and children."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reconciler.simulator.shell.streams import Fds, Stream, encode
from reconciler.simulator.shell.syntax import Function

if TYPE_CHECKING:
    from reconciler.simulator.files import FileSystem

SIGNALS = {
    "EXIT": 0,
    "HUP": 1,
    "INT": 2,
    "QUIT": 3,
    "KILL": 9,
    "USR1": 10,
    "USR2": 12,
    "PIPE": 13,
    "ALRM": 14,
    "TERM": 15,
}
MAX_STEPS = 500_000
MAX_DEPTH = 60


class ExpansionProblem(Exception):
    """A word that can't be expanded; the text is what the shell prints after its name."""


class Exit(Exception):
    """The process ends with `status`. `traps`: whether its EXIT trap still runs."""

    def __init__(self, status: int, traps: bool = True) -> None:
        super().__init__(status)
        self.status, self.traps = status, traps


class Leave(Exception):
    """`break` or `continue` of `levels` loops, or `return` from a function (levels 0)."""

    def __init__(self, kind: str, levels: int = 0, status: int = 0) -> None:
        super().__init__(kind)
        self.kind, self.levels, self.status = kind, levels, status


class Link(Protocol):
    """The connection that a process talks over."""

    def cut(self) -> None:
        """Cut it: nothing more arrives, nothing more is sent."""


class System(Protocol):
    """What the shell needs of the host that it runs on."""

    files: FileSystem

    def new_pid(self) -> int: ...

    def program(self, name: str, path: str, cwd: str) -> Any:
        """The program that a command name means: something with `run` and `changes`; None when there is none.

        Raises OSError when there is something that can't be run.
        """

    def spawn(self, work: Awaitable[int]) -> asyncio.Task[int]: ...

    async def command(
        self, argv: list[str], changing: bool, link: Link | None, work: Callable[[], Awaitable[int]]
    ) -> int:
        """Run one simple command, with the faults that fall due at it, and record it."""

    @property
    def processes(self) -> dict[int, Shell]: ...


@dataclass
class Budget:
    """Bounds a runaway script: all processes of one session share it."""

    steps: int = MAX_STEPS

    def spend(self) -> None:
        self.steps -= 1
        if self.steps <= 0:
            raise Exit(137, traps=False)


@dataclass
class Shell:
    """One shell process."""

    system: System
    fds: Fds
    variables: dict[str, str]
    exported: set[str]
    link: Link | None = None
    name: str = "sh"
    cwd: str = "/"
    positional: list[str] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    options: dict[str, bool] = field(default_factory=lambda: {"e": False, "u": False, "f": False, "x": False})
    traps: dict[str, str] = field(default_factory=dict)
    readonly: set[str] = field(default_factory=set)
    umask: int = 0o022
    status: int = 0
    substituted: int | None = None
    tested: int = 0
    depth: int = 0
    loops: int = 0
    main_pid: int = 0
    background_pid: int | None = None
    jobs: dict[int, asyncio.Task[int]] = field(default_factory=dict)
    locals: list[dict[str, str | None]] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)
    final: bool = False
    """Whether its one command has the process for itself: the files that a redirection replaces are closed then."""
    pid: int = 0
    task: asyncio.Task[Any] | None = None

    def __post_init__(self) -> None:
        self.pid = self.system.new_pid()
        self.main_pid = self.main_pid or self.pid
        self.system.processes[self.pid] = self

    # -- variables -------------------------------------------------------------------------------------------

    @property
    def ifs(self) -> str:
        return self.variables.get("IFS", " \t\n")

    def parameter(self, name: str) -> str | None:
        """The value of a variable, positional or special parameter; None when it is not set."""
        if name.isidentifier():
            return self.variables.get(name)
        special: dict[str, Callable[[], str]] = {
            "?": lambda: str(self.status),
            "$": lambda: str(self.main_pid),
            "#": lambda: str(len(self.positional)),
            "!": lambda: "" if self.background_pid is None else str(self.background_pid),
            "0": lambda: self.name,
            "-": lambda: "".join(letter for letter, on in self.options.items() if on),
            "@": lambda: " ".join(self.positional),
            "*": lambda: self.ifs[:1].join(self.positional),
        }
        if name in special:
            value = special[name]()
            return None if name in "@*!" and not value else value
        if name.isdigit():
            index = int(name)
            return self.positional[index - 1] if index <= len(self.positional) else None
        return self.variables.get(name)

    def assign(self, name: str, value: str) -> None:
        if name in self.readonly:
            raise ExpansionProblem(f"{name}: is read only")
        self.variables[name] = value

    @property
    def environment(self) -> dict[str, str]:
        return {name: self.variables[name] for name in self.exported if name in self.variables}

    # -- processes -------------------------------------------------------------------------------------------

    def fork(self) -> Shell:
        """A subshell: a copy of everything; traps other than `ignore` are reset."""
        self.deeper()
        return Shell(
            self.system,
            self.fds.copy(),
            dict(self.variables),
            set(self.exported),
            self.link,
            self.name,
            self.cwd,
            list(self.positional),
            dict(self.functions),
            dict(self.options),
            {signal: action for signal, action in self.traps.items() if not action},
            set(self.readonly),
            self.umask,
            self.status,
            None,
            self.tested,
            self.depth + 1,
            self.loops,
            self.main_pid,
            self.background_pid,
            locals=[dict(each) for each in self.locals],
            budget=self.budget,
        )

    def deeper(self) -> None:
        """Refuse what nests without end."""
        if self.depth >= MAX_DEPTH:
            raise Exit(2, traps=False)

    def ended(self) -> None:
        """The process is gone: its files are closed."""
        self.fds.close()
        self.system.processes.pop(self.pid, None)

    def ignores(self, signal: str) -> bool:
        return self.traps.get(signal) == ""

    def signal(self, name: str) -> None:
        """Send this process a signal: its trap runs before its next command, the default is to end."""
        if name == "EXIT" or self.ignores(name):
            return
        if name in self.traps and name != "KILL":
            self.pending.append(name)
        elif self.task is not None:
            self.task.cancel(name)

    # -- output ----------------------------------------------------------------------------------------------

    async def out(self, text: str) -> None:
        await self.fds[1].write(encode(text))

    async def complain(self, text: str) -> None:
        """One line on standard error, behind the shell's name."""
        try:
            await self.fds[2].write(encode(f"{self.name}: {text}\n"))
        except OSError:
            return


def standard(stdin: Stream, stdout: Stream, stderr: Stream) -> Fds:
    """The three files that a process starts with."""
    return Fds({0: stdin, 1: stdout, 2: stderr})
