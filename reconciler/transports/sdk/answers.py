"""How the API says no: faults as exceptions that tell what has to happen next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MOST_WORDS = 600
NOT_AUTHENTICATED = "vim.fault.NotAuthenticated"
PASSING = (
    "vmodl.fault.SystemError",
    "vmodl.fault.HostCommunication",
    "vmodl.fault.HostNotConnected",
    "vmodl.fault.HostNotReachable",
    "vim.fault.HostConnectFault",
)


class MethodFault(Exception):
    """The API refused a call. `name` is the fault's, `said` the host's words, on one line; `details` is the fault
    itself, for who knows it."""

    def __init__(self, name: str, said: str, details: Any = None) -> None:
        super().__init__(f"{name}: {said}" if said else name)
        self.name, self.said, self.details = name, said, details


class Restricted(MethodFault):
    """The licence forbids it (vim.fault.RestrictedVersion)."""


class NoRight(MethodFault):
    """The account may not do it (vim.fault.NoPermission). `privilege` is the one that it lacks, where it is told."""

    @property
    def privilege(self) -> str:
        return getattr(self.details, "privilegeId", None) or ""


class Passing(MethodFault):
    """No refusal: the management agent is away for a moment, or something behind it. Looking again decides; a call that
    writes may have had its effect."""


def translated(fault: Any) -> MethodFault:
    """A fault object of pyVmomi as an answer."""
    name = getattr(type(fault), "_wsdlName", None) or type(fault).__name__
    full = type(fault).__name__
    kinds = {"vim.fault.RestrictedVersion": Restricted, "vim.fault.NoPermission": NoRight}
    kind = kinds.get(full, Passing if full in PASSING else MethodFault)
    return kind(full, _words(fault) or name, fault)


def _words(fault: Any) -> str:
    """The host's words: the fault's own message, and those below it."""
    lines = dict.fromkeys(" ".join(text.split()) for text in _texts(fault) if text)
    return "; ".join(lines)[:MOST_WORDS]


def _texts(fault: Any) -> Iterator[str]:
    yield getattr(fault, "msg", None) or ""
    for message in getattr(fault, "faultMessage", None) or ():
        yield getattr(message, "message", None) or ""
    cause = getattr(fault, "faultCause", None)
    if cause is not None and cause is not fault:
        yield getattr(cause, "msg", None) or ""
