"""The vCenters of a run: one session each, whoever asks, and one login that is refused at most."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from reconciler.actuators.answer import Answer
from reconciler.desired.host import DesiredHost
from reconciler.desired.model import VcenterAccess
from reconciler.facts import Unseen
from reconciler.faults import Fault, Unreachable
from reconciler.placement_facts import Tree
from reconciler.verbs import PlacementVerb

if TYPE_CHECKING:
    from reconciler.transports.sdk import SdkSession


T = TypeVar("T")


POLLS = 4
"""How often a vCenter is asked whose services are starting; who comes after that was in vain asks once."""


class VCenters:
    """Safe to use from any thread. A vCenter that could not be had is not tried again in the run. `pause` waits so many
    seconds."""

    def __init__(self, pause: Callable[[float], None]) -> None:
        self._gate = threading.Lock()
        self._pause = pause
        self._known: dict[tuple[object, ...], _VCenter] = {}

    def desk(self, host: DesiredHost) -> Desk | None:
        """Where this host's placement is asked for; None: its spec names no vCenter, or no password for it."""
        access = host.access.vcenter
        if access is None or access.password is None:
            return None
        way = access.model_dump(exclude={"password"})
        key = (*way.items(), str(access.password))
        with self._gate:
            vcenter = self._known.setdefault(key, _VCenter(access, self._pause))
        return Desk(vcenter, host)

    def close(self) -> None:
        """Log out everywhere."""
        for vcenter in self._known.values():
            vcenter.close()


class _VCenter:
    """One vCenter; one thread at a time talks to it."""

    def __init__(self, access: VcenterAccess, pause: Callable[[float], None]) -> None:
        self._access, self._pause = access, pause
        self._gate = threading.Lock()
        self._session: SdkSession | None = None
        self._trouble: Fault | None = None
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
        with self._gate:
            if self._trouble is not None:
                raise self._trouble
            if self._session is None:
                self._session = self._opened()
            try:
                return work(self._session)
            except Unreachable:
                self._session.close()
                self._session = None
                raise

    def _opened(self) -> SdkSession:
        from reconciler.contact.targets import api_target
        from reconciler.transports.sdk import connect

        access = self._access
        target = api_target(access, "vCenter", access.address, "access.vcenter", "VirtualCenter")
        try:
            return connect(target)
        except Fault as fault:
            self._trouble = fault
            raise

    def close(self) -> None:
        with self._gate:
            if self._session is not None:
                self._session.close()
            self._session = None


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
