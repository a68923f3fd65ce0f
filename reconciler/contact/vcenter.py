"""The vCenters of a run: one session each, whoever asks, and one login that is refused at most."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
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


class VCenters:
    """Safe to use from any thread. A vCenter that could not be had is not tried again in the run."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._known: dict[tuple[object, ...], _VCenter] = {}

    def desk(self, host: DesiredHost) -> Desk | None:
        """Where this host's placement is asked for; None: its spec names no vCenter, or no password for it."""
        access = host.access.vcenter
        if access is None or access.password is None:
            return None
        way = access.model_dump(exclude={"password"})
        key = (*way.items(), str(access.password))
        with self._gate:
            vcenter = self._known.setdefault(key, _VCenter(access))
        return Desk(vcenter, host)

    def close(self) -> None:
        """Log out everywhere."""
        for vcenter in self._known.values():
            vcenter.close()


class _VCenter:
    """One vCenter; one thread at a time."""

    def __init__(self, access: VcenterAccess) -> None:
        self._access = access
        self._gate = threading.Lock()
        self._session: SdkSession | None = None
        self._trouble: Fault | None = None

    def use(self, work: Callable[[SdkSession], T]) -> T:
        """Do something over the session. Raises Fault, and what the work raises."""
        with self._gate:
            if self._trouble is not None:
                raise self._trouble
            if self._session is None:
                self._session = self._opened()
            try:
                return work(self._session)
            except Unreachable as fault:
                self._session.close()
                self._session, self._trouble = None, fault
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

    def look(self) -> Tree | Unseen:
        """The inventory."""
        try:
            return self._vcenter.use(self._tree)
        except Fault as fault:
            return Unseen(f"{fault.message}; {fault.next}")

    def _tree(self, session: SdkSession) -> Tree | Unseen:
        from reconciler.observers.vcenter import inventory
        from reconciler.transports.sdk import MethodFault

        try:
            return inventory(session, _addresses(self._host.address))
        except MethodFault as fault:
            return Unseen(f"the vCenter does not show its inventory: {fault.said}")

    @staticmethod
    def describe(verb: PlacementVerb) -> tuple[str, ...]:
        """The calls of a verb."""
        from reconciler.actuators.vcenter import describe

        return describe(verb)

    def do(self, verb: PlacementVerb) -> Answer:
        """Carry it out."""
        from reconciler.actuators.vcenter import do

        try:
            return self._vcenter.use(lambda session: do(verb, session))
        except Fault as fault:
            return Answer(False, fault.message, next=fault.next)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Findings on the way to the vCenter."""
        access = self._host.access.vcenter
        if access is None or not access.insecure:
            return ()
        return (
            "access.vcenter.insecure: nobody checks who answers, and the password goes there all the same",
        )


def _addresses(address: str) -> list[str]:
    """The IP addresses of the host, as its sessions find them."""
    try:
        found = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(it[4][0]) for it in found]
