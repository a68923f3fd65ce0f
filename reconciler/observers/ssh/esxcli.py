"""What esxcli prints (5.0 and later), in whichever of its formats, and what it says about a host.

`--formatter=xml` is the most robust from 5.0 to 9.x; csv and the default text are read as well. All formats
name a field alike here: letters and digits only (`VolumeName`, `ReadOnly`, `Hosts`, `VLANID`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias
from xml.etree import ElementTree

from reconciler.facts import Datastore, Machine, NfsSource, PortGroup
from reconciler.observers.ssh.errors import Unreadable, whole_number, yes_or_no
from reconciler.observers.ssh.machines import config_file
from reconciler.observers.ssh.tables import text_records
from reconciler.records import record

Record: TypeAlias = "dict[str, str | list[str]]"

NAMESPACE = "{http://www.vmware.com/Products/ESX/5.0/esxcli}"
# XML has no letter for a byte that is no UTF-8; a private one stands in while the parser runs.
TO_PRIVATE = {surrogate: surrogate + 0x100000 for surrogate in range(0xDC80, 0xDD00)}
FROM_PRIVATE = {private: surrogate for surrogate, private in TO_PRIVATE.items()}


def records(text: str) -> list[Record]:
    """The structures in esxcli's output, in its order; a list in a field is a list where the format tells.

    An empty list prints nothing (text, csv) or an empty list element (xml): both are []. The exit status must
    have been 0. Raises Unreadable.
    """
    if not text.strip():
        return []
    body = text.strip()
    if re.match(r"<\?xml version=|<output[ >]", body):
        return _xml(body)
    # A block's title can look like a csv header, but fields follow it.
    if re.match(r"(?:[A-Za-z0-9]+,)+\r?(?:\n(?!   )|$)", body):
        return _csv(body)
    return [dict(record) for record in text_records(text)]


def _xml(text: str) -> list[Record]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Unreadable("XML with a document type, which esxcli never prints", text)
    try:
        # Without a document type there are no entities that could blow up.
        output = ElementTree.fromstring(text.translate(TO_PRIVATE))  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:
        raise Unreadable(f"broken XML ({error})", text) from None
    found = output.find(f"{NAMESPACE}root/*")
    if found is None or found.tag not in (NAMESPACE + "list", NAMESPACE + "structure"):
        raise Unreadable("XML that is not esxcli's list of structures", text)
    return [_structure(element) for element in (found if found.tag.endswith("list") else [found])]


def _structure(element: ElementTree.Element) -> Record:
    record: Record = {}
    for field in element.iterfind(NAMESPACE + "field"):
        for value in field[:1]:
            if value.tag == NAMESPACE + "list":
                record[field.get("name", "")] = [_content(item) for item in value]
            elif value.tag != NAMESPACE + "structure":
                record[field.get("name", "")] = _content(value)
    if not record:
        raise Unreadable("a structure without fields", ElementTree.tostring(element, "unicode"))
    return record


def _content(element: ElementTree.Element) -> str:
    return (element.text or "").translate(FROM_PRIVATE)


def _csv(text: str) -> list[Record]:
    """Header and rows end with a comma; so does a list inside its quotes (field captures: 6.x)."""
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise Unreadable(f"broken csv ({error})", text) from None
    found: list[Record] = []
    for row in rows:
        if len(row) != len(header) or row[-1]:
            raise Unreadable("a csv row that does not fit its header", ",".join(row))
        found.append({name: _csv_cell(cell) for name, cell in zip(header[:-1], row[:-1], strict=True)})
    return found


def _csv_cell(cell: str) -> str | list[str]:
    return cell.removesuffix(",").split(",") if cell.endswith(",") else cell


def _text(record: Record, name: str) -> str:
    """The field as text; the items of a list are parted by commas. Raises Unreadable when it is missing."""
    if name not in record:
        raise Unreadable(f"no field {name}", str(record))
    value = record[name]
    return value if isinstance(value, str) else ",".join(value)


def nfs3(text: str) -> list[Datastore]:
    """`esxcli storage nfs list`. 5.0 does not print whether a mount is read-only (field capture: 5.0)."""
    return [_nfs(record, "NFS", _text(record, "Host"), "3") for record in records(text)]


def nfs41(text: str) -> list[Datastore]:
    """`esxcli storage nfs41 list` (6.0 and later). Several servers are parted by one comma each."""
    return [_nfs(record, "NFS41", _servers(record), "4.1") for record in records(text)]


def _servers(record: Record) -> str:
    return ",".join(server.strip() for server in _text(record, "Hosts").split(","))


def _nfs(record: Record, kind: str, server: str, version: str) -> Datastore:
    known = "ReadOnly" in record
    read_only = known and yes_or_no(_text(record, "ReadOnly"))
    # A lost server shows as Accessible false alone (NFS 3) or as both false (NFS 4.1): field captures of 6.5.
    states = [yes_or_no(_text(record, name)) for name in ("Accessible", "Mounted")]
    source = NfsSource(server, _text(record, "Share"), version, read_only)
    return Datastore(_text(record, "VolumeName"), kind, all(states), source, read_only_known=known)


@record
class Filesystem:
    """A mounted or lost volume: `id` is its directory below /vmfs/volumes, `name` may be empty.

    `size` and `free` are in bytes; a volume that is not mounted has none.
    """

    name: str
    id: str
    type: str
    mounted: bool
    size: int | None = None
    free: int | None = None


def filesystems(text: str) -> list[Filesystem]:
    """`esxcli storage filesystem list`. A volume without a mount point has its UUID as id."""
    return [_filesystem(record) for record in records(text)]


def _filesystem(record: Record) -> Filesystem:
    directory = _text(record, "MountPoint").rstrip("/").rpartition("/")[2]
    volume = directory or _text(record, "UUID")
    mounted = yes_or_no(_text(record, "Mounted"))
    size, free = (whole_number(_text(record, name)) if mounted else None for name in ("Size", "Free"))
    return Filesystem(_text(record, "VolumeName"), volume, _text(record, "Type"), mounted, size, free)


def datastores(
    nfs: Iterable[Datastore], nfs_41: Iterable[Datastore], volumes: Iterable[Filesystem]
) -> tuple[Datastore, ...]:
    """All volumes that have a name: NFS by its own lists, everything else by the list of file systems.

    An inaccessible NFS volume is missing from the list of file systems and has no id. An NFS volume that
    stands only there was mounted between the two looks: it is given without its source.
    """
    rows = [volume for volume in volumes if volume.name]
    told = {row.name: row for row in rows if row.type.startswith("NFS")}
    mounts = [_on_volume(mount, told.get(mount.name)) for mount in (*nfs, *nfs_41)]
    named = {mount.name for mount in mounts}
    rest = [row for row in rows if not (row.type.startswith("NFS") and row.name in named)]
    return (*mounts, *(_on_volume(Datastore(row.name, row.type, row.mounted), row) for row in rest))


def _on_volume(it: Datastore, row: Filesystem | None) -> Datastore:
    return it if row is None else replace(it, id=row.id, capacity=row.size, free=row.free)


def port_groups(text: str) -> list[PortGroup]:
    """`esxcli network vswitch standard portgroup list`."""
    return [_port_group(record) for record in records(text)]


def _port_group(record: Record) -> PortGroup:
    vlan, clients = (whole_number(_text(record, name)) for name in ("VLANID", "ActiveClients"))
    return PortGroup(_text(record, "Name"), _text(record, "VirtualSwitch"), vlan, clients)


def vswitches(text: str) -> list[str]:
    """The names in `esxcli network vswitch standard list`."""
    return [_text(record, "Name") for record in records(text)]


def running_machines(text: str) -> list[Machine]:
    """`esxcli vm process list`, which lists only running machines; `datastore` is the volume's id."""
    return [
        Machine(_text(record, "DisplayName"), *config_file(_text(record, "ConfigFile")), running=True)
        for record in records(text)
    ]


def advanced_int(text: str) -> int:
    """The value in `esxcli system settings advanced list -o NAME`, an option that holds a number."""
    found = records(text)
    if len(found) != 1:
        raise Unreadable("not one advanced option", text)
    return whole_number(_text(found[0], "IntValue"))
