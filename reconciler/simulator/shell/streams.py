"""File descriptors of the simulated shell: pipes, the null device, and the table that a process holds.

A stream counts its holders, as a kernel does: the last writer that lets go is what a reader sees as end of file.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Mapping

PIPE_CAPACITY = 65536
READ_SIZE = 65536


def encode(text: str) -> bytes:
    """Text of the shell as the bytes that a host would see."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """Bytes of a host as text of the shell; nothing is lost."""
    return data.decode("utf-8", "surrogateescape")


def error(code: int) -> OSError:
    """An OSError with the host's text for `code` (the C library's)."""
    return OSError(code, os.strerror(code))


class Stream:
    """One open file. Reading and writing are refused unless a subclass can do them."""

    def __init__(self) -> None:
        self.holders = 0

    def hold(self) -> None:
        self.holders += 1

    def drop(self) -> None:
        self.holders -= 1
        if self.holders == 0:
            self.closed()

    def closed(self) -> None:
        """The last holder has let go."""

    async def read(self, size: int = READ_SIZE) -> bytes:
        raise error(errno.EBADF)

    def pending(self) -> bool:
        """Whether a read would return at once."""
        return True

    async def write(self, data: bytes) -> None:
        raise error(errno.EBADF)


class Null(Stream):
    """/dev/null."""

    async def read(self, size: int = READ_SIZE) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        return None


class Fixed(Stream):
    """Read-only bytes: a here-document."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    async def read(self, size: int = READ_SIZE) -> bytes:
        piece, self._data = self._data[:size], self._data[size:]
        return piece


class Capture(Stream):
    """Collects what is written, up to `limit` bytes: a command substitution."""

    def __init__(self, limit: int = 16 << 20) -> None:
        super().__init__()
        self.data = bytearray()
        self._limit = limit

    async def write(self, data: bytes) -> None:
        if len(self.data) + len(data) > self._limit:
            raise error(errno.ENOSPC)
        self.data += data


class Pipe:
    """A pipe of limited capacity; `reader` and `writer` are its ends."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.changed = asyncio.Event()
        self.reader = _ReadEnd(self)
        self.writer = _WriteEnd(self)
        self.read_open = True
        self.write_open = True

    async def wait(self) -> None:
        self.changed.clear()
        await self.changed.wait()


class _ReadEnd(Stream):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def pending(self) -> bool:
        return bool(self._pipe.buffer) or not self._pipe.write_open

    async def read(self, size: int = READ_SIZE) -> bytes:
        while not self._pipe.buffer and self._pipe.write_open:
            await self._pipe.wait()
        piece = bytes(self._pipe.buffer[:size])
        del self._pipe.buffer[:size]
        self._pipe.changed.set()
        return piece

    def closed(self) -> None:
        self._pipe.read_open = False
        self._pipe.changed.set()


class _WriteEnd(Stream):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PIPE_CAPACITY):
            while len(self._pipe.buffer) >= PIPE_CAPACITY and self._pipe.read_open:
                await self._pipe.wait()
            if not self._pipe.read_open:
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")
            self._pipe.buffer += data[start : start + PIPE_CAPACITY]
            self._pipe.changed.set()

    def closed(self) -> None:
        self._pipe.write_open = False
        self._pipe.changed.set()


class Fds:
    """The table of open files of one process; it holds each of its streams once."""

    def __init__(self, streams: Mapping[int, Stream]) -> None:
        self._streams = dict(streams)
        for stream in self._streams.values():
            stream.hold()

    def __getitem__(self, number: int) -> Stream:
        if number not in self._streams:
            raise error(errno.EBADF)
        return self._streams[number]

    def copy(self) -> Fds:
        return Fds(self._streams)

    def set(self, number: int, stream: Stream | None) -> None:
        """Put `stream` at `number` (None: close it)."""
        if stream is not None:
            stream.hold()
        old = self._streams.pop(number, None)
        if stream is not None:
            self._streams[number] = stream
        if old is not None:
            old.drop()

    def close(self) -> None:
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.drop()
