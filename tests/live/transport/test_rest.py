"""Sessions over SSH that rest between two uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.faults import LoginRefused, Refused
from reconciler.secrets import SecretUnavailable
from reconciler.simulator import Farm, HostHandle, HostModel
from reconciler.transports import ssh
from reconciler.transports.ssh import SshTarget, connect
from reconciler.transports.target import DEFAULT_LIMITS
from tests.live.transport.servers import Keys, line
from tests.live.transport.slow_link import slow_link

FAST = 1e9


@pytest.fixture
def host(keys: Keys) -> Iterator[HostHandle]:
    root = f"{line(keys.user)} root\n".encode()
    with Farm.start([HostModel("esx", "6.7", authorized_keys=root)]) as farm:
        yield farm.host("esx")


def target(host: HostHandle, keys: Keys) -> SshTarget:
    return SshTarget("esx", host.address, host.port, key=keys.file, host_key=host.host_keys[0])


def test_a_session_goes_on_after_a_rest(host: HostHandle, keys: Keys) -> None:
    session = connect(target(host, keys))
    for _ in range(3):
        assert session.run(b"echo in\n", limit=20).out == b"in\n"
        assert session.rest()
        assert session.stands()
    assert session.rest(), "a channel that nobody used is closed"
    assert session.stands()
    assert session.receive("cat", lambda piece: None, limit=20).status == 0
    session.close()
    assert not session.rest()
    assert not session.stands()
    assert host.execs == 4


def test_a_link_that_has_fallen_silent_is_noticed_soon(
    host: HostHandle, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "WARM_SECONDS", 0.3)
    with slow_link(host.address, host.port, FAST) as link:
        session = connect(replace(target(host, keys), address="127.0.0.1", port=link.port))
        assert session.rest()
        link.silent = True
        assert not session.stands()
        session.close()


def test_a_session_on_which_something_went_wrong_is_not_sound(host: HostHandle, keys: Keys) -> None:
    session = connect(target(host, keys), limits=replace(DEFAULT_LIMITS, output=10))
    with pytest.raises(Refused):
        session.run(b"echo a long line\n", limit=20)
    assert not session.rest()
    session.close()


def test_a_key_that_was_refused_is_told_when_the_password_can_not_be_had(
    host: HostHandle, keys: Keys
) -> None:
    """Something was sent, so that the next try must wait."""

    def none() -> str:
        raise SecretUnavailable("no secret from {env: ESXI}: there is no such variable", next="set it")

    wish = replace(target(host, keys), password=none, password_source="{env: ESXI}")
    host.files.write(host.keys_path, b"")
    with pytest.raises(LoginRefused) as caught:
        connect(wish)
    assert "offered: key" in caught.value.message
    assert "not offered: the password from {env: ESXI} (no secret from" in caught.value.message
    assert caught.value.next.startswith("Set it.")
