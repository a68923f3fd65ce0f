"""A long way between a host and its clients: all that is said arrives late, in order, and as much at once as before."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Way:
    """One direction: does what it is given, each `seconds` later than it was given, in that order."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[tuple[float, Callable[[], object]]] = deque()
        self._timer = False

    def later(self, do: Callable[[], object]) -> None:
        self._under_way.append((self._loop.time() + self._seconds, do))
        self._arm()

    def _arm(self) -> None:
        if self._under_way and not self._timer:
            self._timer = True
            self._loop.call_at(self._under_way[0][0], self._arrive)

    def _arrive(self) -> None:
        self._timer = False
        while self._under_way and self._under_way[0][0] <= self._loop.time():
            self._under_way.popleft()[1]()
        self._arm()


class _There(asyncio.Protocol):
    """From the client: hands on to `protocol` what the socket brings."""

    def __init__(self, protocol: asyncio.Protocol, way: Way) -> None:
        self._protocol, self._way = protocol, way

    def data_received(self, data: bytes) -> None:
        self._way.later(lambda: self._protocol.data_received(data))

    def eof_received(self) -> None:
        self._way.later(self._protocol.eof_received)

    def connection_lost(self, exc: Exception | None) -> None:
        self._way.later(lambda: self._protocol.connection_lost(exc))

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()


class _Back:
    """To the client: a transport whose writes and end are on their way first."""

    def __init__(self, transport: asyncio.Transport, way: Way) -> None:
        self._transport, self._way = transport, way

    def write(self, data: bytes) -> None:
        self._way.later(lambda: self._write(data))

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        self._way.later(self._transport.close)

    def abort(self) -> None:
        self._way.later(self._transport.abort)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def lengthen(transport: asyncio.Transport, protocol: asyncio.Protocol, round_trip: float) -> Any:
    """Put half of `round_trip` (seconds) between the two, each way; returns the transport that `protocol` is to use."""
    transport.set_protocol(_There(protocol, Way(round_trip / 2)))
    return _Back(transport, Way(round_trip / 2))
