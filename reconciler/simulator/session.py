"""One exec request: the user's login shell runs it, over the streams of an SSH channel."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import asyncssh

from reconciler.simulator.output import Output
from reconciler.simulator.shell.process import Shell, standard
from reconciler.simulator.shell.run import live, source
from reconciler.simulator.shell.streams import READ_SIZE, Stream

if TYPE_CHECKING:
    from reconciler.simulator.host import Host
    from reconciler.simulator.sshd import Door

HELD_SECONDS = 3600.0


class Session:
    """The link of a session's processes to the client."""

    def __init__(self, host: Host, door: Door, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self._host, self._door, self._process = host, door, process
        self.lost = False
        self.released = asyncio.Event()
        self.holders = 0
        self.output = Output(process)

    def cut(self) -> None:
        """The connection is gone: reading ends, writing is a broken pipe."""
        if not self.lost:
            self.lost = True
            self.output.flush()
            self._door.cut()

    def count(self, size: int) -> None:
        """Bytes have passed: a fault may cut the link over them."""
        if self._host.faults.passed(size):
            self.cut()

    async def run(self, peer: str) -> None:
        """Serve the request, and tell the client the status."""
        command = self._process.command if self._door.forced is None else self._door.forced
        if command is None or self._process.get_terminal_type() is not None:
            self._process.stderr.write(
                b"simulated host: interactive shells are not simulated; name a command\r\n"
            )
            self._process.exit(1)
            return
        self._host.execs += 1
        status = await self._shell(command, peer)
        await self._finish(status)

    async def _shell(self, command: str, peer: str) -> int:
        shell = self._login_shell(command, peer)

        async def work() -> None:
            if self._host.faults.get("flood") is not None:
                await _flood(shell)
            await source(shell, command)

        try:
            return await self._host.spawn(live(shell, work))
        except asyncio.CancelledError:
            return 137

    def _login_shell(self, command: str, peer: str) -> Shell:
        port = self._process.get_extra_info("peername")[1]
        local = self._process.get_extra_info("sockname")
        variables = {
            "HOME": "/",
            "USER": "root",
            "LOGNAME": "root",
            "SHELL": "/bin/sh",
            "PATH": "/bin:/sbin:/usr/bin:/usr/sbin",
            "SSH_CLIENT": f"{peer} {port} {local[1]}",
            "SSH_CONNECTION": f"{peer} {port} {local[0]} {local[1]}",
        }
        if self._door.forced is not None and self._process.command is not None:
            variables["SSH_ORIGINAL_COMMAND"] = self._process.command
        fds = standard(_In(self, self._process.stdin), _Out(self, 1), _Out(self, 2))
        return Shell(self._host, fds, variables, set(variables), self)

    async def _finish(self, status: int) -> None:
        """The channel closes when nothing holds its output any more, as sshd waits for it."""
        self.output.flush()
        if self.lost:
            return
        if self.holders:
            await asyncio.wait_for(self.released.wait(), HELD_SECONDS)
            self.output.flush()
        try:
            self._process.exit(status & 255)
        except (OSError, asyncssh.Error):
            return


async def _flood(shell: Shell) -> None:
    while True:
        await shell.fds[1].write(b"flood " * 1000 + b"\n")
        await asyncio.sleep(0)


class _In(Stream):
    def __init__(self, session: Session, reader: asyncssh.SSHReader[bytes]) -> None:
        super().__init__()
        self._session, self._reader = session, reader

    async def read(self, size: int = READ_SIZE) -> bytes:
        if self._session.lost:
            return b""
        if not self.pending():
            self._session.output.flush()
        try:
            piece: bytes = await self._reader.read(size)
        except (OSError, asyncssh.Error):
            return b""
        self._session.count(len(piece))
        return piece

    def pending(self) -> bool:
        return bool(self._reader._session._recv_buf_len)


class _Out(Stream):
    def __init__(self, session: Session, number: int) -> None:
        super().__init__()
        self._session, self._number = session, number
        session.holders += 1

    def closed(self) -> None:
        self._session.holders -= 1
        if not self._session.holders:
            self._session.released.set()

    async def write(self, data: bytes) -> None:
        self._session.count(len(data))
        if self._session.lost:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        try:
            await self._session.output.write(self._number, data)
        except (OSError, asyncssh.Error) as gone:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe") from gone
