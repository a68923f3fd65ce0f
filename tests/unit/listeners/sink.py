"""A web server on this machine that takes messages, as a chat service would."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 30.0


class Sink:
    """What was posted to it, in order. `answer` is its HTTP status; while `open` is not set it takes no request on."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.asked = 0
        self.answer = 200
        self.open = threading.Event()
        self.open.set()
        self.port = 0

    def url(self, login: str = "", path: str = "/") -> str:
        return f"json://{login}127.0.0.1:{self.port}{path}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]

    def take(self, body: bytes) -> int:
        self.asked += 1
        self.open.wait(PATIENCE)
        if self.answer == 200:
            self.messages.append(json.loads(body))
        return self.answer


@contextmanager
def listening() -> Iterator[Sink]:
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = sink.take(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                self.send_response(answer)
                self.end_headers()
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield sink
    finally:
        sink.open.set()
        server.shutdown()
        thread.join()
        server.server_close()


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)
