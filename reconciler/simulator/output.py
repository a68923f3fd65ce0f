"""What a session prints, on its way to the client: pieces that follow each other at once travel together."""

from __future__ import annotations

import asyncio
import errno

import asyncssh

ROOM = 16384
"""Bytes that sshd takes from a pipe at a time."""
PATIENCE = 0.1
"""Seconds until sshd gets its turn, about."""


class Output:
    """The two output streams of a session.

    sshd reads the pipes of a script when its turn comes. So it sends in one packet what a quick script has printed in
    several writes, and nobody can tell in which order it wrote to the one pipe and to the other. Here that is when
    `ROOM` bytes are together, `PATIENCE` after the first, and whenever `flush` is called.
    """

    def __init__(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self._streams = [(process.stdout, bytearray()), (process.stderr, bytearray())]
        self._timer: asyncio.TimerHandle | None = None

    async def write(self, number: int, data: bytes) -> None:
        """Print `data` on stream 1 or 2, and wait for its client's window; raises BrokenPipeError without a client."""
        writer, gathered = self._streams[number - 1]
        if writer.is_closing():
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        gathered += data
        if len(gathered) >= ROOM:
            self.flush()
            await writer.drain()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self.flush)

    def flush(self) -> None:
        """Send what is gathered; to a client that is gone, nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for writer, gathered in self._streams:
            if gathered and not writer.is_closing():
                writer.write(bytes(gathered))
            gathered.clear()
