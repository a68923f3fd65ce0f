"""`vim-cmd vmsvc/get.filelayout` and `get.filelayoutex`: the files of a machine, with the whole chain of each disk.

The fields of get.filelayout are those of a capture (4.1 or 5.x). Inferred: the text around them, by the grammar of
VimDump; that a list without items is not set; which disks a snapshot names; and what is shown of an invalid machine.
The fields of get.filelayoutex are those of the vSphere API.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from reconciler.simulator.esx.vimcmd import stamp, verb
from reconciler.simulator.esx.vimdump import Array, Dumped, Null, Object, Ref, dump
from reconciler.simulator.esx.vmsvc import machine_of, valid
from reconciler.simulator.host import Host
from reconciler.simulator.model import Machine
from reconciler.simulator.nodes import Node
from reconciler.simulator.tools.call import Call
from reconciler.simulator.vms.files import disk_facts, home, snapshot_file, snapshots
from reconciler.simulator.vms.places import absolute

LAYOUT, EX = "vim.vm.FileLayout", "vim.vm.FileLayoutEx"


@verb("vmsvc/get.filelayout")
async def filelayout(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    release = call.host.release
    if not valid(call.host, machine):
        for kind in ("vim.vm.FileInfo", LAYOUT):
            await call.out(dump(Null(kind), release))
        return
    await call.out(dump(file_info(machine), release) + dump(layout(call.host, machine), release))


def file_info(machine: Machine) -> Object:
    """Where a machine's own files go."""
    folder = f"[{machine.datastore}] {machine.folder}"
    fields: tuple[tuple[str, Dumped], ...] = (
        ("vmPathName", home(machine)),
        ("snapshotDirectory", folder),
        ("suspendDirectory", folder),
        ("logDirectory", folder),
        ("ftMetadataDirectory", None),
    )
    return Object("vim.vm.FileInfo", fields)


def layout(host: Host, machine: Machine) -> Object:
    """vim.vm.FileLayout: for each disk its chain, the base first."""
    names = _names(host, machine)
    stem = posixpath.basename(machine.path).removesuffix(".vmx")
    configured = [name for name in (f"{stem}.vmxf", f"{stem}.nvram", f"{stem}.vmsd") if name in names]
    disks: list[Dumped] = [
        Object(f"{LAYOUT}.DiskLayout", (("key", disk.key), ("diskFile", Array("string", tuple(disk.chain)))))
        for disk in machine.disks
    ]
    fields: tuple[tuple[str, Dumped], ...] = (
        ("configFile", _set("string", configured)),
        ("logFile", _set("string", [name for name in names if name.endswith(".log")])),
        ("disk", _set(f"{LAYOUT}.DiskLayout", disks)),
        ("snapshot", _set(f"{LAYOUT}.SnapshotLayout", list(_snapshots(machine)))),
        ("swapFile", None),
    )
    return Object(LAYOUT, fields)


def _names(host: Host, machine: Machine) -> list[str]:
    try:
        return host.files.names(posixpath.dirname(absolute(host, home(machine))))
    except OSError:
        return []


def _set(kind: str, items: list[Dumped] | list[str]) -> Dumped:
    return Array(kind, tuple(items)) if items else None


def _snapshots(machine: Machine) -> Iterator[Dumped]:
    for index, (_, disks) in enumerate(snapshots(machine)):
        files = (snapshot_file(machine, index + 1), *(file for _, file in disks))
        fields: tuple[tuple[str, Dumped], ...] = (
            ("key", Ref(f"vim.vm.Snapshot:{machine.id}-snapshot-{index + 1}")),
            ("snapshotFile", Array("string", files)),
        )
        yield Object(f"{LAYOUT}.SnapshotLayout", fields)


# -- get.filelayoutex ------------------------------------------------------------------------------------------


@verb("vmsvc/get.filelayoutex", since=(5,))
async def filelayoutex(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    if not valid(call.host, machine):
        await call.out(dump(Null(EX), call.host.release))
        return
    await call.out(dump(_Files(call.host, machine).layout(), call.host.release))


class _Files:
    """The files of a machine, numbered as they are named for the first time."""

    def __init__(self, host: Host, machine: Machine) -> None:
        self._host, self._machine = host, machine
        self._files: dict[str, str] = {}

    def _key(self, file: str, kind: str) -> int:
        self._files.setdefault(file, kind)
        return list(self._files).index(file)

    def layout(self) -> Object:
        self._key(home(self._machine), "config")
        disks = [self._disk(disk.key, disk.chain) for disk in self._machine.disks]
        taken = [self._snapshot(index) for index in range(len(snapshots(self._machine)))]
        files: list[Dumped] = [self._info(key, *each) for key, each in enumerate(self._files.items())]
        fields: tuple[tuple[str, Dumped], ...] = (
            ("file", _set(f"{EX}.FileInfo", files)),
            ("disk", _set(f"{EX}.DiskLayout", disks)),
            ("snapshot", _set(f"{EX}.SnapshotLayout", taken)),
            ("timestamp", stamp(self._host.now())),
        )
        return Object(EX, fields)

    def _disk(self, key: int, chain: tuple[str, ...]) -> Dumped:
        units = tuple(self._unit(file) for file in chain)
        return Object(f"{EX}.DiskLayout", (("key", key), ("chain", Array(f"{EX}.DiskUnit", units))))

    def _unit(self, file: str) -> Object:
        """One virtual disk: the keys of its descriptor and extents."""
        found = disk_facts(self._host, file)
        folder = file.rpartition("/")[0]
        extents = [f"{folder}/{name}" for name in found.extents] if found is not None else []
        keys = (self._key(file, "diskDescriptor"), *(self._key(each, "diskExtent") for each in extents))
        return Object(f"{EX}.DiskUnit", (("fileKey", Array("int", keys)),))

    def _snapshot(self, index: int) -> Dumped:
        frozen = snapshots(self._machine)[index][1]
        disks = [self._disk(disk.key, disk.chain[: disk.chain.index(file) + 1]) for disk, file in frozen]
        fields: tuple[tuple[str, Dumped], ...] = (
            ("key", Ref(f"vim.vm.Snapshot:{self._machine.id}-snapshot-{index + 1}")),
            ("dataKey", self._key(snapshot_file(self._machine, index + 1), "snapshotData")),
            ("disk", _set(f"{EX}.DiskLayout", disks)),
        )
        return Object(f"{EX}.SnapshotLayout", fields)

    def _info(self, key: int, file: str, kind: str) -> Object:
        node = self._node(file)
        size = 0 if node is None else node.size
        fields: tuple[tuple[str, Dumped], ...] = (
            ("key", key),
            ("name", file),
            ("type", kind),
            ("size", size),
            ("uniqueSize", size),
        )
        if self._host.release.since(5, 5):
            fields = (*fields, ("accessible", node is not None))
        return Object(f"{EX}.FileInfo", fields)

    def _node(self, file: str) -> Node | None:
        try:
            return self._host.files.node(absolute(self._host, file))
        except OSError:
            return None
