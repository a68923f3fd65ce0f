"""The server: few threads, many connections, none of which can hold anything for long."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from reconciler import open_files
from reconciler.faults import Bug
from reconciler.web.answer import Request
from reconciler.web.channel import Channel
from reconciler.web.limits import Limits
from reconciler.web.listening import listen
from reconciler.web.site import Site

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

CLOSING_SECONDS = 2
PAUSE_SECONDS = 0.5
KERNEL_BYTES = 64 * 1024
"""So much of an answer may wait in the kernel for each connection; the rest waits here, where it is counted."""
_LOG = logging.getLogger("pages")
# what it logs is what clients do wrong, and tracebacks
logging.getLogger("waitress").propagate = False
logging.getLogger("waitress").addHandler(logging.NullHandler())


class Server:
    """Answers until it is closed. `address` is where, as (host, port)."""

    def __init__(self, address: str, site: Site, limits: Limits) -> None:
        """Raises CannotListen."""
        opened = listen(address)
        self.address: tuple[str, int] = opened.getsockname()[:2]
        self._limits = limits
        self._listener = _Listener(opened, site, limits)
        self._stopping = self._closed = False
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the port and every connection; at once, but for pages that are being made."""
        if not self._closed:
            self._closed = True
            # the thread is told by what wakes it up: it has not closed that before
            self._listener.waker.pull_trigger(self._stop)
        self._thread.join(CLOSING_SECONDS)

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        """Never raises: what goes wrong with one connection is no reason to stop."""
        beat = min(1.0, self._limits.request / 4, self._limits.answer / 4)
        while not self._stopping:
            try:
                wasyncore.poll2(beat, self._listener.sockets)
                self._listener.tidy()
            except Exception as error:  # noqa: BLE001
                _LOG.error("%s", Bug.of("pages", error).message)
                time.sleep(PAUSE_SECONDS)
        self._listener.end()


class _Listener(TcpWSGIServer):
    """Accepts connections, and closes those that have had their time."""

    channel_class = Channel

    def __init__(self, opened: Any, site: Site, limits: Limits) -> None:
        self.sockets: dict[int, Any] = {}
        self._limits = limits
        self._most = open_files.at_most(limits.connections)
        self._resume = 0.0
        adjustments = Adjustments(
            sockets=[opened],
            threads=limits.threads,
            ident=None,
            log_socket_errors=False,
            max_request_header_size=limits.header,
            max_request_body_size=0,
            # nothing goes to a temporary file: there may be no place for one
            outbuf_overflow=limits.pending,
            outbuf_high_watermark=limits.pending,
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(limits.threads)
        place = (opened.family, opened.type, opened.proto, opened.getsockname())
        super().__init__(
            _application(site),
            map=self.sockets,
            _sock=opened,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=place,
            bind_socket=False,
        )

    def channels(self) -> list[Channel]:
        """The open connections."""
        return [it for it in self.sockets.values() if isinstance(it, Channel)]

    @property
    def waker(self) -> Any:
        """What wakes the thread up, from any other; `pull_trigger` may be given what it is to do then."""
        return self.trigger

    def readable(self) -> bool:
        return self.accepting and time.monotonic() >= self._resume

    def handle_accept(self) -> None:
        """Take a connection; where there are too many, one of the oldest makes room for it."""
        try:
            accepted = self.accept()
        except OSError:
            # no file descriptor is left: without a pause the loop would spin
            if not self._close_one(self.channels()):
                self._resume = time.monotonic() + PAUSE_SECONDS
            return
        if accepted is None:
            return
        connection, address = accepted
        channels = self.channels()
        if len(channels) >= self._most and not self._close_one(channels):
            connection.close()
            return
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
            self.set_socket_options(connection)
            self.channel_class(self, connection, address, self.adj, map=self.sockets)
        except OSError:
            connection.close()

    def handle_error(self) -> None:
        """Tell of it, and go on: the port stays open."""
        _, _, error, where = self.compact_traceback()
        _LOG.error("this is a bug of the reconciler: %s %s", error, where)

    def tidy(self) -> None:
        """Close who is overdue, and who keeps the most answers waiting while they are too many bytes."""
        now = time.monotonic()
        for channel in self.channels():
            if channel.overdue(now, self._limits.request, self._limits.answer):
                channel.cut()
        waiting = [it for it in self.channels() if it.total_outbufs_len]
        while sum(it.total_outbufs_len for it in waiting) > self._limits.pending:
            if not self._close_one(waiting):
                break
            waiting = [it for it in waiting if it.connected]

    def end(self) -> None:
        """Close the port and every connection. Who makes a page wakes the thread up when it is made, so that what wakes
        it is closed behind him, or not at all: its number may be another file's by then."""
        wasyncore.dispatcher.close(self)
        channels: dict[int, Any] = {
            number: it for number, it in self.sockets.items() if isinstance(it, Channel)
        }
        wasyncore.close_all(channels, ignore_all=True)
        self.task_dispatcher.shutdown(timeout=CLOSING_SECONDS)
        if not self.task_dispatcher.threads:
            self.waker.close()

    def _close_one(self, channels: Iterable[Channel]) -> bool:
        """Close the oldest connection of the client that has the most, if a page is not just being made for it."""
        closable = [it for it in channels if not it.in_work]
        if not closable:
            return False
        numbers = Counter(it.addr[0] for it in closable)
        min(closable, key=lambda it: (-numbers[it.addr[0]], it.opened)).cut()
        return True


def _application(site: Site) -> Callable[[WSGIEnvironment, StartResponse], list[bytes]]:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        request = Request(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            environ["QUERY_STRING"],
            environ["SERVER_PROTOCOL"],
            environ.get("HTTP_HOST"),
        )
        answer = site.answer(request)
        start_response(answer.status_line, answer.headers)
        return [b"" if request.method == "HEAD" else answer.body]

    return application
