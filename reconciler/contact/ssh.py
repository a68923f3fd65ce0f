"""The way over SSH: opened once it is needed, if it can be, or taken warm from the last pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from reconciler import secrets
from reconciler.actuators.ssh.hands import SshHands
from reconciler.contact.circumstances import Circumstances
from reconciler.desired.host import DesiredHost
from reconciler.facts import Product, Unseen
from reconciler.kinds.key_lines import parse_key_line, refused_by
from reconciler.observers.ssh.eyes import SshEyes
from reconciler.state.logins import Login, proof_login, ssh_login, stamps
from reconciler.transports.ssh import SshSession, SshTarget, connect, prove_login, public_half


class SshWay:
    """An open session over SSH, with eyes and hands; without `password` only keys are offered.

    Raises what `transports.ssh.connect` and `Refusals.ask` raise.
    """

    def __init__(
        self, host: DesiredHost, state_dir: Path, around: Circumstances, *, password: bool = True
    ) -> None:
        target = ssh_target(host, state_dir)
        self._host, self._refusals, self._around = host, around.refusals, around
        self._state_dir = state_dir
        self._target = target if password else replace(target, password=None)
        login = ssh_login(host, password=password)
        key = (login, stamps([None if target.trust_on_first_use else target.known_hosts]))
        self._lease = around.pool.lease((host.name, "ssh"), key, lambda: self._connected(login))
        self._session: SshSession = self._lease.session
        self.eyes = SshEyes(self._session, around.pause, around.waiting(host.name))

    def _connected(self, login: Login) -> SshSession:
        self._refusals.ask(login)
        with self._around.patience() as patience:
            return connect(self._target, gate=lambda: self._refusals.attempt(login), patience=patience)

    def hands(self, product: Product) -> SshHands:
        """Hands that know that version's commands."""
        work = self._around.work(self._host.name, self._state_dir)
        return SshHands(self._session, product.version, work)

    def prove_keys(self, lines: Iterable[bytes], product: Product) -> None:
        """Log in afresh with each of these keys whose private half is at hand; each is offered once.

        Left out are lines with options (such a key may be meant for one command or one address only) and keys that
        this version refuses, which is a finding already. Raises faults.LoginRefused and what else a new connection
        may raise.
        """
        keys = [parse_key_line(line.decode("utf-8", "surrogateescape")) for line in lines]
        usable = (
            key
            for key in keys
            if key is not None and not key.options and not refused_by(key, product.version)
        )
        written = {key.identity for key in usable}
        for file in _private_keys(self._host):
            half = parse_key_line(public_half(file) or "")
            if half is not None and half.identity in written:
                login = proof_login(self._host, file)
                prove_login(self._target, file, gate=partial(self._refusals.attempt, login))

    def leave(self) -> None:
        """Nobody is to use this session after this pass."""
        self._lease.kept = False

    def close(self) -> None:
        self._lease.close()


def ssh_target(host: DesiredHost, state_dir: Path) -> SshTarget:
    """The host's SSH service."""
    ssh = host.access.ssh
    password = ssh.password
    return SshTarget(
        host=host.name,
        address=host.address,
        port=ssh.port,
        user=ssh.user,
        key=ssh.key,
        password=(lambda: secrets.resolve(password)) if password else None,
        password_source=str(password) if password else None,
        host_key=ssh.host_key,
        known_hosts=ssh.known_hosts,
        trust_on_first_use=ssh.trust_on_first_use,
        trust_file=ssh.known_hosts or str(state_dir / "known_hosts"),
        legacy_algorithms=ssh.legacy_algorithms,
    )


def _private_keys(host: DesiredHost) -> list[str]:
    """The private key of the spec, and those that lie beside a public key file that it names."""
    beside = [file.removesuffix(".pub") for file in host.key_files if file.endswith(".pub")]
    named = [host.access.ssh.key] if host.access.ssh.key else []
    return list(dict.fromkeys(named + [file for file in beside if Path(file).is_file()]))


def own_key(host: DesiredHost) -> str | Unseen | None:
    """`TYPE BASE64` of the key with which a session over SSH would log in, as far as the spec tells; None: it names
    none."""
    file = host.access.ssh.key
    if file is None:
        return None
    try:
        beside = Path(f"{file}.pub").read_text(encoding="utf-8", errors="replace")
    except OSError:
        beside = ""
    key = parse_key_line(public_half(file) or beside.strip())
    return Unseen(f"the public half of {file} can't be told") if key is None else f"{key.type} {key.blob}"
