"""The door to a host's shell: shut until something behind it is needed, and then opened at most once, or found shut."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.contact.ssh import SshWay
from reconciler.faults import LoginRefused, Unreachable
from reconciler.secrets import SecretUnavailable

OFF = "SSH is off"


class Door:
    """`shut` says why SSH can't be had; None as long as it is open, or has not been tried. A refused login is tried
    again only after something was done that may have changed the answer: ESXi locks root after a few failures."""

    def __init__(self, connect: Callable[[], SshWay], forbidden: str | None = None) -> None:
        self._connect, self._forbidden = connect, forbidden
        self.way: SshWay | None = None
        self.shut: str | None = forbidden
        self.refused: str | None = None

    @property
    def untried(self) -> bool:
        return self.way is None and self.shut is None

    def opened(self) -> SshWay | None:
        """The way over SSH, if it can be had. Raises faults.HostKeyRefused, faults.Unsupported."""
        if not self.untried:
            return self.way
        try:
            self.way = self._connect()
        except Unreachable as fault:
            self.shut = f"SSH can't be reached: {fault.message}"
        except (LoginRefused, SecretUnavailable) as fault:
            self.shut = self.refused = f"SSH does not let us in: {fault.message}"
        return self.way

    def lock(self, why: str) -> None:
        """It is known to be shut: nothing is tried. A session that is open lives on."""
        if self.way is None:
            self.shut = self._forbidden or why

    def unlock(self) -> None:
        """Something was done that may have opened it, unless nobody may open it at all."""
        self.shut, self.refused = self._forbidden, None

    def close(self) -> None:
        if self.way is not None:
            self.way.close()


def locked(why: str) -> Door:
    """A door that nobody may open."""

    def never() -> SshWay:
        raise Unreachable(why, next="")

    return Door(never, why)
