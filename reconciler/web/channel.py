"""One connection: one request is read, answered, and the connection closed."""

from __future__ import annotations

import socket
import struct
import time
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge

from reconciler.web.answer import text


class Parser(HTTPRequestParser):
    """Refuses bodies, and whatever is no request, with an answer instead of a closed connection."""

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.body_rcv is not None and not self.error:
            self.error = RequestEntityTooLarge("")
        if self.error:
            self.completed, self.expect_continue = True, False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:
            # an address without its bracket, a length of thousands of digits
            raise ParsingError("") from None


class Task(WSGITask):
    """Ends its connection, so that no client holds one, and none can pile up requests without taking answers."""

    def start(self) -> None:
        super().start()
        self.set_close_on_finish()


class Refusal(ErrorTask):
    """The answer to what is no request, in the form of all others."""

    def execute(self) -> None:
        request: Any = self.request
        status = HTTPStatus(request.error.code)
        answer = text(status, f"{status.phrase}.")
        self.status = answer.status_line
        self.response_headers = answer.headers
        self.set_close_on_finish()
        self.content_length = len(answer.body)
        self.write(answer.body)


class Channel(HTTPChannel):
    """A connection that knows how old it is."""

    parser_class = Parser
    task_class = Task
    error_task_class = Refusal

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.opened = time.monotonic()
        super().__init__(*arguments, **options)

    @property
    def in_work(self) -> bool:
        """Whether a page is being made for it."""
        return bool(self.requests)

    def overdue(self, now: float, request: float, answer: float) -> bool:
        """Whether its request should have been there, or its answer been taken."""
        allowed = request if not self.close_when_flushed else request + answer
        return not self.in_work and now - self.opened > allowed

    def cut(self) -> None:
        """Close it; what waits to be taken is dropped at once, by the kernel too."""
        if self.close_when_flushed and self.socket is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.handle_close()

    def handle_expt(self) -> None:
        # urgent data, that nobody reads: it would wake the loop for ever
        self.handle_close()
