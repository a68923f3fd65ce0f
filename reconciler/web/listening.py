"""The address that `--listen` names, as a socket."""

from __future__ import annotations

import re
import socket

from reconciler.web import CannotListen

BACKLOG = 1024
_ADDRESS = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<name>[^\[\]:]+)):(?P<port>[0-9]{1,5})")
_FORM = (
    "write ADDRESS:PORT, as in 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:8080 for every address of this machine"
)


def listen(address: str) -> socket.socket:
    """A socket that listens there. Raises CannotListen with what, why, and what to do next."""
    host, port = _parts(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise _cannot(address, "no address has this name", "name an address of this machine") from None
    family, kind, protocol, _, place = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(place)
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        why = (error.strerror or str(error)).lower()
        raise _cannot(address, why, "name an address of this machine and a port that is free") from None
    return opened


def _parts(address: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"]) > 65535:
        raise _cannot(address, "this is no address with a port", _FORM)
    return match["six"] or match["name"], int(match["port"])


def _cannot(address: str, why: str, next: str) -> CannotListen:
    return CannotListen(f"can't listen at {address}: {why}; {next}")
