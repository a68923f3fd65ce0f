"""Logging in to a host of every version that is simulated, with a key and with the password."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.simulator import Farm, HostModel
from reconciler.transports.ssh import SshTarget, connect, prove_login
from tests.live.transport.servers import Keys, line

pytestmark = [pytest.mark.timeout(60), pytest.mark.filterwarnings("ignore:Diffie-Hellman")]

VERSIONS = ["4.1", "5.0", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0"]
PASSWORD = "vm ware!"


@pytest.fixture(scope="module")
def farm(keys: Keys) -> Iterator[Farm]:
    root = f"{line(keys.user)} root\n".encode()
    models = [
        HostModel(name=version, version=version, root_password=PASSWORD, authorized_keys=root)
        for version in VERSIONS
    ]
    with Farm.start(models) as started:
        yield started


def target(farm: Farm, version: str, key: str | None) -> SshTarget:
    host = farm.host(version)
    old = version.startswith(("4", "5", "6.0"))
    return SshTarget(
        version, host.address, host.port, key=key, host_key=host.host_keys[0], legacy_algorithms=old
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_key_logs_in_at_the_first_try(farm: Farm, keys: Keys, version: str) -> None:
    session = connect(target(farm, version, keys.file))
    output = session.run(b"echo in\n", limit=20)
    session.close()
    assert (output.status, output.out) == (0, b"in\n")
    assert session.public_key == line(keys.user)
    prove_login(target(farm, version, keys.file), keys.file)
    assert [ok for _, ok in farm.host(version).logins] == [True, True]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_password_logs_in(farm: Farm, version: str) -> None:
    wish = target(farm, version, None)
    session = connect(replace(wish, password=lambda: PASSWORD))
    session.close()
    assert session.public_key is None
