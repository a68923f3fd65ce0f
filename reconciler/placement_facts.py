"""What a vCenter shows of its inventory, as far as placement goes: where machines can be put, and where a host is.

Paths are names from the root on, as vCenter writes them (a slash in a name is `%2f`), without the folders that are in
every inventory: `host` and `vm` below a datacenter, `Resources` below a cluster.
"""

from __future__ import annotations

import re

from reconciler.facts import Question
from reconciler.records import record

Path = tuple[str, ...]
ESCAPED = {"%2f": "/", "%5c": "\\", "%25": "%"}
"""What vCenter writes in place of these characters of a name (vSphere API reference, ManagedEntity.name)."""
ESCAPE = re.compile("|".join(ESCAPED), re.IGNORECASE)


def folded(name: str) -> str:
    """For comparing: letter case aside, and whether a special character is escaped."""
    return ESCAPE.sub(lambda found: ESCAPED[found[0].lower()], name).casefold()


@record
class Pool:
    """A place for machines: a resource pool, or a cluster or host with its root pool (`root`). `id` is the pool's,
    `compute` that of the cluster or host whose resources they are."""

    id: str
    path: Path
    compute: str
    root: bool = False


@record
class VmFolder:
    """A folder of "VMs and Templates"; `root`: the one that every datacenter has, whose path is the datacenter's."""

    id: str
    path: Path
    root: bool = False


@record
class Member:
    """A host of the inventory: `compute` is its cluster (or its own resources), `uuid` that of its hardware."""

    id: str
    name: str
    path: Path
    compute: str
    addresses: tuple[str, ...] = ()
    uuid: str = ""


@record
class Tree:
    """The inventory of one vCenter. `addresses` are the IP addresses of the host that is asked for."""

    pools: tuple[Pool, ...] = ()
    folders: tuple[VmFolder, ...] = ()
    members: tuple[Member, ...] = ()
    addresses: tuple[str, ...] = ()


@record
class Inventory(Question[Tree]):
    """What the vCenter of the host shows."""


@record
class HardwareUuid(Question[str]):
    """The UUID of the host's hardware, as the host tells it."""
