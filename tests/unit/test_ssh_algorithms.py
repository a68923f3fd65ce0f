"""What is offered to hosts of every age."""

from __future__ import annotations

import pytest

from reconciler.transports.algorithms import LEGACY_KEX, Gap, gap, offered, rsa_signatures

SHA2 = ("rsa-sha2-512", "rsa-sha2-256")


@pytest.mark.parametrize(
    ("legacy", "listed", "version", "expected"),
    [
        (False, SHA2, "SSH-2.0-OpenSSH_9.3", SHA2),
        (True, ("ssh-rsa", *SHA2), "SSH-2.0-OpenSSH_8.3", (*SHA2, "ssh-rsa")),
        (True, ("ssh-rsa",), "SSH-2.0-OpenSSH_7.4", ("ssh-rsa",)),
        (False, ("ssh-rsa",), "SSH-2.0-OpenSSH_7.4", ()),
        (True, (), "SSH-2.0-OpenSSH_5.6", ("ssh-rsa",)),
        (False, (), "SSH-2.0-OpenSSH_5.6", ()),
        (False, (), "SSH-2.0-OpenSSH_7.1p1", ()),
        (False, (), "SSH-2.0-dropbear_0.52", ()),
        (True, (), "SSH-2.0-dropbear_0.52", ("ssh-rsa",)),
        (False, (), "SSH-2.0-dropbear_2022.83", SHA2),
        (False, (), "SSH-2.0-OpenSSH_10.0", SHA2),
        (False, (), "SSH-2.0-unknown", SHA2),
    ],
)
def test_signatures_of_rsa_keys(
    legacy: bool, listed: tuple[str, ...], version: str, expected: tuple[str, ...]
) -> None:
    assert rsa_signatures(legacy, listed, version) == expected


def test_old_algorithms_come_last_and_only_on_request() -> None:
    modern, legacy = offered(legacy=False), offered(legacy=True)
    for ours, all_of_them in ((modern.kex, legacy.kex), (modern.ciphers, legacy.ciphers)):
        assert all_of_them[: len(ours)] == ours
    text = " ".join((*modern.kex, *modern.host_keys, *modern.ciphers, *modern.macs))
    for old in ("sha1", "cbc", "md5", "ssh-rsa"):
        assert old not in text


def test_the_types_that_are_known_are_asked_for_first() -> None:
    assert offered(False, ["ssh-rsa"]).host_keys[:2] == SHA2
    assert offered(True, ["ssh-rsa"]).host_keys[:3] == (*SHA2, "ssh-rsa")
    assert offered(False, ["ecdsa-sha2-nistp384"]).host_keys[0] == "ecdsa-sha2-nistp384"
    assert offered(False, ["ssh-dss"]) == offered(False)


def test_a_gap_names_the_first_list_without_a_common_name() -> None:
    theirs = {"kex_algo_list": list(LEGACY_KEX), "server_key_algo_list": ["ssh-dss"]}
    assert gap(offered(False), theirs) == Gap("key exchange", LEGACY_KEX)
    assert gap(offered(True), theirs) == Gap("type of host key", ("ssh-dss",))
    assert gap(offered(False), {}) is None
