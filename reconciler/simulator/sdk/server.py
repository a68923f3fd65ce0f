"""The HTTPS port of a host: TLS as its version speaks it, the SOAP endpoint, and files beside it.

hostd answers there through a proxy, which says 503 while hostd is away. Old hosts speak TLS 1.0 and nothing newer.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from reconciler.simulator.arrivals import Arrivals
from reconciler.simulator.errors import SimulatorError

MOST_BODY = 4 * 1024 * 1024
MOST_HEAD = 64 * 1024
FIRST_PORT, LAST_PORT = 4430, 4999


@dataclass(frozen=True)
class HttpRequest:
    """What a client asks: `path` as it was written, headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def password_of(self) -> tuple[str, str] | None:
        """User and password of a basic login (RFC 7617)."""
        kind, _, packed = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(packed, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password


@dataclass(frozen=True)
class HttpResponse:
    """What it is told."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Cut(Exception):
    """The connection ends here, without an answer."""


ENDS = (
    Cut,
    OSError,
    ValueError,
    asyncio.CancelledError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
)
"""What ends a connection, and nothing else."""
Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


class HttpsServer:
    """The port. `listen` and `close` follow the host's power; the number stays."""

    def __init__(self, address: str, context: ssl.SSLContext, handler: Handler) -> None:
        self.address, self._context, self._handler = address, context, handler
        self.port = 0
        self._arrivals = Arrivals(self._meet)
        self._writers: set[asyncio.StreamWriter] = set()

    def listen(self) -> None:
        """Let connections come from now on, to the port of before if there was one. Raises SimulatorError."""
        if self._arrivals.open:
            return
        for port in [self.port] if self.port else range(FIRST_PORT, LAST_PORT):
            try:
                listening = socket.create_server((self.address, port), backlog=128)
            except OSError:
                continue
            self.port = port
            self._arrivals.listen(listening)
            return
        raise SimulatorError(f"no free port for the SDK on {self.address} (stop what listens there)")

    async def _meet(self, sock: socket.socket) -> None:
        """TLS; what follows is `_serve`'s."""
        reader = asyncio.StreamReader(limit=MOST_HEAD)
        protocol = asyncio.StreamReaderProtocol(reader, self._serve)
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol, sock, ssl=self._context
            )

    def show(self, context: ssl.SSLContext) -> None:
        """Speak TLS so from the next `listen` on; for that it is closed now if it speaks otherwise."""
        if context is not self._context:
            self.close()
            self._context = context

    def close(self) -> None:
        """Stop listening, and cut what is open."""
        self._arrivals.close()
        self.cut()

    def cut(self) -> None:
        """Cut all open connections."""
        self._arrivals.cut()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(*ENDS):
                while await self._turn(reader, writer):
                    continue
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read(reader)
        if request is None:
            return False
        response = await self._handler(request)
        reason = HTTPStatus(response.status).phrase
        head = [f"HTTP/1.1 {response.status} {reason}", f"Content-Length: {len(response.body)}"]
        head += [f"{name}: {value}" for name, value in response.headers.items()]
        keep = request.headers.get("connection", "").lower() != "close"
        head.append(f"Connection: {'keep-alive' if keep else 'close'}")
        body = b"" if request.method == "HEAD" else response.body
        writer.write("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
        await writer.drain()
        return keep


async def _read(reader: asyncio.StreamReader) -> HttpRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise Cut
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length") or 0)
    if not 0 <= length <= MOST_BODY:
        raise Cut
    return HttpRequest(words[0], words[1], headers, await reader.readexactly(length))
