"""A link to a host that carries only so many bytes per second."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 8 * 1024
HELD = 64 * 1024
"""Bytes under way at most: without a limit the kernel would take more and more ahead of what the link carries."""


class SlowLink:
    """What the client connects to. `passed` are the bytes that the host was given so far; while it is `silent` nothing
    gets through, and nobody is told."""

    def __init__(self, address: str, port: int, rate: float) -> None:
        self._host, self._rate = (address, port), rate
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, HELD)
        self.port: int = self._door.getsockname()[1]
        self.passed, self.silent = 0, False
        self._news = threading.Condition()
        self._ends = [self._door]

    def serve(self) -> None:
        """One connection, until an end closes it."""
        try:
            client, host = self._door.accept()[0], socket.create_connection(self._host)
        except OSError:
            return
        self._ends += [client, host]
        threading.Thread(target=self._back, args=(host, client), daemon=True).start()
        try:
            while piece := client.recv(PIECE):
                time.sleep(len(piece) / self._rate)
                if self.silent:
                    continue
                host.sendall(piece)
                with self._news:
                    self.passed += len(piece)
                    self._news.notify_all()
        except OSError:
            return

    def _back(self, host: socket.socket, client: socket.socket) -> None:
        try:
            while piece := host.recv(PIECE):
                if not self.silent:
                    client.sendall(piece)
        except OSError:
            return

    def wait_for(self, amount: int) -> None:
        """Until so many bytes have passed."""
        with self._news:
            assert self._news.wait_for(lambda: self.passed >= amount, 30)

    def close(self) -> None:
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                end.close()


@contextmanager
def slow_link(address: str, port: int, rate: float) -> Iterator[SlowLink]:
    """A link of `rate` bytes per second towards the host at `address`; nothing holds the way back up."""
    link = SlowLink(address, port, rate)
    thread = threading.Thread(target=link.serve, daemon=True)
    thread.start()
    try:
        yield link
    finally:
        link.close()
        thread.join(10)
