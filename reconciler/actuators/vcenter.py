"""Make resource pools and folders in the inventory of a vCenter."""

from __future__ import annotations

from typing import Any

from reconciler.actuators.answer import Answer
from reconciler.placement_facts import folded
from reconciler.transports.sdk import MethodFault, NoRight, Passing, SdkSession, Through, Want
from reconciler.verbs import CreateResourcePools, PlacementVerb

THERE = "vim.fault.DuplicateName"
PRIVILEGES = {"CreateResourcePools": "Resource.CreatePool", "CreateVmFolders": "Folder.Create"}


def describe(verb: PlacementVerb) -> tuple[str, ...]:
    """The calls, as they would be made."""
    pool = isinstance(verb, CreateResourcePools)
    method = "ResourcePool.CreateResourcePool" if pool else "Folder.CreateFolder"
    return tuple(f"{method}(name={_quoted(name)})" for name in verb.names)


def _quoted(name: str) -> str:
    return (
        '"'
        + "".join(it if it.isprintable() and it not in '"\\' else f"\\x{ord(it):02x}" for it in name)
        + '"'
    )


def do(verb: PlacementVerb, session: SdkSession) -> Answer:
    """Make each name in the one before; one that is there already is gone into. Raises faults.Unreachable."""
    pool = isinstance(verb, CreateResourcePools)
    place = session.object("ResourcePool" if pool else "Folder", verb.parent)
    try:
        for name in verb.names:
            place = _pool(session, place, name) if pool else _folder(session, place, name)
    except NoRight as fault:
        needed = PRIVILEGES[type(verb).__name__]
        return Answer(False, fault.said, next=f"give the account the privilege {needed} on the vCenter")
    except MethodFault as fault:
        return Answer(False, fault.said, isinstance(fault, Passing))
    return Answer(True)


def _pool(session: SdkSession, parent: Any, name: str) -> Any:
    """Without reservation or limit, and with normal shares: as the vSphere Client makes one."""
    shares = session.make("SharesInfo", level="normal", shares=0)
    share = session.make(
        "ResourceAllocationInfo", reservation=0, expandableReservation=True, limit=-1, shares=shares
    )
    spec = session.make("ResourceConfigSpec", cpuAllocation=share, memoryAllocation=share)
    try:
        return session.call(parent, "CreateResourcePool", name=name, spec=spec)
    except MethodFault as fault:
        return _there(session, fault, Want("ResourcePool", ("name",), Through(parent, "resourcePool")), name)


def _folder(session: SdkSession, parent: Any, name: str) -> Any:
    try:
        return session.call(parent, "CreateFolder", name=name)
    except MethodFault as fault:
        return _there(session, fault, Want("Folder", ("name",), Through(parent, "childEntity")), name)


def _there(session: SdkSession, fault: MethodFault, below: Want, name: str) -> Any:
    """What has the name already; raises the fault when it is another one, or the name is that of something else. (Which
    object DuplicateName refers to differs between servers.)"""
    if fault.name != THERE:
        raise fault
    rows = session.read([below])
    found = [row.object for row in rows if folded(str(row.values.get("name", ""))) == folded(name)]
    if len(found) != 1:
        raise fault
    return found[0]
