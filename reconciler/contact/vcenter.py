"""The vCenters: one session each, whoever asks, and one login that is refused at most."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from reconciler.actuators.answer import Answer
from reconciler.desired.host import DesiredHost
from reconciler.desired.model import VcenterAccess
from reconciler.facts import Unseen
from reconciler.faults import Fault, LoginRefused, Unreachable
from reconciler.placement_facts import Tree
from reconciler.state.logins import Login, stamps, vcenter_login
from reconciler.state.refusals import Refusals
from reconciler.transports.pool import Pool
from reconciler.verbs import PlacementVerb

if TYPE_CHECKING:
    from reconciler.transports.sdk import SdkSession


T = TypeVar("T")


POLLS = 4
"""How often a vCenter is asked whose services are starting; who comes after that was in vain asks once."""


FIRST_WAIT, LONGEST_WAIT = 60.0, 1800.0
"""Seconds after which a loop tries a vCenter again that could not be had, twice as long each time."""


class VCenters:
    """Safe to use from any thread. `pause` waits so many seconds.

    `idle` is how many seconds a session may rest unused, and a vCenter that could not be had is tried again after a
    while; None: all this is for one run, in which sessions stay open and what could not be had is not tried again.
    """

    def __init__(
        self, pause: Callable[[float], None], refusals: Refusals | None = None, idle: float | None = None
    ) -> None:
        self._gate = threading.Lock()
        self._pause, self._refusals, self._patient = pause, refusals or Refusals(), idle is not None
        self._pool = Pool(math.inf, math.inf) if idle is None else Pool(idle)
        self._known: dict[tuple[str, str], _VCenter] = {}

    def desk(self, host: DesiredHost) -> Desk | None:
        """Where this host's placement is asked for; None: its spec names no vCenter, or no password for it."""
        access = host.access.vcenter
        if access is None or access.password is None:
            return None
        place = (access.model_dump_json(), "vcenter")
        with self._gate:
            vcenter = self._known.get(place)
            if vcenter is None:
                waits = FIRST_WAIT if self._patient else math.inf
                vcenter = _VCenter(access, self._pause, self._pool, self._refusals, waits)
                self._known[place] = vcenter
        return Desk(vcenter, host)

    def know(self, hosts: Iterable[DesiredHost]) -> None:
        """From now on these are all hosts: vCenters that none of them names are let go."""
        named = {it.access.vcenter.model_dump_json() for it in hosts if it.access.vcenter is not None}
        with self._gate:
            self._known = {place: it for place, it in self._known.items() if place[0] in named}
        self._pool.tidy(named)

    def tidy(self) -> None:
        """Log out where nobody asked for long. Does not wait for it."""
        self._pool.tidy()

    def afresh(self) -> None:
        """Have every vCenter logged in to anew, also one that could not be had a moment ago."""
        with self._gate:
            self._known = {}
        self._pool.afresh()

    def close(self) -> None:
        """Log out everywhere."""
        self._pool.close()


