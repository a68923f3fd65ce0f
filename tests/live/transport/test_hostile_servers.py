"""What is no SSH server, or stops being one: always an Unreachable that says what happened."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from reconciler.faults import Unreachable
from reconciler.transports.ssh import Limits, SshTarget, connect
from tests.live.transport.servers import Host, Keys, line, proxy, raw, serving

pytestmark = pytest.mark.timeout(60)

SHORT = Limits(connect=0.6, banner=0.6, login=0.6, total=1.2)


def fault_of(port: int, keys: Keys, address: str = "127.0.0.1", limits: Limits = SHORT) -> Unreachable:
    target = SshTarget("esx", address, port, key=keys.file, host_key=line(keys.host_ecdsa))
    with pytest.raises(Unreachable) as caught:
        connect(target, limits=limits)
    assert "esx" in caught.value.message
    assert caught.value.next
    return caught.value


def hangs_up(connection: socket.socket, stop: threading.Event) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def resets(connection: socket.socket, stop: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def is_a_web_server(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")


def floods(connection: socket.socket, stop: threading.Event) -> None:
    while not stop.is_set():
        connection.sendall(b"\xff\x00\n" * 4096)


def says_nothing(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def drips(connection: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        connection.sendall(b"S")


def drips_lines(connection: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        connection.sendall(b"welcome\r\n")


def is_too_old(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"SSH-1.5-OpenSSH_1.2\r\n")
    stop.wait()


def stops_after_its_version(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_8.3\r\n")
    stop.wait()


def sends_garbage_after_its_version(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_8.3\r\n" + b"\xde\xad\xbe\xef" * 1000)
    stop.wait()


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        (hangs_up, "something else than SSH"),
        (resets, "something else than SSH|Connection reset by peer"),
        (is_a_web_server, "something else than SSH"),
        (floods, "something else than SSH"),
        (says_nothing, "no SSH version within 1 s"),
        (drips, "no SSH version within 1 s"),
        (drips_lines, "no SSH version within 1 s"),
        (is_too_old, "SSH-1.5-OpenSSH_1.2"),
        (stops_after_its_version, "key exchange within 1 s"),
        (sends_garbage_after_its_version, "key exchange"),
    ],
)
def test_a_server_that_is_none(
    keys: Keys, capfd: pytest.CaptureFixture[str], talk: object, said: str
) -> None:
    assert callable(talk)
    with raw(talk) as port:
        assert re.search(said, fault_of(port, keys).message)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("stall", [True, False], ids=["stalls", "hangs up"])
@pytest.mark.parametrize("amount", [0, 1, 20, 100, 700, 1200, 1500, 1700])
def test_a_link_that_ends_anywhere_before_the_login(keys: Keys, amount: int, stall: bool) -> None:
    served = Host(user_keys=[line(keys.user)])
    with serving(served, [keys.host_ecdsa]) as host, proxy(host.port, amount, stall=stall) as port:
        fault_of(port, keys)


def test_a_closed_port(keys: Keys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "Connection refused" in fault_of(port, keys).message


def test_a_full_backlog_is_no_answer(keys: Keys) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert "no answer within 1 s" in fault_of(port, keys).message


@pytest.mark.parametrize("address", ["a" * 70, "host..name"])
def test_a_name_that_is_none(keys: Keys, address: str) -> None:
    assert f"can't resolve {address}" in fault_of(22, keys, address).message


def test_a_name_that_nobody_knows(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert (
        "can't resolve esx.example.org: Name or service not known"
        in fault_of(22, keys, "esx.example.org").message
    )


def test_an_ipv6_address_is_written_in_brackets(keys: Keys) -> None:
    assert "[::1]:1)" in fault_of(1, keys, "::1").message


def test_the_usual_limits_add_up_to_less_than_half_a_minute() -> None:
    assert Limits().total < 30
