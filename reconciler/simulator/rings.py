"""Host keys: an ECDSA key for each host that has one, RSA keys from a small pool, since making them is slow."""

from __future__ import annotations

import asyncssh

from reconciler.simulator.host import Host

POOL = 2
RSA_BITS = 2048


class KeyRing:
    """The host keys of a farm."""

    def __init__(self) -> None:
        self._pool: list[asyncssh.SSHKey] = []

    def keys(self, host: Host, index: int) -> list[asyncssh.SSHKey]:
        """The keys of the host at `index`: RSA, from 6.5 on also ECDSA."""
        keys = [self._rsa(index)]
        if host.release.since(6, 5):
            keys.append(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
        return keys

    def _rsa(self, index: int) -> asyncssh.SSHKey:
        while len(self._pool) < min(POOL, index + 1):
            self._pool.append(asyncssh.generate_private_key("ssh-rsa", key_size=RSA_BITS))
        return self._pool[index % POOL]
