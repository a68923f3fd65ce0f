"""What a host's refusal over the SDK means, as an answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.privileges import privilege
from reconciler.transports.sdk.answers import MethodFault, NoRight, Passing, Restricted
from reconciler.verbs import Verb

FREE_LICENCE = (
    "the free licence lets the SDK only read: give SSH access in the spec (access.ssh), license the host, "
    "or do it by hand in the host's console"
)
_VOLUMES_FULL = "NFS has reached the maximum number of supported volumes"
_MORE_VOLUMES = (
    "raise NFS.MaxVolumes (for NFS 4.1 NFS41.MaxVolumes) on the host, and Net.TcpipHeapMax with it"
)
DEPTH = 5
"""A fault names its cause, which is a fault again: so many of them are read."""


def refusal(fault: MethodFault, verb: Verb) -> Answer:
    """The answer for a fault."""
    said = words(fault)
    return Answer(False, said, isinstance(fault, Passing), _next(fault, verb, said))


def words(fault: MethodFault) -> str:
    """All that a fault says, on one line: its own words, its texts, and those of the faults that caused it."""
    told: list[str] = []
    for text in (fault.said, *_texts(fault.details, DEPTH)):
        line = " ".join(text.split())
        if line and not any(line in other for other in told):
            told.append(line)
    return "; ".join(told) or fault.name


def _next(fault: MethodFault, verb: Verb, said: str) -> str:
    if isinstance(fault, Restricted):
        return FREE_LICENCE
    if isinstance(fault, NoRight):
        needed = fault.privilege or privilege(verb)
        return f"give the user the privilege {needed} on the host" if needed else ""
    return _MORE_VOLUMES if _VOLUMES_FULL in said else ""


def _texts(fault: Any, depth: int) -> Iterator[str]:
    """The texts of a fault of pyVmomi: `msg`, `text` (PlatformConfigFault), `faultMessage`, then of its `faultCause`,
    which the API wraps in a LocalizedMethodFault or not, by version."""
    if fault is None or depth == 0:
        return
    for name in ("msg", "localizedMessage", "text"):
        yield _text(getattr(fault, name, None))
    for message in getattr(fault, "faultMessage", None) or ():
        yield _text(getattr(message, "message", None))
    yield from _texts(getattr(fault, "fault", None), depth - 1)
    yield from _texts(getattr(fault, "faultCause", None), depth - 1)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
