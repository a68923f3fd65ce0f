"""Old algorithms: offered on request only, and a host that needs them is told so."""

from __future__ import annotations

from dataclasses import replace

import asyncssh
import pytest

from reconciler.faults import LoginRefused, Unreachable
from reconciler.transports.ssh import SshTarget, connect
from tests.live.transport.servers import OLD, Host, Keys, line, serving

pytestmark = pytest.mark.timeout(60)


def target(host: Host, keys: Keys, key: str) -> SshTarget:
    return SshTarget("esx", "127.0.0.1", host.port, key=key, host_key=line(keys.host_rsa))


@pytest.mark.filterwarnings("ignore:Diffie-Hellman")
def test_an_old_host_needs_legacy_algorithms_and_the_fault_says_so(keys: Keys) -> None:
    with serving(Host(user_keys=[line(keys.user)]), [keys.host_rsa], **OLD) as host:
        with pytest.raises(Unreachable) as caught:
            connect(target(host, keys, keys.file))
        assert "access.ssh.legacyAlgorithms: true" in caught.value.next
        assert host.keys_tried == []
        connect(replace(target(host, keys, keys.file), legacy_algorithms=True)).close()
    assert host.keys_tried == [line(keys.user)]


@pytest.mark.parametrize("lists", [True, False], ids=["lists", "silent"])
def test_an_old_signature_costs_one_try(keys: Keys, lists: bool) -> None:
    served = Host(user_keys=[line(keys.user)], lists_signatures=lists)
    options = {"signature_algs": ["ssh-rsa"], "server_version": "OpenSSH_5.6"}
    with serving(served, [keys.host_ecdsa], **options) as host:
        wish = replace(target(host, keys, keys.file), host_key=line(keys.host_ecdsa))
        with pytest.raises(LoginRefused) as caught:
            connect(wish)
        assert host.keys_tried == []
        assert "legacyAlgorithms" in caught.value.next
        connect(replace(wish, legacy_algorithms=True)).close()
    assert host.keys_tried == [line(keys.user)]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"kex_algs": ["diffie-hellman-group18-sha512"]}, "key exchange"),
        ({"encryption_algs": ["chacha20-poly1305@openssh.com"]}, "cipher"),
        ({"encryption_algs": ["aes128-ctr"], "mac_algs": ["umac-64@openssh.com"]}, "MAC"),
    ],
)
def test_a_host_that_no_setting_helps_is_told_apart(
    keys: Keys, options: dict[str, list[str]], what: str
) -> None:
    with serving(Host(), [keys.host_rsa], **options) as host, pytest.raises(Unreachable) as caught:
        connect(target(host, keys, keys.file))
    assert f"no common {what}" in caught.value.message
    assert "legacyAlgorithms" not in caught.value.next


def test_a_host_with_nothing_but_a_dsa_key_is_told_so(keys: Keys) -> None:
    with (
        serving(Host(), [asyncssh.generate_private_key("ssh-dss")]) as host,
        pytest.raises(Unreachable) as caught,
    ):
        connect(replace(target(host, keys, keys.file), legacy_algorithms=True))
    assert "ssh-dss" in caught.value.message
    assert "DSA" in caught.value.next


@pytest.mark.parametrize(
    "options",
    [
        {"kex_algs": ["diffie-hellman-group14-sha1"]},
        {"kex_algs": ["diffie-hellman-group1-sha1"]},
        {"encryption_algs": ["aes128-cbc"]},
        {"encryption_algs": ["3des-cbc"]},
        {"encryption_algs": ["aes128-ctr"], "mac_algs": ["hmac-sha1"]},
        {"encryption_algs": ["aes128-ctr"], "mac_algs": ["hmac-md5"]},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Diffie-Hellman")
def test_nothing_old_is_offered_unasked(keys: Keys, options: dict[str, list[str]]) -> None:
    with serving(Host(user_keys=[line(keys.user)]), [keys.host_rsa], **options) as host:
        with pytest.raises(Unreachable, match="no common"):
            connect(target(host, keys, keys.file))
        connect(replace(target(host, keys, keys.file), legacy_algorithms=True)).close()
