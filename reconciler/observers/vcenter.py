"""What a vCenter shows of its inventory: one container view, one property call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.placement_facts import Member, Path, Pool, Tree, VmFolder
from reconciler.transports.sdk import Row, SdkSession, Through, Want

KINDS = ("Datacenter", "Folder", "ComputeResource", "ResourcePool", "HostSystem")
CARDS = ("config.network.vnic", "config.network.consoleVnic")
"""VMkernel adapters, and the service console's of classic ESX: all that has an IP address on a host."""
PATHS: Mapping[str, tuple[str, ...]] = {
    "Datacenter": ("name", "parent", "vmFolder", "hostFolder"),
    "Folder": ("name", "parent"),
    "ComputeResource": ("name", "parent", "resourcePool"),
    "ResourcePool": ("name", "parent", "owner"),
    "HostSystem": ("name", "parent", *CARDS, "hardware.systemInfo.uuid"),
}


def inventory(session: SdkSession) -> Tree:
    """The inventory as far as the account may see it, without the addresses of the host that is asked for.

    Raises MethodFault, faults.Unreachable, faults.LoginRefused.
    """
    kinds = [session.kind(name) for name in KINDS]
    root, manager = session.content.rootFolder, session.content.viewManager
    view = session.call(manager, "CreateContainerView", container=root, type=kinds, recursive=True)
    try:
        rows = session.read([Want(kind, PATHS[kind], Through(view, "view")) for kind in KINDS])
    finally:
        session.call(view, "DestroyView")
    return _Reader(rows).tree()


class _Reader:
    """From rows to paths. An object whose parent is not shown has a path that begins below it."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {_id(row.object): row for row in rows}
        self._hidden = set(self._hidden_ids())
        self._vm_roots = {_id(row.values["vmFolder"]): row for row in rows if "vmFolder" in row.values}

    def _hidden_ids(self) -> Iterator[str]:
        """The folders below datacenters, and the root pools of clusters: no part of a path as people write it."""
        for row in self._rows.values():
            for name in ("vmFolder", "hostFolder", "resourcePool"):
                if row.values.get(name) is not None:
                    yield _id(row.values[name])

    def tree(self) -> Tree:
        rows = self._rows.items()
        return Tree(
            tuple(self._pool(it, row) for it, row in rows if "owner" in row.values),
            tuple(self._folder(it, row) for it, row in rows if self._is_vm_folder(it)),
            tuple(self._member(row) for _, row in rows if row.object._wsdlName == "HostSystem"),
        )

    def _path(self, start: str) -> Path:
        names: list[str] = []
        known, row = start, self._rows.get(start)
        while row is not None:
            if known not in self._hidden:
                names.append(str(row.values.get("name", "")))
            above = row.values.get("parent")
            known = "" if above is None else _id(above)
            row = self._rows.get(known)
        return tuple(reversed(names))

    def _pool(self, it: str, row: Row) -> Pool:
        owner = _id(row.values["owner"])
        path = self._path(it)
        return Pool(row.object._moId, path, owner, root=it in self._hidden)

    def _folder(self, it: str, row: Row) -> VmFolder:
        return VmFolder(row.object._moId, self._path(it), root=it in self._vm_roots)

    def _is_vm_folder(self, start: str) -> bool:
        """Whether it is the `vm` folder of a datacenter, or below it."""
        known = start
        while known in self._rows and self._rows[known].object._wsdlName == "Folder":
            if known in self._vm_roots:
                return True
            above = self._rows[known].values.get("parent")
            known = "" if above is None else _id(above)
        return False

    def _member(self, row: Row) -> Member:
        compute = row.values.get("parent")
        return Member(
            row.object._moId,
            str(row.values.get("name", "")),
            () if compute is None else self._path(_id(compute)),
            "" if compute is None else _id(compute),
            tuple(_addresses(row)),
            str(row.values.get("hardware.systemInfo.uuid", "")),
        )


def _addresses(row: Row) -> Iterator[str]:
    for card in (card for path in CARDS for card in row.values.get(path) or ()):
        ip = getattr(card.spec, "ip", None)
        several = getattr(getattr(ip, "ipV6Config", None), "ipV6Address", None) or ()
        for address in (getattr(ip, "ipAddress", None), *(each.ipAddress for each in several)):
            if address:
                yield str(address)


def _id(reference: Any) -> str:
    return f"{reference._wsdlName}:{reference._moId}"