class _VCenter:
    """One vCenter; one thread at a time talks to it. After it could not be had it is left alone for `wait` seconds,
    then for twice as long, unless its secret changes."""

    def __init__(
        self,
        access: VcenterAccess,
        pause: Callable[[float], None],
        pool: Pool,
        refusals: Refusals,
        wait: float,
    ) -> None:
        self._access, self._pause, self._pool, self._refusals = access, pause, pool, refusals
        self._gate = threading.Lock()
        self._first = self._wait = wait
        self._trouble: tuple[Login, Fault] | None = None
        self._until = 0.0
        self._begun = 0
        self._seen: tuple[int, Tree | Unseen] = (0, Unseen("nobody looked yet"))
        self._away = False

    def look(self) -> Tree | Unseen:
        """The inventory, as it was at some moment since this was called: hosts that wait for their turn together share
        one look. Raises Fault."""
        from reconciler.transports.sdk import MethodFault, Passing

        begun = self._begun
        polls = 1 if self._away else POLLS
        for poll in range(polls):
            try:
                seen = self._use(lambda session: self._fresh(session, begun))
                self._away = False
                return seen
            except Passing as fault:
                why = fault.said
                if poll < polls - 1:
                    self._pause(float(2**poll))
            except MethodFault as fault:
                return Unseen(f"the vCenter does not show its inventory: {fault.said}")
        self._away = True
        return Unseen(f"the vCenter's services are not ready: {why}")

    def _fresh(self, session: SdkSession, begun: int) -> Tree | Unseen:
        from reconciler.observers.vcenter import inventory

        if self._seen[0] <= begun:
            self._begun += 1
            self._seen = (self._begun, inventory(session))
        return self._seen[1]

    def do(self, verb: PlacementVerb) -> Answer:
        """Carry it out. Raises Fault."""
        from reconciler.actuators.vcenter import do

        return self._use(lambda session: do(verb, session))

    def _use(self, work: Callable[[SdkSession], T]) -> T:
        """Do something over the session. Raises Fault, and what the work raises. Another try is another session where
        the link broke."""
        login = vcenter_login(self._access)
        with self._gate:
            if self._trouble is not None and self._trouble[0] == login and monotonic() < self._until:
                raise self._trouble[1]
            place, key = (self._access.model_dump_json(), "vcenter"), (login, stamps([self._access.ca_file]))
            lease = self._pool.lease(place, key, lambda: self._opened(login))
            try:
                return work(lease.session)
            except Unreachable as fault:
                # one that fell silent would hold every host for minutes, one after another
                if self._first < math.inf:
                    self._trouble, self._until = (login, fault), monotonic() + self._first
                raise
            finally:
                lease.close()

    def _opened(self, login: Login) -> SdkSession:
        from reconciler.contact.targets import api_target
        from reconciler.transports.sdk import connect

        access = self._access
        self._refusals.ask(login)
        target = api_target(access, "vCenter", access.address, "access.vcenter", "VirtualCenter")
        try:
            session = connect(target, gate=lambda: self._refusals.attempt(login))
        except Fault as fault:
            # when a refused login may be tried again is for the gate to say
            wait = self._first if isinstance(fault, LoginRefused) else self._wait
            self._trouble, self._until = (login, fault), monotonic() + wait
            self._wait = min(2 * wait, max(self._first, LONGEST_WAIT))
            raise
        self._trouble, self._wait = None, self._first
        return session


class Desk:
    """What one host asks of its vCenter. Whatever goes wrong there is said, and the rest of the host is done."""

    def __init__(self, vcenter: _VCenter, host: DesiredHost) -> None:
        self._vcenter, self._host = vcenter, host
        self._lost: Unreachable | None = None

    def look(self) -> Tree | Unseen:
        """The inventory, and the addresses of this host."""
        try:
            seen = self._with(self._vcenter.look)
        except Fault as fault:
            return Unseen(f"{fault.message}; {fault.next}")
        return seen if isinstance(seen, Unseen) else replace(seen, addresses=_addresses(self._host.address))

    @staticmethod
    def describe(verb: PlacementVerb) -> tuple[str, ...]:
        """The calls of a verb."""
        from reconciler.actuators.vcenter import describe

        return describe(verb)

    def do(self, verb: PlacementVerb) -> Answer:
        """Carry it out."""
        try:
            return self._with(lambda: self._vcenter.do(verb))
        except Fault as fault:
            return Answer(False, fault.message, next=fault.next)

    def _with(self, work: Callable[[], T]) -> T:
        """Once the link broke it is not tried again for this host, whose pass goes on without; other hosts' passes may
        have more luck. Raises Fault."""
        if self._lost is not None:
            raise self._lost
        try:
            return work()
        except Unreachable as fault:
            self._lost = fault
            raise

    @property
    def remarks(self) -> tuple[str, ...]:
        """Findings on the way to the vCenter."""
        access = self._host.access.vcenter
        if access is None or not access.insecure:
            return ()
        return (
            "access.vcenter.insecure: nobody checks who answers, and the password goes there all the same",
        )


def _addresses(address: str) -> tuple[str, ...]:
    """The IP addresses of the host, as its sessions find them."""
    try:
        found = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(it[4][0]) for it in found))
