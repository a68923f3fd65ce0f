"""Sessions that end, answers that are cut off, and connections that were closed while nobody looked."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from reconciler.faults import LoginRefused, Unreachable
from reconciler.transports.sdk import MethodFault, NoRight, Passing, SdkSession, Want, connect
from reconciler.transports.sdk.session import GOODBYE_SECONDS
from tests.live.sdk.agent import NOT_AUTHENTICATED, Agent, fault, response
from tests.live.sdk.tls import PASSWORD, Identity, answer, identity, serving

pytestmark = pytest.mark.timeout(60)

KEYS = "/host/ssh_root_authorized_keys"
Open = Callable[[Agent], SdkSession]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("certificates"), "esx")


@pytest.fixture
def opened(mine: Identity) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_session(agent: Agent) -> SdkSession:
            there = stack.enter_context(serving(mine, agent.talk))
            session = connect(there.target(thumbprint=mine.thumbprint))
            stack.callback(session.close)
            agent.calls.clear()
            return session

        yield open_session


def shown(name: str, path: str, value: str, token: str = "") -> bytes:
    """One object with one property, as an answer to a property call."""
    paged = f"<token>{token}</token>" if token else ""
    return response(
        name,
        f'<returnval>{paged}<objects><obj type="HostSystem">ha-host</obj><propSet><name>{path}</name>'
        f'<val xsi:type="xsd:string">{value}</val></propSet></objects></returnval>',
    )


def expired_by_property() -> bytes:
    return response(
        "RetrievePropertiesEx",
        '<returnval><objects><obj type="HostSystem">ha-host</obj><missingSet><path>name</path><fault>'
        f'<fault xsi:type="NotAuthenticated">{NOT_AUTHENTICATED}</fault>'
        "<localizedMessage>The session is not authenticated.</localizedMessage>"
        "</fault></missingSet></objects></returnval>",
    )


def read(session: SdkSession) -> list[Any]:
    rows = session.read([Want("HostSystem", ("name",), of=session.host())])
    return [row.values.get("name") for row in rows]


def test_pages_are_read_to_the_end(opened: Open) -> None:
    agent = Agent(
        {
            "RetrievePropertiesEx": shown("RetrievePropertiesEx", "name", "one", "7"),
            "ContinueRetrievePropertiesEx": [
                shown("ContinueRetrievePropertiesEx", "name", "two", "8"),
                shown("ContinueRetrievePropertiesEx", "name", "three"),
            ],
        }
    )
    session = opened(agent)
    assert read(session) == ["one", "two", "three"]
    assert session.reads == 1


def test_a_session_that_ends_between_pages_is_read_from_the_first_one_again(opened: Open) -> None:
    agent = Agent(
        {
            "RetrievePropertiesEx": shown("RetrievePropertiesEx", "name", "one", "7"),
            "ContinueRetrievePropertiesEx": [
                fault("NotAuthenticated", NOT_AUTHENTICATED),
                shown("ContinueRetrievePropertiesEx", "name", "two"),
            ],
        }
    )
    assert read(opened(agent)) == ["one", "two"]
    assert agent.calls == [
        "RetrievePropertiesEx",
        "ContinueRetrievePropertiesEx",
        "Login",
        "RetrievePropertiesEx",
        "ContinueRetrievePropertiesEx",
    ]


def test_a_session_that_ended_may_be_told_property_by_property(opened: Open) -> None:
    agent = Agent(
        {"RetrievePropertiesEx": [expired_by_property(), shown("RetrievePropertiesEx", "name", "esx")]}
    )
    assert read(opened(agent)) == ["esx"]
    assert agent.calls == ["RetrievePropertiesEx", "Login", "RetrievePropertiesEx"]


def test_what_stays_unauthenticated_is_a_right_that_lacks(opened: Open) -> None:
    agent = Agent({"RetrievePropertiesEx": [expired_by_property(), expired_by_property()]})
    with pytest.raises(NoRight):
        read(opened(agent))
    assert agent.calls.count("Login") == 1


def test_a_password_that_was_refused_is_never_sent_again(opened: Open) -> None:
    agent = Agent({"RetrievePropertiesEx": fault("NotAuthenticated", NOT_AUTHENTICATED)})
    session = opened(agent)
    agent.says["Login"] = fault("InvalidLogin")
    for _ in range(3):
        with pytest.raises(LoginRefused):
            read(session)
    with pytest.raises(LoginRefused):
        session.https("GET", KEYS)
    assert agent.calls.count("Login") == 1
    assert KEYS not in agent.calls


def test_a_login_that_was_cut_may_be_tried_again(opened: Open) -> None:
    agent = Agent({"RetrievePropertiesEx": [fault("NotAuthenticated", NOT_AUTHENTICATED) for _ in range(2)]})
    session = opened(agent)
    agent.says["Login"] = [answer(b"", "503 Service Unavailable")]
    with pytest.raises(Unreachable):
        read(session)
    agent.says["RetrievePropertiesEx"].append(shown("RetrievePropertiesEx", "name", "esx"))
    assert read(session) == ["esx"]


def test_files_beside_the_api_are_asked_for_once_without_a_right(opened: Open) -> None:
    agent = Agent({KEYS: answer(b"", "401 Unauthorized")})
    session = opened(agent)
    for _ in range(2):
        with pytest.raises(NoRight):
            session.https("GET", KEYS)
    assert agent.calls == [KEYS]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nssh-rsa AAAA a\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nssh-rsa AAAA a\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nssh-rsa AAAA a\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
    ],
)
def test_a_file_that_is_cut_off_is_no_file(opened: Open, said: bytes) -> None:
    agent = Agent({KEYS: said})
    session = opened(agent)
    agent.goodbye = True
    with pytest.raises(Unreachable):
        session.https("GET", KEYS)


def test_a_file_is_whole_or_too_long(opened: Open) -> None:
    agent = Agent({KEYS: answer(b"x" * 100)})
    session = opened(agent)
    assert session.https("GET", KEYS, limit=100).body == b"x" * 100
    with pytest.raises(MethodFault, match="longer than 99 bytes"):
        session.https("GET", KEYS, limit=99)


def test_a_redirection_is_an_answer_and_not_followed(opened: Open) -> None:
    agent = Agent({KEYS: answer(b"", "302 Found", "Location: /elsewhere")})
    assert opened(agent).https("GET", KEYS).status == 302
    assert agent.calls == [KEYS]


def test_an_answer_that_is_cut_off_breaks_the_link(opened: Open) -> None:
    whole = shown("RetrievePropertiesEx", "name", "esx")
    session = opened(agent := Agent({"RetrievePropertiesEx": whole[:-40]}))
    agent.goodbye = True
    with pytest.raises(Unreachable, match="the connection broke"):
        read(session)
    assert agent.calls == ["RetrievePropertiesEx"]


def test_an_answer_in_another_dialect_is_said_to_be_one(opened: Open) -> None:
    session = opened(Agent({"RetrievePropertiesEx": answer(b"<html>")}))
    with pytest.raises(Unreachable):
        read(session)


def test_what_a_proxy_says_while_the_agent_is_away_passes(opened: Open) -> None:
    agent = Agent({"RetrievePropertiesEx": [answer(b"", "502 Bad Gateway"), answer(b"", "404 Not Found")]})
    session = opened(agent)
    with pytest.raises(Passing):
        read(session)
    with pytest.raises(Unreachable, match="404 Not Found"):
        read(session)


def test_a_connection_that_the_host_closed_meanwhile_is_opened_anew(opened: Open) -> None:
    """Nothing is sent on the old one: what writes could not be repeated."""
    agent = Agent({"RetrievePropertiesEx": shown("RetrievePropertiesEx", "name", "esx")}, goodbye=True)
    session = opened(agent)
    for _ in range(3):
        for connection, _ in session._stub.pool:
            # the goodbye has arrived
            assert select.select([connection.sock], [], [], 10.0)[0]
        assert read(session) == ["esx"]
    assert agent.calls == ["RetrievePropertiesEx"] * 3


def test_a_mistake_of_ours_is_no_broken_link(opened: Open) -> None:
    session = opened(Agent())
    with pytest.raises(TypeError):
        session.call(session.content.sessionManager, "Logout", nonsense=1)
    with pytest.raises(AttributeError):
        session.call(session.content.sessionManager, "NoSuchMethod")


def test_a_task_that_can_not_be_seen_is_looked_for_again(opened: Open) -> None:
    session = opened(Agent({"RetrievePropertiesEx": response("RetrievePropertiesEx", "<returnval/>")}))
    with pytest.raises(Passing, match="can't be seen"):
        session.wait(session.object("Task", "task-1"), 10)


def test_a_logout_that_nobody_answers_ends_soon(mine: Identity) -> None:
    agent = Agent()
    with serving(mine, agent.talk) as there:
        session = connect(there.target(thumbprint=mine.thumbprint))
        agent.says["Logout"] = lambda request: there.stop.wait() and b""
        began = time.monotonic()
        session.close()
        assert time.monotonic() - began < GOODBYE_SECONDS + 2
        assert PASSWORD not in repr(session.__dict__)
