"""Which algorithms are offered to a host, in order of preference (field guide: sshd of ESXi 4.1 to 9).

What only old hosts need (SHA-1 key exchange and signatures, CBC, SHA-1 and MD5 MACs) comes last, and only on
request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from reconciler.records import record

KEX = (
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
)
LEGACY_KEX = (
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group1-sha1",
)
CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
LEGACY_CIPHERS = ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc")
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
LEGACY_MACS = ("hmac-sha1", "hmac-sha1-96", "hmac-md5", "hmac-md5-96")
HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
RSA_SHA2 = ("rsa-sha2-512", "rsa-sha2-256")
LEGACY_RSA = ("ssh-rsa",)


@record
class Algorithms:
    """What is offered in the key exchange, each list in order of preference."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


def offered(legacy: bool, known_types: Iterable[str] = ()) -> Algorithms:
    """All that is offered; host keys of the types in `known_types` ("ssh-rsa" is any RSA key) come first."""
    if not legacy:
        return Algorithms(KEX, _known_first(HOST_KEYS, known_types), CIPHERS, MACS)
    host_keys = _known_first((*HOST_KEYS, *LEGACY_RSA), known_types)
    return Algorithms(KEX + LEGACY_KEX, host_keys, CIPHERS + LEGACY_CIPHERS, MACS + LEGACY_MACS)


def _known_first(names: tuple[str, ...], known_types: Iterable[str]) -> tuple[str, ...]:
    known = set(known_types)
    if "ssh-rsa" in known:
        known.update(RSA_SHA2)
    return tuple(sorted(names, key=lambda name: name not in known))


def rsa_signatures(legacy: bool, listed: Iterable[str], server_version: str) -> tuple[str, ...]:
    """The signature algorithms an RSA key may use with this server, the best first; empty when none is left.

    `listed` is the server's own list (server-sig-algs, RFC 8308), empty when it sent none. Servers that know
    SHA-2 send it, so without it `ssh-rsa` is the only one where that is allowed: a wrong guess would cost one
    of the tries after which ESXi locks the account.
    """
    allowed = RSA_SHA2 + LEGACY_RSA if legacy else RSA_SHA2
    names = set(listed)
    if names:
        return tuple(name for name in allowed if name in names)
    if legacy:
        return LEGACY_RSA
    return () if _before_sha2(server_version) else RSA_SHA2


def _before_sha2(server_version: str) -> bool:
    """SHA-2 signatures of RSA keys came with OpenSSH 7.2 and dropbear 2020.79 (their release notes)."""
    openssh = re.search(r"OpenSSH_(\d+)\.(\d+)", server_version)
    if openssh:
        return (int(openssh[1]), int(openssh[2])) < (7, 2)
    dropbear = re.search(r"dropbear_(\d+)\.(\d+)", server_version)
    return dropbear is not None and (int(dropbear[1]), int(dropbear[2])) < (2020, 79)


@record
class Gap:
    """A list in which nothing is common: what it is for, and what the server has in it."""

    what: str
    theirs: tuple[str, ...]


def gap(ours: Algorithms, theirs: Mapping[str, Sequence[str]]) -> Gap | None:
    """The first list without a common name; None when there is one in each, or the server sent no lists.

    `theirs` has the server's lists (SSH_MSG_KEXINIT, RFC 4253, section 7.1) under paramiko's names.
    """
    for what, names, field in (
        ("key exchange", ours.kex, "kex_algo_list"),
        ("type of host key", ours.host_keys, "server_key_algo_list"),
        ("cipher", ours.ciphers, "client_encrypt_algo_list"),
        ("MAC", ours.macs, "client_mac_algo_list"),
    ):
        if field in theirs and not set(names) & set(theirs[field]):
            return Gap(what, tuple(theirs[field]))
    return None
