"""Logins as they are told apart: where somebody logs in, by which way, and with what."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Any

from reconciler.desired.host import DesiredHost
from reconciler.desired.model import ApiAccess, Secret, SshAccess, VcenterAccess
from reconciler.records import record
from reconciler.transports.keys import DEFAULT_IDENTITIES

Stamps = tuple[tuple[int, int, int] | None, ...]


@record
class Login:
    """One login. `evidence` is a digest of what the spec says of it and of the stamps of the files that it names: as
    long as it is the same, so are the credentials, as far as can be told. It tells nothing of a secret."""

    way: str
    address: str
    port: int
    user: str
    evidence: str

    @property
    def door(self) -> str:
        """The account that would be locked: `USER@ADDRESS:PORT`."""
        return f"{self.user}@{self.address}:{self.port}"


def ssh_login(host: DesiredHost, *, password: bool = True) -> Login:
    """A session over SSH. Without `password` only keys are offered."""
    access = host.access.ssh
    if password or access.password is None:
        return _ssh("ssh", host, access)
    return _ssh("ssh, keys alone", host, access.model_copy(update={"password": None}))


def proof_login(host: DesiredHost, file: str) -> Login:
    """The proof that the key of a private key file lets in."""
    access = host.access.ssh.model_copy(update={"key": file, "password": None})
    return _ssh(f"ssh, proof of {file}", host, access)


def sdk_login(host: DesiredHost) -> Login:
    """A session over the SDK."""
    return _api("sdk", host.address, host.access.sdk)


def vcenter_login(access: VcenterAccess) -> Login:
    """A session with a vCenter."""
    return _api("vcenter", access.address, access)


def session_logins(host: DesiredHost) -> tuple[Login, ...]:
    """Those with which a pass over the host may begin."""
    access = host.access
    if access.sdk.password is None or access.prefer == "ssh":
        return (ssh_login(host),)
    return (sdk_login(host),) if access.prefer == "sdk" else (sdk_login(host), ssh_login(host))


def access_stamps(host: DesiredHost) -> Stamps:
    """What changes with every file that `access` names for a login to the host, whichever way is preferred."""
    return stamps([*_ssh_files(host.access.ssh), _file(host.access.sdk.password)])


def stamps(files: Iterable[str | None]) -> Stamps:
    """What changes with a file: when it was written, its size, which file it is. None for one that is not there."""
    return tuple(_stamp(file) for file in files if file is not None)


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        seen = os.stat(file)
    except (OSError, ValueError):
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def _ssh(way: str, host: DesiredHost, access: SshAccess) -> Login:
    return Login(way, host.address, access.port, access.user, _evidence(access, _ssh_files(access)))


def _ssh_files(access: SshAccess) -> list[str | None]:
    keys = [access.key] if access.key is not None else [os.path.expanduser(it) for it in DEFAULT_IDENTITIES]
    return [*keys, _file(access.password)]


def _api(way: str, address: str, access: ApiAccess) -> Login:
    return Login(way, address, access.port, access.user, _evidence(access, [_file(access.password)]))


def _file(secret: Secret | None) -> str | None:
    return None if secret is None else secret.file


def _evidence(access: Any, files: Iterable[str | None]) -> str:
    told = f"{access.model_dump_json()}\n{stamps(files)}"
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
