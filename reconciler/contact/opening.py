"""Open the ways to a host as its spec says: which first, and what becomes of one that can't be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.contact.circumstances import Circumstances
from reconciler.contact.door import Door, locked
from reconciler.contact.ssh import SshWay, ssh_target
from reconciler.contact.ways import Ways
from reconciler.desired.host import DesiredHost
from reconciler.faults import Fault, LoginRefused, Unreachable
from reconciler.secrets import SecretUnavailable
from reconciler.transports import hostkeys
from reconciler.transports.target import SshTarget

if TYPE_CHECKING:
    from reconciler.contact.sdk import SdkWay

ONLY_SDK = "`prefer: sdk` lets nothing go over SSH"


def open_contact(host: DesiredHost, state_dir: Path, around: Circumstances) -> Ways:
    """Open what is needed to look at the host. With a password under `sdk` the SDK is logged in to first.

    Raises faults.Unreachable, faults.LoginRefused, faults.HostKeyRefused (a certificate is one too) and
    faults.Unsupported.
    """

    def shell(password: bool) -> SshWay:
        return SshWay(host, state_dir, around, password=password)

    access = host.access
    if access.sdk.password is None or access.prefer == "ssh":
        return Ways(host, None, _opened(shell), (), around)
    if access.prefer == "sdk":
        api = _logged_in(host, state_dir, around)
        return Ways(host, api, locked(ONLY_SDK), _remarks(host, api), around)
    try:
        api = _logged_in(host, state_dir, around)
    except (Unreachable, LoginRefused, SecretUnavailable) as fault:
        return Ways(
            host, None, _left_alone(shell, fault), (f"the SDK was not used: {fault.message}",), around
        )
    return Ways(host, api, _beside(host, api, state_dir, shell, around), _remarks(host, api), around)


def _logged_in(host: DesiredHost, state_dir: Path, around: Circumstances) -> SdkWay:
    from reconciler.contact.sdk import SdkWay

    return SdkWay(host, state_dir, around)


def _opened(shell: Callable[[bool], SshWay]) -> Door:
    """SSH, as the only way."""
    door = Door(shell)
    door.way = shell(True)
    return door


def _left_alone(shell: Callable[[bool], SshWay], trouble: Fault) -> Door:
    """SSH, since the SDK can't be had. Neither: the fault of the one tells of both; a refusal outlasts a silence."""
    try:
        return _opened(shell)
    except Unreachable as fault:
        both = f"{fault.message}; nor does the SDK help: {trouble.message}"
        raise type(trouble)(both, next=f"{fault.next}\n{trouble.next}") from fault


def _beside(
    host: DesiredHost, api: SdkWay, state_dir: Path, shell: Callable[[bool], SshWay], around: Circumstances
) -> Door:
    """SSH, beside an open session over the SDK; where that may only read, it is opened at once."""

    def vouched(password: bool) -> SshWay:
        if not host.access.sdk.insecure:
            _learn_host_key(ssh_target(host, state_dir), api)
        return shell(password)

    door = Door(vouched, strict=api.restricted, pause=around.pause)
    try:
        if api.restricted:
            door.opened()
    except BaseException:
        api.close()
        raise
    return door


def _learn_host_key(target: SshTarget, api: SdkWay) -> None:
    """With `trustOnFirstUse` the key of a host of which none is known is taken from where the certificate that was
    checked vouches for it, if the host answers there; else it is taken as it is shown, as ever."""
    if not target.trust_on_first_use or hostkeys.known_keys(target):
        return
    answer = api.host_key()
    if answer is not None:
        hostkeys.learn(target, answer)


def _remarks(host: DesiredHost, api: SdkWay) -> Iterator[str]:
    if host.access.sdk.insecure:
        yield (
            "access.sdk.insecure: nobody checks who answers, and the password goes there all the same; "
            f"pin the certificate instead: thumbprint: {api.session.fingerprint!r}"
        )
    if api.doubt is not None:
        yield (
            "whether the licence lets the SDK write can't be told, so it is only read over it; "
            f"the host said: {api.doubt}"
        )
