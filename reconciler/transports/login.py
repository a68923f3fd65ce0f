"""Which credentials a host is offered, in which order, and what a refusal says.

Every failed try counts: ESXi locks the account after 5 (10 on 6.0), for 15 minutes (field guide: values of
Security.AccountLockFailures and AccountUnlockTime by version).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.faults import Fault, LoginRefused
from reconciler.records import record
from reconciler.transports.algorithms import rsa_signatures
from reconciler.transports.keys import PublicKey
from reconciler.transports.target import SshTarget

KEYS_OFFERED_MAX = 3


@record
class Offer:
    """A key that can be offered: its public half, what messages call it, and the object that signs."""

    public: PublicKey
    label: str
    signer: Any = field(repr=False)


class Door(Protocol):
    """An encrypted connection to a host whose key was checked, not yet logged in."""

    def server_version(self) -> str:
        """The version line of the server."""

    def server_signatures(self) -> tuple[str, ...]:
        """The server's own list of signature algorithms (server-sig-algs), empty when it sent none."""

    def methods(self) -> tuple[str, ...] | None:
        """The ways to log in that the server takes; None when it asks for nothing at all."""

    def offer_key(self, signer: Any, signatures: tuple[str, ...]) -> bool:
        """One try with one key; `signatures` are for RSA keys. True when that was the login."""

    def offer_password(self, password: bytes, *, interactive: bool) -> bool:
        """One try with a password, as keyboard-interactive if asked for. True when that was the login."""


@dataclass
class _Story:
    """What a refusal tells."""

    offered: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)


def log_in(target: SshTarget, door: Door, offers: Sequence[Offer]) -> PublicKey | None:
    """Log in with the first key that works, else with the password; return the key that worked.

    Raises LoginRefused when nothing worked; no credential is offered twice.
    """
    accepted = door.methods()
    if accepted is None:
        return None
    story = _Story()
    key = _by_key(target, door, offers, story) if "publickey" in accepted else None
    if key is not None:
        return key
    if "publickey" not in accepted and offers:
        story.left_out.append("keys (the host takes none)")
    if _by_password(target, door, accepted, story):
        return None
    raise _refusal(target, accepted, story)


def _by_key(target: SshTarget, door: Door, offers: Sequence[Offer], story: _Story) -> PublicKey | None:
    signatures = rsa_signatures(target.legacy_algorithms, door.server_signatures(), door.server_version())
    for offer in offers:
        if offer.public.type == "ssh-rsa" and not signatures:
            story.left_out.append(f"{offer.label} (the host takes only SHA-1 signatures of RSA keys)")
            story.advice.append("Set access.ssh.legacyAlgorithms: true.")
            continue
        if len(story.offered) == KEYS_OFFERED_MAX:
            story.left_out.append("more keys")
            story.advice.append("Name the right key in access.ssh.key.")
            break
        story.offered.append(offer.label)
        if door.offer_key(offer.signer, signatures):
            return offer.public
        if offer.public.type == "ssh-ed25519":
            story.advice.append("ESXi 8 refuses Ed25519 keys: use an RSA key of 3072 bits.")
    return None


def _by_password(target: SshTarget, door: Door, accepted: tuple[str, ...], story: _Story) -> bool:
    if target.password is None:
        return False
    label = f"the password from {target.password_source}" if target.password_source else "the password"
    if "password" not in accepted and "keyboard-interactive" not in accepted:
        story.left_out.append(f"{label} (the host takes none)")
        return False
    try:
        password = target.password().encode("utf-8", "surrogateescape")
    except Fault as fault:
        if not story.offered:
            raise
        story.left_out.append(f"{label} ({fault.message})")
        story.advice.append(f"{fault.next[:1].upper()}{fault.next[1:]}.")
        return False
    story.offered.append(label)
    return door.offer_password(password, interactive="password" not in accepted)


def _refusal(target: SshTarget, accepted: tuple[str, ...], story: _Story) -> LoginRefused:
    parts = [
        f"{target.place}: login as {target.user} refused; offered: {', '.join(story.offered) or 'nothing'}"
    ]
    if story.left_out:
        parts.append(f"not offered: {', '.join(story.left_out)}")
    parts.append(f"the host accepts: {', '.join(accepted) or 'nothing'}")
    return LoginRefused("; ".join(parts), next=" ".join([*dict.fromkeys(story.advice), advice(target)]))


def advice(target: SshTarget) -> str:
    """What to do about a refused login."""
    return (
        "Put the public key into the host's authorized_keys (/etc/ssh/keys-root/authorized_keys from ESXi "
        f"5.0 on, /.ssh/authorized_keys on 4.x), or correct access.ssh; check it with: ssh -p {target.port} "
        f"{target.user}@{target.address}. After 5 failures ESXi locks {target.user} for 15 minutes."
    )
