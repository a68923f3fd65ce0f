"""A row of vmhost with its computer as the document of a Host."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from reconciler.desired.model import API_VERSION
from reconciler.importing.notes import Draft, Note, Sort
from reconciler.importing.vcl.rows import HostRow
from reconciler.importing.vcl.work import UNFIT
from reconciler.importing.writing import Noted
from reconciler.records import record

NAME = ("metadata", "name")
_IN_USE = ("vmhostinuse", "tovmhostinuse")


@record
class Belongings:
    """What a Host gets besides its row: its name, its profile's, images. `doubtful`: it may be a vCenter and no host;
    `vcenter`: its profile has a login to one."""

    name: str
    profile: str
    doubtful: bool = False
    vcenter: bool = False
    images: tuple[str, ...] = ()


@dataclass
class Addresses:
    """The addresses of the hosts so far, each of which only one may have."""

    owners: dict[str, str] = field(default_factory=dict)

    def owner(self, address: str, host: str) -> str:
        """The host that has an address; that is this one when it was free."""
        return self.owners.setdefault(_compared(address), host)


def host(row: HostRow, with_: Belongings, addresses: Addresses) -> Draft | str:
    """The document of a host, and what is to be said of it; why there is none when another host has its address."""
    notes: list[Note] = []
    spec: dict[str, object] = {"profile": with_.profile}
    address = _address(row, notes)
    reached = address or with_.name
    owner = addresses.owner(reached, with_.name)
    if owner != with_.name:
        return f"its address {reached} is that of {owner!r} too"
    if address is not None:
        spec["address"] = Noted(address, "privateIPaddress")
    mode = _mode(row, notes)
    if mode is not None:
        spec["mode"] = Noted("paused", mode)
    if with_.vcenter:
        spec["access"] = {"vcenter": {"address": Noted(reached, "where VCL connects to")}}
    if with_.doubtful:
        what = "its profile has a resource path: it may be the vCenter itself, then its document has to go"
        notes.append(Note(Sort.DOUBT, f"{row.name!r}: {what}", NAME))
    if with_.name != row.name:
        why = "VCL's name is taken or can't be one"
        what = f"{row.name!r} is called {with_.name!r} here, and by ${{name}}: {why}"
        notes.append(Note(Sort.DOUBT, what, NAME))
    if with_.images:
        spec["images"] = Noted({name: {} for name in with_.images}, "loaded by its machines")
    metadata = {
        "name": Noted(with_.name, f"computer {row.computer}, vmhost {row.id}: {row.name}"),
        "labels": {"vcl-name": with_.name, "vcl-id": str(row.computer)},
    }
    return Draft({"apiVersion": API_VERSION, "kind": "Host", "metadata": metadata, "spec": spec}, notes)


def _address(row: HostRow, notes: list[Note]) -> str | None:
    """The private address when it is one."""
    address = (row.address or "").strip()
    if not address:
        what = f"{row.name!r}: address: VCL has none, so its name has to resolve"
        notes.append(Note(Sort.FILL_IN, what, NAME))
    elif not address.isprintable() or " " in address:
        notes.append(Note(Sort.LEFT_OUT, f"{row.name!r}: privateIPaddress {address!r}: {UNFIT}", NAME))
    else:
        return address
    return None


def _mode(row: HostRow, notes: list[Note]) -> str | None:
    """Why the host is paused."""
    if row.state in _IN_USE:
        return None
    if row.state != "maintenance":
        what = f"{row.name!r} is paused: its state in VCL is {row.state!r}, not {_IN_USE[0]!r}"
        notes.append(Note(Sort.DOUBT, what, ("spec", "mode")))
    return f"its state in VCL: {row.state}"


def _compared(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address.lower().rstrip(".")
