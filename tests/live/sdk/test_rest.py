"""Sessions over the SDK that rest between two uses, and vCenters in a loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from reconciler.contact import vcenter as desks_of
from reconciler.contact.vcenter import VCenters
from reconciler.placement_facts import Tree
from reconciler.state.refusals import Refusals
from reconciler.transports.sdk import NoRight, SdkSession, connect, session
from tests.live.sdk.agent import CONTENT, Agent, fault, response
from tests.live.sdk.govmomi import Govmomi
from tests.live.sdk.test_vcenters import desks
from tests.live.sdk.tls import Identity, answer, identity, serving


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("certificates"), "esx")


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def opened(mine: Identity, agent: Agent) -> Iterator[SdkSession]:
    with serving(mine, agent.talk) as there:
        opened = connect(there.target(thumbprint=mine.thumbprint))
        agent.calls.clear()
        yield opened
        opened.close()


def test_a_session_goes_on_after_a_rest_without_a_login(opened: SdkSession, agent: Agent) -> None:
    for _ in range(2):
        assert opened.rest()
        assert opened.stands()
    assert agent.calls == ["RetrieveServiceContent"] * 2


def test_a_host_that_was_upgraded_is_not_the_same(opened: SdkSession, agent: Agent) -> None:
    newer = CONTENT.replace("6.5.0", "7.0.3")
    agent.says["RetrieveServiceContent"] = response("RetrieveServiceContent", newer)
    assert opened.rest()
    assert not opened.stands()


def test_an_agent_that_says_nothing_is_noticed_soon(
    opened: SdkSession, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "WARM_SECONDS", 0.3)
    end = Event()
    agent.says["RetrieveServiceContent"] = lambda request: end.wait(20) and b""
    assert not opened.stands()
    assert not opened.rest(), "the link broke"
    end.set()


def test_after_a_password_that_was_not_taken_a_session_is_not_sound(opened: SdkSession, agent: Agent) -> None:
    agent.says["/host/keys"] = answer(b"", "401 Unauthorized")
    with pytest.raises(NoRight):
        opened.https("GET", "/host/keys")
    assert not opened.rest()


def test_a_licence_that_has_expired_is_remembered(opened: SdkSession, agent: Agent) -> None:
    agent.says["Destroy_Task"] = fault("RestrictedVersion")
    assert not opened.restricted
    with pytest.raises(Exception, match="RestrictedVersion"):
        opened.call(opened.host(), "Destroy_Task")
    assert opened.restricted


def loop(refusals: Refusals | None = None, idle: float = 600.0) -> VCenters:
    return VCenters(lambda seconds: None, refusals, idle)


def test_a_loop_keeps_one_session_with_a_vcenter_until_nobody_asks_any_more(
    vcenter: Govmomi, tmp_path: Path
) -> None:
    vcenters = loop()
    there = desks(vcenters, vcenter, tmp_path)
    for _ in range(3):
        assert all(isinstance(desk.look(), Tree) for desk in there[:2])
    assert vcenter.logins == [True]
    vcenters.tidy()
    assert "Logout" not in vcenter.calls
    vcenters.know([])
    until(lambda: "Logout" in vcenter.calls)
    vcenters.close()


def test_a_loop_tries_a_vcenter_again_that_could_not_be_had(
    vcenter: Govmomi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(desks_of, "monotonic", lambda: now)
    vcenters = loop()
    there = desks(vcenters, vcenter, tmp_path)
    vcenter.trouble("503", "Login", times=3)
    moments = ((0.0, 1), (59.0, 1), (60.0, 2), (179.0, 2), (180.0, 3), (419.0, 3), (420.0, 4))
    for desk, (waited, tries) in zip(there, moments, strict=False):
        now = waited
        assert isinstance(desk.look(), Tree) == (tries == 4)
        assert vcenter.calls.count("Login") == tries
    vcenters.close()


def test_a_password_that_a_vcenter_refused_is_sent_again_when_it_has_changed_or_after_a_while(
    vcenter: Govmomi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1e9
    monkeypatch.setattr(desks_of, "monotonic", lambda: now)
    file = tmp_path / "refusals.json"

    def tries(password: str) -> list[bool]:
        """Those of two hosts in a loop that was started again."""
        vcenters = loop(Refusals(file, pytest.fail, lambda: now))
        for desk in desks(vcenters, vcenter, tmp_path, password)[:2]:
            desk.look()
        vcenters.close()
        return vcenter.logins

    secret = tmp_path / "password"
    assert tries("wrong") == [False]
    stamp = secret.stat()
    vcenters = loop(Refusals(file, pytest.fail, lambda: now))
    there = desks(vcenters, vcenter, tmp_path, "wrong")
    os.utime(secret, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    for desk, minutes in zip(there, (1, 5, 14), strict=False):
        now = 1e9 + 60 * minutes
        assert "tried again at" in str(desk.look())
    assert vcenter.logins == [False]
    assert tries("") == [False, True]


def until(there: Callable[[], bool]) -> None:
    """Wait for something, at most ten seconds."""
    moment = Event()
    for _ in range(200):
        if there():
            return
        moment.wait(0.05)
    pytest.fail("it did not come about")
