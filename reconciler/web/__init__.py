"""The one port of the loop: pages and their JSON; metrics and health are handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.board import Board
from reconciler.web.limits import Limits

if TYPE_CHECKING:
    from reconciler.web.server import Server

Metrics = Callable[[], tuple[str, bytes]]
"""Gives what `/metrics` shows: its content type and its body."""


class CannotListen(Exception):
    """No port can be opened there. The text says what, why, and what to do next."""


def serve(address: str, board: Board, metrics: Metrics, limits: Limits | None = None) -> Server:
    """Answer at `ADDRESS:PORT` (IPv6 in brackets; port 0: any that is free) from threads that end with the process.

    Raises CannotListen. What serves is only loaded here: other commands start without it.
    """
    from reconciler.web.server import Server
    from reconciler.web.site import Site

    return Server(address, Site(board, metrics), limits or Limits())
