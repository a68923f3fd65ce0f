"""What is no ESXi, or stops being one: told as what it is, in time, and it gets no password."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.faults import Fault, LoginRefused, Refused, Silent, Unreachable, Unsupported
from reconciler.transports.sdk import SdkTarget, connect, https
from reconciler.transports.target import Limits
from tests.live.sdk.agent import CONTENT, VERSIONS, Agent, envelope, fault, response
from tests.live.sdk.tls import PASSWORD, Identity, Server, answer, identity, serving

pytestmark = pytest.mark.timeout(60)

LIST = "/sdk/vimServiceVersions.xml"
SHORT = Limits(connect=0.6, banner=0.6, login=0.6, total=1.5)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("certificates"), "esx")


def trouble(there: Server, mine: Identity, limits: Limits = SHORT) -> Fault:
    began = time.monotonic()
    with pytest.raises(Fault) as caught:
        connect(there.target(thumbprint=mine.thumbprint), limits)
    assert time.monotonic() - began < 4.0
    assert f"esx (127.0.0.1:{there.port})" in caught.value.message
    assert caught.value.next
    assert PASSWORD not in caught.value.message + caught.value.next
    return caught.value


def says_nothing(there: Server, connection: Any) -> None:
    there.stop.wait()


def hangs_up(there: Server, connection: Any) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def resets(there: Server, connection: Any) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def is_ssh(there: Server, connection: Any) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
    there.stop.wait(1)


def is_plain_http(there: Server, connection: Any) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def listens_then_hangs_up(there: Server, connection: Any) -> None:
    there.request(connection)


def listens_and_says_nothing(there: Server, connection: Any) -> None:
    there.request(connection)
    there.stop.wait()


def drips(there: Server, connection: Any) -> None:
    there.request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not there.stop.wait(0.1):
        connection.sendall(b"X")


def is_something_else(there: Server, connection: Any) -> None:
    there.request(connection)
    connection.sendall(b"+OK POP3 ready\r\n")


@pytest.mark.parametrize("talk", [says_nothing, hangs_up, resets, is_ssh, is_plain_http])
def test_what_speaks_no_tls_is_out_of_reach(mine: Identity, talk: Any) -> None:
    with serving(None, talk) as there:
        assert type(trouble(there, mine)) is (Silent if talk is says_nothing else Unreachable)


@pytest.mark.parametrize("talk", [listens_then_hangs_up, listens_and_says_nothing, drips])
def test_what_gives_no_answer_is_out_of_reach(mine: Identity, talk: Any) -> None:
    with serving(mine, talk) as there:
        assert type(trouble(there, mine)) is Unreachable
        assert PASSWORD.encode() not in there.heard


def test_nobody_listens(mine: Identity) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    target = SdkTarget("esx", "127.0.0.1", lambda: PASSWORD, "{env: X}", port, thumbprint=mine.thumbprint)
    with pytest.raises(Unreachable, match="no connection"):
        connect(target, SHORT)


@pytest.mark.parametrize(
    "said",
    [
        answer(b"<html>", "404 Not Found"),
        answer(b"<html>" * 100_000, "404 Not Found"),
        answer(b"<html>welcome"),
        answer(b"", "301 Moved Permanently", "Location: https://127.0.0.1:1/"),
        answer(b"", "401 Unauthorized"),
        answer(b'{"status": "ok"}'),
    ],
)
def test_a_web_server_is_no_host(mine: Identity, said: bytes) -> None:
    agent = Agent({LIST: said})
    with serving(mine, agent.talk) as there:
        found = trouble(there, mine)
        assert PASSWORD.encode() not in there.heard
    assert isinstance(found, Unsupported)
    assert "is no ESXi host" in found.message
    assert agent.calls == [LIST]


def test_another_protocol_is_no_host(mine: Identity) -> None:
    with serving(mine, is_something_else) as there:
        assert isinstance(trouble(there, mine), Unsupported)


@pytest.mark.parametrize(
    "said",
    [
        answer(b"<html><body>hello</body></html>"),
        answer(b"not XML at all"),
        answer(envelope("<other/>")),
        fault("MethodNotFound"),
        response("RetrieveServiceContent"),
        response("RetrieveServiceContent", CONTENT.replace("HostAgent", "Something")),
    ],
)
def test_another_service_behind_the_same_list_is_no_host(mine: Identity, said: bytes) -> None:
    agent = Agent({LIST: answer(VERSIONS), "RetrieveServiceContent": said})
    with serving(mine, agent.talk) as there:
        found = trouble(there, mine)
        assert PASSWORD.encode() not in there.heard
    assert isinstance(found, Unsupported)


@pytest.mark.parametrize("where", [LIST, "RetrieveServiceContent", "Login"])
def test_an_answer_without_end_is_cut(mine: Identity, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "MOST_ANSWER", 1 << 20)
    agent = Agent({where: answer(envelope("<a>" * (1 << 20)))})
    with serving(mine, agent.talk) as there:
        found = trouble(there, mine, Limits())
    if where == LIST:
        assert "is no ESXi host" in found.message
    else:
        assert isinstance(found, Refused)
        assert "an answer has no end" in found.message


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
@pytest.mark.parametrize("where", [LIST, "RetrieveServiceContent", "Login"])
def test_an_agent_that_comes_up_is_out_of_reach_and_said_to_be(
    mine: Identity, status: str, where: str
) -> None:
    agent = Agent({where: answer(b"no healthy upstream", status)})
    with serving(mine, agent.talk) as there:
        found = trouble(there, mine)
    assert type(found) is Unreachable
    assert "hostd" in found.message
    assert agent.calls[-1] == where


@pytest.mark.parametrize("name", ["SystemError", "HostCommunication", "HostConnectFault"])
@pytest.mark.parametrize("where", ["RetrieveServiceContent", "Login"])
def test_an_agent_that_has_trouble_of_its_own_is_out_of_reach(mine: Identity, name: str, where: str) -> None:
    agent = Agent({where: fault(name)})
    with serving(mine, agent.talk) as there:
        found = trouble(there, mine)
    assert type(found) is Unreachable
    assert agent.calls.count("Login") == (where == "Login")


@pytest.mark.parametrize("name", ["InvalidLogin", "NoPermission", "NotAuthenticated"])
def test_a_refused_login_is_tried_once(mine: Identity, name: str) -> None:
    agent = Agent({"Login": fault(name, said="Cannot complete login")})
    with serving(mine, agent.talk) as there:
        found = trouble(there, mine)
    assert isinstance(found, LoginRefused)
    assert "Cannot complete login" in found.message
    assert "{env: X}" in found.message
    assert agent.calls.count("Login") == 1


def test_a_password_that_the_api_can_not_be_sent_is_not_sent(mine: Identity, tmp_path: Path) -> None:
    agent = Agent()
    with serving(mine, agent.talk) as there:
        target = there.target(thumbprint=mine.thumbprint)
        strange = SdkTarget(
            "esx", target.address, lambda: "bell\x07", "{env: X}", target.port, thumbprint=mine.thumbprint
        )
        with pytest.raises(LoginRefused, match="control character") as caught:
            connect(strange)
    assert "bell" not in caught.value.message
    assert "Login" not in agent.calls
