"""What an SSH session needs to know about a host, how long and how much it may take, and who is asked before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from reconciler.records import record

Gate = Callable[[], AbstractContextManager[None]]
"""Entered around whatever sends credentials; may raise faults.LoginRefused or faults.Unreachable instead."""


@record
class SshTarget:
    """One host as the spec describes it. Files are absolute paths.

    `host` is the name in the specs, for messages. `password` is called only when no key works;
    `password_source` is the reference that messages show in its place, such as `{env: ESXI_PASSWORD}`.
    `host_key` is a pinned "TYPE BASE64". `known_hosts` stands in for both `~/.ssh/known_hosts` and
    `trust_file`, the file of the keys that were accepted on first use.
    """

    host: str
    address: str
    port: int = 22
    user: str = "root"
    key: str | None = None
    password: Callable[[], str] | None = None
    password_source: str | None = None
    host_key: str | None = None
    known_hosts: str | None = None
    trust_on_first_use: bool = False
    trust_file: str | None = None
    legacy_algorithms: bool = False

    @property
    def endpoint(self) -> str:
        """`ADDRESS:PORT`, an IPv6 address in brackets."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def place(self) -> str:
        """The host as messages name it: its name and where it was looked for."""
        return f"{self.host} ({self.endpoint})"


@record
class Limits:
    """Time limits in seconds, and the size limit of one command's output in bytes.

    `connect` is for the TCP connection, `banner` for the version line and the key exchange, `login` for the
    whole login, `total` for all three together, `silence` for a running command that sends no byte.
    """

    connect: float = 15.0
    banner: float = 15.0
    login: float = 20.0
    total: float = 28.0
    silence: float = 120.0
    output: int = 16 * 1024 * 1024

    def at_first(self, patience: float | None) -> Limits:
        """With so many seconds at most for the TCP connection, and for the key exchange."""
        if patience is None:
            return self
        return replace(self, connect=min(patience, self.connect), banner=min(patience, self.banner))


DEFAULT_LIMITS = Limits()
WARM_SECONDS = 15.0
"""Whoever answered when a session was opened has so long to answer again after a rest."""
