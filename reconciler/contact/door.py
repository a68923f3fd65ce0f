"""The door to a host's shell: shut until something behind it is needed, and then opened at most once, or found shut."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.contact.ssh import SshWay
from reconciler.faults import HostKeyRefused, LoginRefused, Unreachable
from reconciler.secrets import SecretUnavailable

OFF = "SSH is off"
SETTLING = (1.0, 2.0)
"""Pauses in seconds before further tries at an SSH service that was started a moment ago."""


def _at_once(seconds: float) -> None:
    """For a door that nobody waits at."""


class Door:
    """`shut` says why SSH can't be had; None as long as it is open, or has not been tried. `refused` is a finding.

    `connect` is told whether a password may be sent: after a login that was refused it may not, since ESXi locks root
    after a few failures. `strict`: SSH is the only way that may write, so that a host key that is not the expected one
    ends the pass; beside another way the door stays shut. `forbidden`: nobody may open it, and why.
    """

    def __init__(
        self,
        connect: Callable[[bool], SshWay],
        forbidden: str | None = None,
        *,
        strict: bool = False,
        pause: Callable[[float], None] = _at_once,
    ) -> None:
        self._connect, self.forbidden, self._strict, self._pause = connect, forbidden, strict, pause
        self.way: SshWay | None = None
        self.shut: str | None = forbidden
        self.refused: str | None = None
        self._settling: tuple[float, ...] = ()
        self._password = True

    @property
    def untried(self) -> bool:
        return self.way is None and self.shut is None

    def opened(self) -> SshWay | None:
        """The way over SSH, if it can be had. Raises faults.Unsupported; where it is strict, faults.HostKeyRefused."""
        if not self.untried:
            return self.way
        pauses, self._settling = self._settling, ()
        self._try()
        for seconds in pauses:
            if self.way is not None or self.refused is not None:
                break
            self._pause(seconds)
            self._try()
        return self.way

    def _try(self) -> None:
        try:
            self.way, self.shut = self._connect(self._password), None
        except Unreachable as fault:
            self.shut = f"SSH can't be reached: {fault.message}"
        except (LoginRefused, SecretUnavailable) as fault:
            self._password = False
            self.shut = self.refused = f"SSH does not let us in: {fault.message}"
        except HostKeyRefused as fault:
            if self._strict:
                raise
            self.shut = self.refused = f"SSH is not used: {fault.message}"

    def lock(self, why: str) -> None:
        """It is known to be shut: nothing is tried. A session that is open lives on."""
        if self.way is None:
            self.shut = self.forbidden or why

    def unlock(self, *, started: bool = False) -> None:
        """Something was done that may have opened it, unless nobody may open it at all. `started`: the service was, and
        may need a moment."""
        self.shut, self.refused = self.forbidden, None
        self._settling = SETTLING if started else ()

    def close(self) -> None:
        if self.way is not None:
            self.way.close()


def locked(why: str) -> Door:
    """A door that nobody may open."""

    def never(password: bool) -> SshWay:
        raise Unreachable(why, next="")

    return Door(never, why)
