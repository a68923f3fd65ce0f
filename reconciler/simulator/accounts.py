"""root's account, for SSH and the SDK alike: right passwords, failures, and the lock after several of them.

Source: field guide, section 13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.simulator.host import Host


def locked(host: Host) -> bool:
    """Whether the account is locked now."""
    lock = host.release.lock
    if lock is None:
        return False
    failures, seconds = lock
    recent = host.failures[-failures:]
    return len(recent) == failures and host.now() < recent[-1] + seconds


def admits(host: Host, user: str, password: str) -> bool:
    """Whether that password opens the account now."""
    return user == "root" and password == host.model.root_password and not locked(host)


def failed(host: Host, method: str) -> None:
    """Count a failure; while the account is locked, tries do not make it longer."""
    host.logins.append((method, False))
    if not locked(host):
        host.failures.append(host.now())


def entered(host: Host, method: str) -> None:
    """Somebody is in: what failed before is forgotten."""
    host.logins.append((method, True))
    host.failures.clear()
