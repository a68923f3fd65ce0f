"""TCP connections to hosts."""

from __future__ import annotations

import socket
from typing import Protocol

from reconciler.faults import Silent, Unreachable

TRY_LATER = (
    "Check that this is the address of an ESXi host, that SSH (TSM-SSH) runs there, and the network between."
)
UNSENT = 128 * 1024
"""So many bytes may wait in this machine's kernel: on a slow link, what is urgent would queue behind megabytes."""


class Endpoint(Protocol):
    """Whom to connect to, and how messages name it."""

    @property
    def address(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def place(self) -> str: ...


def dial(target: Endpoint, limit: float, advice: str = TRY_LATER) -> socket.socket:
    """A TCP connection to the first address that answers, each given its share of `limit` seconds.

    Raises Unreachable, with `advice` on what to do when nobody answers.
    """
    try:
        found = socket.getaddrinfo(target.address, target.port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        what = f"{target.place}: can't resolve {target.address}: {getattr(error, 'strerror', None) or error}"
        raise Unreachable(what, next="Correct address in the spec, or the name service.") from error
    failures: list[OSError] = []
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(limit / len(found))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
            connection.connect(address)
            return connection
        except OSError as error:
            connection.close()
            failures.append(error)
    raise _no_connection(target, failures, limit, advice)


def _no_connection(target: Endpoint, failures: list[OSError], limit: float, advice: str) -> Unreachable:
    silent = all(isinstance(failure, TimeoutError) for failure in failures)
    what = f"no answer within {limit:.0f} s" if silent else failures[-1].strerror or str(failures[-1])
    kind = Silent if silent else Unreachable
    fault = kind(f"{target.place}: no connection: {what}", next=advice)
    fault.__cause__ = failures[-1]
    return fault
