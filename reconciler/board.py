"""What the loop shows of itself: the pages and their JSON are made of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from reconciler.entries import Entry
from reconciler.records import record
from reconciler.report import HostReport


@record
class HostState:
    """One host as the loop knows it; times are in UTC.

    `report` is of the last pass, or of the look of the one that goes on (`pending` before the first). `revision` is
    the one that pass began with, `doing` what a pass does there now (None: nothing), `failures` how many passes in a
    row failed.
    """

    report: HostReport
    mode: str
    labels: Mapping[str, str]
    observed_at: datetime | None = None
    next_due: datetime | None = None
    revision: str | None = None
    doing: str | None = None
    failures: int = 0


@record
class SpecsState:
    """The specs. `origin` says where they come from, without a secret; `revision` is the commit or digest in force
    (None: none yet). `mistakes` are those of the newest revision, when it is not in force for them; `trouble` is what
    else keeps the newest from being read (git can't be reached, a signature)."""

    origin: str
    revision: str | None = None
    since: datetime | None = None
    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    trouble: str | None = None


@record
class GuardState:
    """`limit` is as it was given (`10%`); `failed` are the hosts that count."""

    limit: str
    tripped: bool = False
    since: datetime | None = None
    failed: tuple[str, ...] = ()


@record
class Overview:
    """All of it, hosts sorted by name."""

    now: datetime
    started: datetime
    dry_run: bool
    hosts: tuple[HostState, ...]
    specs: SpecsState
    guard: GuardState


class Board(Protocol):
    """What the pages ask. Safe to use from any thread, and never waits for a host."""

    def overview(self) -> Overview: ...

    def host(self, name: str) -> HostState | None:
        """One of them; None: no spec names it."""

    def history(self, host: str | None, limit: int) -> list[Entry]:
        """The newest entries, of one host or of all, newest last."""

    def alive(self) -> bool:
        """Whether the scheduler has turned within the last minute."""

    def unready(self) -> str | None:
        """Why not every host has had its first pass under specs in force; None: each has."""
