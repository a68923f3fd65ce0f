"""From what the API shows of objects to facts, with the meaning that they have over SSH. Pure.

Shapes: vSphere API reference. Raises Unclear when an object does not show what it should.
"""

from __future__ import annotations

import re
from typing import Any

from reconciler.facts import Datastore, Machine, Network, PortGroup, Product, SshService
from reconciler.faults import Unsupported
from reconciler.kinds.paths import VOLUMES, DatastorePath, parse_datastore_path
from reconciler.observers.ssh import identity
from reconciler.transports.sdk import Row
from reconciler.transports.sdk.nas import nfs_source

SSH_SERVICE = "TSM-SSH"
POLICIES = {"on": True, "off": False}
"""`automatic` follows the firewall's ports: neither sure to start with the host nor sure not to."""


class Unclear(Exception):
    """It can't be told; the text says why."""


class Beyond(Unclear):
    """Only SSH could tell it."""


def parsed(path: str) -> DatastorePath:
    """Where an absolute path lies. Raises Unclear for one on no datastore, which the API can't look at."""
    try:
        return parse_datastore_path(path)
    except ValueError as error:
        raise Unclear(f"it can't be looked at over the SDK: {error}") from error


def need(row: Row, path: str) -> Any:
    """A property that has to be there. Raises Unclear."""
    if path not in row.values:
        why = row.missing.get(path, "it is not set")
        raise Unclear(f"the host does not show {path} over the SDK: {why}")
    return row.values[path]


def product(name: str, version: str, build: str) -> Product:
    """What the host says it is. Raises faults.Unsupported for what is not managed, as over SSH."""
    parts, said = version.split("."), f"the SDK says {f'{name} {version} build-{build}'!r}"
    if not all(part.isdecimal() for part in parts) or not 2 <= len(parts) <= 4:
        raise Unsupported(f"its version can't be read: {said}", next=identity.NEXT)
    major, minor, patch = (*map(int, parts[:3]), 0)[:3]
    return identity.managed(Product(name, (major, minor, patch), build), said)


def datastore(row: Row, *, fresh: bool = True) -> Datastore:
    """One datastore; capacity and free space as the host knew them when it was asked to refresh them. Where it would
    not (`fresh` is False) what it says is free may be long past, and is not told."""
    summary, info = need(row, "summary"), need(row, "info")
    mounts = need(row, "host")
    reached = bool(summary.accessible) and all(it.mountInfo.accessible is not False for it in mounts)
    nas = getattr(info, "nas", None)
    folder = (summary.url or "").partition(VOLUMES)[2].strip("/")
    return Datastore(
        summary.name,
        _type(summary, info),
        reached,
        None if nas is None else nfs_source(nas, mounts),
        folder or None,
        capacity=summary.capacity if reached else None,
        free=summary.freeSpace if reached and fresh else None,
    )


def _type(summary: Any, info: Any) -> str:
    vmfs = getattr(info, "vmfs", None)
    return str(summary.type) if vmfs is None else f"VMFS-{vmfs.majorVersion}"


def machines(row: Row) -> tuple[Machine, ...]:
    """One registered machine. Where it may stand in two places it is given in both: a machine too many only holds
    something back. One that can't be read may stand on anything."""
    if row.values.get("runtime.connectionState") in ("invalid", "inaccessible", "orphaned"):
        raise Unclear("a registered virtual machine can't be read (its datastore may be lost)")
    path = row.values.get("config.files.vmPathName") or need(row, "summary.config.vmPathName")
    running = need(row, "runtime.powerState") != "poweredOff"
    return tuple(Machine(need(row, "name"), store, relative, running) for store, relative in places(path))


def places(path: str) -> list[tuple[str, str]]:
    """Datastore and path of `[datastore1] a/a.vmx`: each that may be meant, for names may hold brackets. A datastore
    that the host no longer knows is `[]`, followed by an absolute path. Raises Unclear."""
    path = path.removeprefix("[] ")
    if path.startswith("/"):
        store, _, relative = path.removeprefix(VOLUMES).partition("/")
        return [(store, relative)] if path.startswith(VOLUMES) else [("", path)]
    ends = [at.start() for at in re.finditer(r"\] ", path)] if path.startswith("[") else []
    if not ends:
        raise Unclear(f"{path!r} is no path on a datastore")
    return [(path[1:end], path[end + 2 :]) for end in ends]


def network(row: Row) -> Network:
    """Standard switches and port groups; each connected port of a group is a client."""
    shown = need(row, "config.network")
    return Network(
        tuple(_group(it) for it in shown.portgroup or ()), tuple(it.name for it in shown.vswitch or ())
    )


def _group(shown: Any) -> PortGroup:
    spec = shown.spec
    return PortGroup(spec.name, spec.vswitchName, spec.vlanId, len(shown.port or ()))


def ssh(row: Row) -> SshService:
    """The SSH service. `automatic` follows the firewall's ports, so that it is not sure to start."""
    services = need(row, "config.service").service or ()
    found = next((it for it in services if it.key == SSH_SERVICE), None)
    if found is None:
        raise Unclear(f"the host shows no service {SSH_SERVICE}")
    return SshService(bool(found.running), POLICIES.get(found.policy))


def hardware(row: Row) -> str:
    """The UUID of the hardware."""
    return str(need(row, "hardware.systemInfo").uuid)
