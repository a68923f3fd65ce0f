"""What hosts print, put together by the field guide's rules (sections 1.2, 1.3 and 8), on their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from reconciler.transports.shell import Piece

HEADER = "Vmid   Name   File   Guest OS   Version   Annotation\n"
XML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<output xmlns="http://www.vmware.com/Products/ESX/5.0/esxcli">\n'
)
NOT_FOUND = (
    "(vim.fault.NotFound) {\n   faultCause = (vmodl.MethodFault) null,\n"
    '   msg = "Unable to find a VM corresponding to \\"7\\""\n}\n'
)
HOSTD_DOWN = "Connect to localhost failed: Connection failure\n"
BUSY = "dd: can't open 'x': Device or resource busy"


def framed(*parts: str | int | bytes) -> bytes:
    """Each part with a NUL behind it."""
    return b"".join(_bytes(part) + b"\0" for part in parts)


def _bytes(part: str | int | bytes) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")


def piece(*outs: bytes, status: int = 0, err: bytes = b"") -> Piece:
    return Piece(status, b"".join(outs), err)


def dump(kind: str, value: Any, *, old: bool, depth: int = 0) -> str:
    """VimDump: up to 6.0 a blank after each comma and dynamicType, from 7.0 no comma after the last property."""
    pad, inner, comma = "   " * depth, "   " * (depth + 1), ", " if old else ","
    if isinstance(value, str):
        return f'"{value}"'
    if value is None or isinstance(value, int):
        return "<unset>" if value is None else str(value)
    if isinstance(value, Mapping):
        fields = [("dynamicType", None), *value.items()] if old else list(value.items())
        lines = [f"{inner}{name} = {dump('x.Y', it, old=old, depth=depth + 1)}" for name, it in fields]
        opening, closing = "{", "}"
    else:
        lines = [inner + dump("x.Y", it, old=old, depth=depth + 1) for it in value]
        opening, closing = "[", "]"
        if not lines:
            return f"({kind}) []"
    ended = [line + comma for line in lines]
    if lines and not old:
        ended[-1] = lines[-1]
    return "\n".join([f"({kind}) {opening}", *ended, f"{pad}{closing}"])


def layout(
    config: str, chains: Sequence[Sequence[str]], others: Sequence[str] = (), *, old: bool = False
) -> str:
    """`vim-cmd vmsvc/get.filelayout`."""
    disks = [{"key": 2000 + at, "diskFile": list(chain)} for at, chain in enumerate(chains)]
    taken = [{"key": "'vim.vm.Snapshot:1-snapshot-1'", "snapshotFile": list(others)}] if others else None
    files = {"configFile": ["x.vmxf", "nvram"], "disk": disks or None, "snapshot": taken, "swapFile": None}
    info = {"vmPathName": config, "ftMetadataDirectory": None}
    return dump("vim.vm.FileInfo", info, old=old) + "\n" + dump("vim.vm.FileLayout", files, old=old) + "\n"


def rows(machines: Iterable[tuple[int, str, str]]) -> str:
    """`vim-cmd vmsvc/getallvms`: number, name, `[datastore] path`."""
    return HEADER + "".join(
        f"{number}   {name}   {config}   otherGuest   vmx-08\n" for number, name, config in machines
    )


def filesystems(volumes: Iterable[tuple[str, str, str]]) -> str:
    """`esxcli --formatter=xml storage filesystem list`: id, name, type; all are mounted."""
    fields = [
        {
            "Free": ("integer", "1"),
            "MountPoint": ("string", f"/vmfs/volumes/{volume}"),
            "Mounted": ("boolean", "true"),
            "Size": ("integer", "2"),
            "Type": ("string", kind),
            "UUID": ("string", volume),
            "VolumeName": ("string", name),
        }
        for volume, name, kind in volumes
    ]
    return structures(fields)


def processes(configs: Iterable[str]) -> str:
    """`esxcli --formatter=xml vm process list`."""
    return structures(
        [{"ConfigFile": ("string", config), "DisplayName": ("string", "x")} for config in configs]
    )


def structures(records: Iterable[Mapping[str, tuple[str, str]]]) -> str:
    body = "".join(
        '      <structure typeName="X">\n'
        + "".join(
            f'         <field name="{name}">\n            <{kind}>{escape(text)}</{kind}>\n         </field>\n'
            for name, (kind, text) in record.items()
        )
        + "      </structure>\n"
        for record in records
    )
    return f'{XML}<root>\n   <list type="structure">\n{body}   </list>\n</root>\n</output>\n'


def summaries(volumes: Iterable[tuple[str | None, str, bool]]) -> str:
    """`vim-cmd hostsvc/datastore/listsummary`: id, name, whether it is accessible."""
    items = "".join(
        f'\t(vim.Datastore.Summary) {{\n\t\tname = "{name}",\n'
        + (f'\t\turl = "/vmfs/volumes/{volume}",\n' if volume else "\t\turl = <unset>,\n")
        + f'\t\taccessible = {str(reached).lower()},\n\t\ttype = "VMFS",\n\t}},\n'
        for volume, name, reached in volumes
    )
    return f"(vim.Datastore.Summary) [\n{items}]\n"
