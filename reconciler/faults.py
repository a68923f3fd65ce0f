"""What can go wrong with a host, typed by what has to happen next."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath


class FaultKind(StrEnum):
    """The kinds of the report's `fault.kind`."""

    UNREACHABLE = "unreachable"
    LOGIN = "login"
    HOST_KEY = "hostKey"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"
    NOT_CONVERGED = "notConverged"
    BUG = "bug"


class Fault(Exception):
    """Ends a host's pass, or one step of it.

    `message` says what, where and why in one readable text; `next` what a person can do about it. Neither ever
    holds a secret. `kind` is set by the subclass.
    """

    kind: FaultKind = FaultKind.BUG

    def __init__(self, message: str, *, next: str) -> None:
        super().__init__(message)
        self.message = message
        self.next = next


class Unreachable(Fault):
    """No TCP connection or no session: nothing answers, or what answers does not speak SSH. Try later."""

    kind = FaultKind.UNREACHABLE


class Silent(Unreachable):
    """Whoever is there says nothing: dead, or slow. No credentials were sent yet."""


class LoginRefused(Fault):
    """The host refused the credentials. Not tried again in a hurry: ESXi locks root after a few failures."""

    kind = FaultKind.LOGIN


class HostKeyRefused(Fault):
    """The host's key is unknown or not the expected one; nothing was sent."""

    kind = FaultKind.HOST_KEY


class CertificateRefused(HostKeyRefused):
    """The certificate is not the expected one, or nothing vouches for it; no password was sent."""


class Unsupported(Fault):
    """What answers is no ESXi that this version manages."""

    kind = FaultKind.UNSUPPORTED


class Refused(Fault):
    """The host answered a write with an error of its own, which the message quotes."""

    kind = FaultKind.REFUSED


class NotConverged(Fault):
    """A write was accepted, but looking again shows that the wish is not fulfilled."""

    kind = FaultKind.NOT_CONVERGED


class Bug(Fault):
    """Something that should never happen; ends that host's pass, loudly, and no other host's."""

    kind = FaultKind.BUG

    @classmethod
    def of(cls, host: str, error: Exception) -> Bug:
        """The fault for an exception that nobody expected: its type and place, without a traceback."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        code = trace.tb_frame.f_code if trace is not None else None
        place = (
            f" in {code.co_name} ({PurePath(code.co_filename).name}:{trace.tb_lineno})"
            if code and trace
            else ""
        )
        message = f"{host}: this is a bug of the reconciler: {type(error).__name__}{place}: {error}"
        return cls(message, next="report it with this line; other hosts were not touched by it")
