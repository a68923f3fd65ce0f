"""The port over real sockets: what well-meant, idle and hostile clients get."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler import web
from reconciler.web.limits import Limits
from tests.unit.web import boards

DEADLINE = 20.0
GET = b"GET /healthz HTTP/1.1\r\nHost: loop\r\n\r\n"
HASTY = Limits(request=0.4, answer=0.4, connections=20)

Serve = Callable[..., tuple[str, int]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Opens a port on this machine, and gives its address."""
    servers = []

    def start(board: boards.Shown | None = None, limits: Limits | None = None) -> tuple[str, int]:
        servers.append(web.serve("127.0.0.1:0", board or boards.Shown(), boards.metrics, limits))
        return servers[-1].address

    yield start
    for server in servers:
        server.close()


def test_a_server_that_is_busy_when_it_ends_writes_to_no_file_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever ends it wakes its thread up, which may have been awake, and seen to the end, in that moment."""
    server = web.serve("127.0.0.1:0", boards.Shown(), boards.metrics, Limits())
    thread, waker = server._thread, server._listener.waker
    pull = waker.pull_trigger

    def late(*told: Any) -> None:
        # a turn of the thread comes in between
        pull()
        thread.join(0.2)
        pull(*told)

    monkeypatch.setattr(waker, "pull_trigger", late)
    server.close()
    assert not thread.is_alive()
    server.close()


def connect(address: tuple[str, int], source: str | None = None) -> socket.socket:
    return socket.create_connection(address, DEADLINE, (source, 0) if source is not None else None)


def rest(client: socket.socket) -> bytes:
    """All that comes until the other side closes; a reset ends it too."""
    pieces = []
    try:
        while piece := client.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    finally:
        client.close()
    return b"".join(pieces)


def ask(address: tuple[str, int], request: bytes) -> bytes:
    client = connect(address)
    client.sendall(request)
    return rest(client)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def fetch(address: tuple[str, int], path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=DEADLINE)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_pages_are_served_and_head_has_no_body(serve: Serve) -> None:
    address = serve()
    for path in ("/", "/hosts/vmhost-a-01", "/api/v1/report", "/metrics", "/style.css"):
        whole, body = fetch(address, path)
        head, nothing = fetch(address, path, "HEAD")
        assert (whole.status, head.status, nothing) == (200, 200, b"")
        assert whole.headers["Content-Length"] == head.headers["Content-Length"] == str(len(body))
        assert whole.headers["Connection"] == "close"
        assert whole.headers["Server"] is None
        assert "Via" not in whole.headers
    answer, body = fetch(address, "/", "POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_thousand_hosts_are_a_page(serve: Serve) -> None:
    address = serve(boards.Shown(boards.many(1000)))
    answer, body = fetch(address, "/")
    assert answer.status == 200
    assert body.count(b"<tr") == 1001


def test_an_ipv6_address_stands_in_brackets() -> None:
    server = web.serve("[::1]:0", boards.Shown(), boards.metrics)
    try:
        assert server.address[0] == "::1"
        assert status(ask(server.address, GET)) == 200
    finally:
        server.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("8080", "this is no address with a port; write ADDRESS:PORT"),
        (":8080", "this is no address with a port"),
        ("::1:8080", "this is no address with a port"),
        ("127.0.0.1:65536", "this is no address with a port"),
        ("127.0.0.1:http", "this is no address with a port"),
        ("no such name:80", "no address has this name"),
        (f"{'a' * 70}.invalid:80", "no address has this name"),
        ("192.0.2.1:8080", "cannot assign requested address; name an address of this machine"),
    ],
)
def test_an_address_where_nobody_can_listen_is_explained(address: str, said: str) -> None:
    with pytest.raises(web.CannotListen, match=said) as caught:
        web.serve(address, boards.Shown(), boards.metrics)
    assert str(caught.value).startswith(f"can't listen at {address}: ")


def test_a_port_that_is_in_use_is_left_alone(serve: Serve) -> None:
    address = serve()
    with pytest.raises(web.CannotListen, match=r"address already in use; .* a port that is free"):
        web.serve(f"127.0.0.1:{address[1]}", boards.Shown(), boards.metrics)
    assert status(ask(address, GET)) == 200


def test_closing_closes_the_port_and_its_threads() -> None:
    before = threading.active_count()
    server = web.serve("127.0.0.1:0", boards.Shown(), boards.metrics)
    idle = connect(server.address)
    assert status(ask(server.address, GET)) == 200
    server.close()
    assert rest(idle) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(server.address)
    assert threading.active_count() == before
    web.serve(f"127.0.0.1:{server.address[1]}", boards.Shown(), boards.metrics).close()


@pytest.mark.parametrize(
    ("request_text", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET http://loop/healthz HTTP/1.1\r\nHost: loop\r\n\r\n", 200),
        (b"GET http://loop HTTP/1.1\r\nHost: loop\r\n\r\n", 200),
        (b"GET http://[::1 HTTP/1.1\r\nHost: loop\r\n\r\n", 400),
        (b"GET // HTTP/1.1\r\nHost: loop\r\n\r\n", 200),
        (b"GET //elsewhere.example.org/ HTTP/1.1\r\nHost: loop\r\n\r\n", 404),
        (b"GET /hosts/..%2f HTTP/1.1\r\nHost: loop\r\n\r\n", 404),
        (b"GET /hosts/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: loop\r\n\r\n", 404),
        (b"GET /%00%ff%zz HTTP/1.1\r\nHost: loop\r\n\r\n", 404),
        (b"GET /hosts/vmhost%2da%2d01 HTTP/1.1\r\nHost: loop\r\n\r\n", 200),
        (b"GET /" + b"a" * 7000 + b" HTTP/1.1\r\nHost: loop\r\n\r\n", 404),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: loop\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: loop\r\n" + b"X: y\r\n" * 2000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: loop\r\nContent-Length: 1\r\n\r\nx", 413),
        (b"GET / HTTP/1.1\r\nHost: loop\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: loop\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: loop\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: loop\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: loop\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: loop\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"OPTIONS * HTTP/1.1\r\nHost: loop\r\n\r\n", 405),
        (b"CONNECT loop:22 HTTP/1.1\r\nHost: loop\r\n\r\n", 405),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: loop\n\n\r\n\r\n", 400),
    ],
)
def test_whatever_is_asked_gets_a_clean_answer(
    serve: Serve, capfd: pytest.CaptureFixture[str], request_text: bytes, code: int
) -> None:
    answer = ask(serve(), request_text)
    assert status(answer) == code
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nContent-Security-Policy: default-src 'none'" in head
    if code != 200:
        assert body.count(b"\n") == 1 or b"<html" in body
        assert b"aaaa" not in body
    assert capfd.readouterr().err == ""


def test_of_many_requests_at_once_only_the_first_is_answered(serve: Serve) -> None:
    assert ask(serve(), GET * 200).count(b"HTTP/1.1 200 OK") == 1


def test_a_client_that_has_said_all_still_gets_its_answer(serve: Serve) -> None:
    client = connect(serve(boards.Shown(boards.many(1000))))
    client.sendall(b"GET /api/v1/report HTTP/1.1\r\nHost: loop\r\n\r\n")
    client.shutdown(socket.SHUT_WR)
    assert rest(client).endswith(b"}\n")


def test_two_hundred_idle_connections_disturb_nobody(serve: Serve) -> None:
    address = serve()
    idle = [connect(address) for _ in range(250)]
    answer, _ = fetch(address, "/")
    assert answer.status == 200
    for client in idle:
        client.sendall(GET)
    assert [status(rest(client)) for client in idle] == [200] * 250


def test_more_than_the_limit_cost_the_oldest_of_whoever_has_the_most(serve: Serve) -> None:
    address = serve(limits=replace(HASTY, request=DEADLINE))
    other = connect(address, "127.0.0.2")
    idle = [connect(address) for _ in range(40)]
    assert status(ask(address, GET)) == 200
    other.sendall(GET)
    assert status(rest(other)) == 200
    assert rest(idle[0]) == b""
    idle[-1].sendall(GET)
    assert status(rest(idle[-1])) == 200
    for client in idle:
        client.close()


def test_a_request_that_never_ends_is_cut(serve: Serve) -> None:
    address = serve(limits=HASTY)
    silent, dribbling = connect(address), connect(address)
    wait_until(lambda: is_refused(dribbling, b"X"))
    dribbling.close()
    assert rest(silent) == b""
    assert status(ask(address, GET)) == 200


def test_an_answer_that_is_not_taken_is_dropped(serve: Serve) -> None:
    address = serve(boards.Shown(boards.many(5000)), HASTY)
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.settimeout(DEADLINE)
    lazy.connect(address)
    lazy.sendall(b"GET / HTTP/1.1\r\nHost: loop\r\n\r\n")
    wait_until(lambda: is_closed(lazy))
    assert not rest(lazy).endswith(b"</html>\n")
    assert status(ask(address, GET)) == 200


def test_answers_that_wait_to_be_taken_are_bounded(serve: Serve) -> None:
    address = serve(boards.Shown(boards.many(3000)), Limits(pending=3_000_000))
    lazy = []
    for _ in range(6):
        lazy.append(socket.socket())
        lazy[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy[-1].settimeout(DEADLINE)
        lazy[-1].connect(address)
        lazy[-1].sendall(b"GET / HTTP/1.1\r\nHost: loop\r\n\r\n")
    wait_until(lambda: sum(map(is_closed, lazy)) >= 3)
    assert status(ask(address, GET)) == 200
    for client in lazy:
        client.close()


def test_urgent_data_is_no_way_to_keep_it_busy(serve: Serve) -> None:
    address = serve()
    client = connect(address)
    client.send(b"!", socket.MSG_OOB)
    assert rest(client) == b""
    assert status(ask(address, GET)) == 200


def test_a_bug_in_a_page_is_one_line_in_the_log(
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # a log that a test before has set up would write the line to standard error as well
    monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])

    class Broken(boards.Shown):
        def unready(self) -> str | None:
            raise ZeroDivisionError("deep inside")

    address = serve(Broken())
    with caplog.at_level(logging.DEBUG):
        answer, body = fetch(address, "/readyz")
    assert (answer.status, body) == (500, b"This page has a bug; the log of the loop names it.\n")
    # waitress tells of its queue, of which nobody hears: pytest also listens where nothing is passed on
    told = [record.levelname for record in caplog.records if record.name != "waitress.queue"]
    assert told == ["ERROR"]
    assert capfd.readouterr().err == ""


def is_refused(client: socket.socket, data: bytes) -> bool:
    """Whether one more piece of data is not taken any more."""
    try:
        client.sendall(data)
    except ConnectionError:
        return True
    return False


def is_closed(client: socket.socket) -> bool:
    """Whether the other side has closed: without reading anything of what came before."""
    state: int = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != 1


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
