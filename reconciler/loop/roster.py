"""Which host is due, which one is worked on, and who may change his. Pure: `now` is an argument, in seconds of a clock.

A pass takes one of `workers` while it looks. Once it may change its host it gives that back, so that a copy of an hour
keeps nobody from looking; how many change at a time is the guard's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from reconciler.desired.host import DesiredHost
from reconciler.fleet import machine
from reconciler.loop.guard import WHY, Guard
from reconciler.loop.schedule import Pace
from reconciler.records import record
from reconciler.report import HostReport, Status

MOST_CHANGING = 50
"""So many hosts are changed at a time, or as many as there are workers: each holds a thread and a session."""
FAILED = (Status.FAILED, Status.UNREACHABLE)


@dataclass(eq=False)
class Ticket:
    """A pass that goes on. `halted` is why it may change nothing; `again`: it is due anew as soon as it has ended;
    `waiting`: another run has the host, and it waits for its turn."""

    host: DesiredHost
    revision: str | None
    halted: str | None
    changing: bool = False
    again: bool = False
    waiting: bool = False

    @cached_property
    def machine(self) -> str:
        return machine(self.host)


@dataclass(eq=False)
class Place:
    """A host's place in the loop; its wish never changes. `wanting` is its number among those that wait to be changed;
    None: it does not. `passed`: it has had its first pass."""

    host: DesiredHost
    due: float
    failures: int = 0
    wanting: int | None = None
    passed: bool = False

    # kept, as each turn asks them of every host
    @cached_property
    def paused(self) -> bool:
        return self.host.mode == "paused"

    @cached_property
    def machine(self) -> str:
        return machine(self.host)


@record
class Turn:
    """What came of looking for passes that can begin: those that did, how many hosts are due and wait for a worker,
    and when the next one is due."""

    begun: list[Ticket]
    waiting: int
    soonest: float


class Roster:
    """All hosts of the revision in force. Used by one thread at a time. `dice` gives numbers in 0 to 1.

    `behind`: a host may have been due already when hosts were last begun with, and has to wait for a pass to end.
    """

    def __init__(self, pace: Pace, workers: int, guard: Guard, dice: Callable[[], float]) -> None:
        self.guard = guard
        self.behind = False
        self.places: dict[str, Place] = {}
        self.going: list[Ticket] = []
        self._pace, self._workers, self._dice = pace, workers, dice
        self._numbers = itertools.count()

    @property
    def looking(self) -> int:
        """How many passes look; the others change their host, or wait for it."""
        return sum(not (ticket.changing or ticket.waiting) for ticket in self.going)

    @property
    def changing(self) -> int:
        """How many passes change their host."""
        return sum(ticket.changing for ticket in self.going)

    def stands(self, ticket: Ticket) -> bool:
        """Whether its host is still wished as when the pass began."""
        place = self.places.get(ticket.host.name)
        return place is not None and place.host == ticket.host

    @property
    def enforced(self) -> int:
        return sum(place.host.mode == "enforce" for place in self.places.values())

    # -- what comes from outside ---------------------------------------------------------------------------------

    def changed(self, hosts: Iterable[DesiredHost]) -> list[DesiredHost]:
        """Those that a revision would wish otherwise than they are now; new ones are not among them."""
        return [it for it in hosts if it.name in self.places and self.places[it.name].host != it]

    def renew(self, revision: str | None, hosts: Iterable[DesiredHost], now: float) -> None:
        """A revision comes into force: hosts that are new, or wished otherwise, are due now, the others keep their
        time. Those that it does not name are let go."""
        places: dict[str, Place] = {}
        for host in hosts:
            place = self.places.get(host.name)
            if place is None or place.host != host:
                places[host.name] = Place(host, now, passed=place is not None and place.passed)
                self._once_more(host.name)
            else:
                place.host = host
                places[host.name] = place
        # at once: passes ask whether their host still stands
        self.places = places
        self.guard = self.guard.under(revision)
        self._call(now)

    def all_due(self, now: float) -> None:
        """A person wants everything looked at now, and what the guard holds tried again."""
        self.guard = self.guard.released()
        for name in self.places:
            self.due_now(name, now)

    def due_now(self, name: str, now: float) -> None:
        """One host is due, whatever its schedule says."""
        self.places[name].due = now
        self._once_more(name)

    def _once_more(self, name: str) -> None:
        for ticket in self.going:
            ticket.again = ticket.again or ticket.host.name == name

    # -- passes --------------------------------------------------------------------------------------------------

    def begin(self, now: float) -> Turn:
        """Begin what can begin now, who has waited longest first: on a host nobody else works, neither under that name
        nor at that address, under whatever name."""
        free, halted = self._workers - self.looking, WHY if self.guard.tripped else None
        busy, machines = self._busy(), {ticket.machine for ticket in self.going}
        due, held, soonest = list[Place](), 0, math.inf
        for place in self.places.values():
            # most are due long after the next one
            if place.due >= soonest or place.paused or place.host.name in busy:
                continue
            if place.due <= now:
                due.append(place)
            elif place.machine not in machines:
                soonest = place.due
        begun: list[Ticket] = []
        for place in sorted(due, key=lambda it: it.due):
            if place.machine in machines:
                held += 1
            elif len(begun) < free:
                begun.append(Ticket(place.host, self.guard.revision, halted))
                machines.add(place.machine)
        self.going += begun
        self.behind = len(begun) < len(due)
        waiting = len(due) - len(begun) - held
        return Turn(begun, waiting, soonest)

    def _busy(self) -> set[str]:
        """The names of the hosts on which somebody works."""
        return {ticket.host.name for ticket in self.going}

    def may_change(self, ticket: Ticket) -> bool:
        """Whether a pass that has a plan may carry it out now; else its host is called when its turn has come. Where
        the host was let go, paused or wished otherwise meanwhile it may not: what has not begun, begins anew."""
        if not self.stands(ticket):
            return False
        place = self.places[ticket.host.name]
        if self._free() > 0:
            ticket.changing = True
            place.wanting = None
            return True
        if place.wanting is None:
            place.wanting = next(self._numbers)
        # so that its steps are shown as held
        ticket.again = ticket.again or (self.guard.tripped and ticket.halted is None)
        return False

    def end(self, ticket: Ticket, report: HostReport, now: float, at: str) -> bool:
        """A pass has ended; `at` is the time for people. Whether its host is still one of ours."""
        self.going.remove(ticket)
        failed = report.status in FAILED
        # a pass that was cut (drifted) says nothing of the revision
        if ticket.changing and report.status is not Status.DRIFTED:
            name, revision = ticket.host.name, ticket.revision
            self.guard = self.guard.after(
                name, failed=failed, revision=revision, enforced=self.enforced, now=at
            )
        place = self.places.get(ticket.host.name)
        if place is not None and report.status is Status.PENDING:
            place.due = now
        elif place is not None:
            place.passed = True
            place.failures = place.failures + 1 if failed else 0
            place.due = now if ticket.again else self._pace.next_due(now, place.failures, self._dice())
            if report.status is not Status.DRIFTED:
                place.wanting = None
        self._call(now)
        return place is not None

    def put_off(self, name: str, until: float) -> None:
        """A host is not due before then."""
        place = self.places[name]
        place.due = max(place.due, until)

    def _free(self) -> int:
        """How many more hosts may be changed now, as the guard permits; without it there is still a limit."""
        free = self.guard.free(self.changing, self.enforced)
        room = max(0, max(self._workers, MOST_CHANGING) - self.changing)
        return room if free is None else min(free, room)

    def _call(self, now: float) -> None:
        """Make as many hosts due as may be changed now, out of those that wait for it, the first first."""
        wanting = [it for it in self.places.values() if it.wanting is not None]
        if not wanting:
            return
        wanting.sort(key=lambda it: it.wanting or 0)
        busy = self._busy()
        for place in wanting[: self._free()]:
            if place.host.name not in busy:
                place.due = min(place.due, now)
                self.behind = True

    def unready(self) -> Sequence[str]:
        """The hosts that have not had their first pass."""
        return [name for name, place in self.places.items() if not place.passed and not place.paused]
