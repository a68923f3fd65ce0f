"""Those who come to a port. Each connection has a task, and is closed when that fails or is cut, even before it began:
asyncio's own servers leave it open then."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any


class Arrivals:
    """`serve` is the task, and closes what it was given when it ends well. Used in the loop's thread."""

    def __init__(self, serve: Callable[[socket.socket], Coroutine[Any, Any, None]]) -> None:
        self._serve = serve
        self._listening: socket.socket | None = None
        self._connections: dict[asyncio.Task[None], socket.socket] = {}

    @property
    def open(self) -> bool:
        """Whether anybody can come."""
        return self._listening is not None

    def listen(self, listening: socket.socket) -> None:
        """Let in who comes to that socket, until `close`."""
        self._listening = listening
        listening.setblocking(False)
        asyncio.get_running_loop().add_reader(listening, self._come, listening)

    def _come(self, listening: socket.socket) -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                # all are in, or one has gone again
                return
            sock.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._serve(sock))
            self._connections[task] = sock
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        sock = self._connections.pop(task)
        if task.cancelled() or task.exception() is not None:
            sock.close()

    def close(self) -> None:
        """Listen no more; those who are in stay."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
        self._listening = None

    def cut(self) -> None:
        """Cut those who are in, as a cut link does."""
        for task, sock in list(self._connections.items()):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            task.cancel()
