"""The SSH service over the SDK: HostServiceSystem, service `TSM-SSH`."""

from __future__ import annotations

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.describing import SSH_SERVICE
from reconciler.actuators.sdk.session import Managers, Session


def start(session: Session, managers: Managers) -> Answer:
    """Start it. Raises MethodFault (InvalidState when it runs already: a look decides), faults.Unreachable."""
    session.call(managers.get("serviceSystem"), "StartService", id=SSH_SERVICE)
    return Answer(True)


def stop(session: Session, managers: Managers) -> Answer:
    """Stop it; sessions outlive it. Raises as `start`."""
    session.call(managers.get("serviceSystem"), "StopService", id=SSH_SERVICE)
    return Answer(True)


def set_policy(session: Session, managers: Managers, *, on: bool) -> Answer:
    """`on`: it starts with the host. Raises as `start`."""
    policy = "on" if on else "off"
    session.call(managers.get("serviceSystem"), "UpdateServicePolicy", id=SSH_SERVICE, policy=policy)
    return Answer(True)
