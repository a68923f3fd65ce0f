"""What a machine leaves on its datastores: .vmx, .vmsd, snapshots' states, and the deltas of its disks.

Base disks are left as they are, there or not; what stands there already is not written again.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.simulator.model import Disk, Machine
from reconciler.simulator.vms import deltas, texts
from reconciler.simulator.vms.places import absolute, hint, located, named, text_of

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

UNKNOWN = deltas.Facts("fffffffe", "vmfs", None, 131072, ())


def home(machine: Machine) -> str:
    """The .vmx as VMware names it: `[datastore1] vm/vm.vmx`."""
    return f"[{machine.datastore}] {machine.path}"


def lay(host: Host, machine: Machine, vmx: bool = True) -> None:
    """Write what is not there yet; without `vmx` the deltas only. Raises OSError.

    A machine whose datastore can't be reached gets no files.
    """
    for disk in machine.disks:
        for parent, child in zip(disk.chain, disk.chain[1:], strict=False):
            if _reached(host, child):
                lay_delta(host, parent, child)
    if vmx and _reached(host, home(machine)):
        _lay_texts(host, machine)


def _reached(host: Host, file: str) -> bool:
    try:
        return located(host, file)[0].reached
    except OSError:
        return False


def _lay_texts(host: Host, machine: Machine) -> None:
    stem = _stem(host, machine)
    if host.files.find(f"{stem}.vmx") is None:
        write_vmx(host, machine)
    if host.files.find(f"{stem}.vmsd") is None:
        write_snapshots(host, machine)


def _stem(host: Host, machine: Machine) -> str:
    return absolute(host, home(machine)).removesuffix(".vmx")


def _write(host: Host, path: str, text: str) -> None:
    host.files.makedirs(posixpath.dirname(path))
    host.files.write(path, text.encode("utf-8", "surrogateescape"))


def write_vmx(host: Host, machine: Machine) -> None:
    """The .vmx as it must be now; its mode is that of a program (0755), as VMware sets it."""
    files = {disk.key: hint(host, disk.chain[-1], home(machine)) for disk in machine.disks}
    path = f"{_stem(host, machine)}.vmx"
    _write(host, path, texts.vmx(machine, files))
    host.files.node(path).set_mode(0o755)


def write_snapshots(host: Host, machine: Machine) -> None:
    """The .vmsd, and a state for each snapshot."""
    stem, taken = _stem(host, machine), snapshots(machine)
    frozen = [
        [(texts.address(disk.key), hint(host, file, home(machine))) for disk, file in disks]
        for _, disks in taken
    ]
    names = [name for name, _ in taken]
    _write(host, f"{stem}.vmsd", texts.vmsd(names, frozen, posixpath.basename(stem)))
    for number in range(1, len(names) + 1):
        if host.files.find(f"{stem}-Snapshot{number}.vmsn") is None:
            _write(host, f"{stem}-Snapshot{number}.vmsn", f"snapshot {number}\n")


def snapshots(machine: Machine) -> list[tuple[str, list[tuple[Disk, str]]]]:
    """Each snapshot's name, and the file of each disk that was written last when it was taken."""
    count = max([0, *(len(disk.chain) - 1 for disk in machine.disks)])
    names = [
        *machine.snapshots,
        *(f"snapshot {number + 1}" for number in range(len(machine.snapshots), count)),
    ]
    return [
        (names[index], [(disk, disk.chain[index]) for disk in machine.disks if len(disk.chain) > index + 1])
        for index in range(count)
    ]


def snapshot_file(machine: Machine, number: int) -> str:
    """The file with the state of a snapshot (counted from 1)."""
    return f"{home(machine).removesuffix('.vmx')}-Snapshot{number}.vmsn"


# -- deltas ----------------------------------------------------------------------------------------------------


def disk_facts(host: Host, disk: str) -> deltas.Facts | None:
    """What the descriptor of a virtual disk says; None when it is not there, or is none."""
    try:
        text = text_of(host, absolute(host, disk))
    except OSError:
        return None
    return None if text is None else deltas.facts(text)


def lay_delta(host: Host, parent: str, child: str) -> None:
    """A delta over `parent`, empty, unless it is there: vmfsSparse, on VMFS-6 seSparse. Raises OSError."""
    volume, path = located(host, child)
    sparse = "seSparse" if volume.type == "VMFS-6" else "vmfsSparse"
    if host.files.find(absolute(host, child)) is None:
        put_delta(host, parent, child, deltas.extent_name(posixpath.basename(path), sparse), sparse)


def put_delta(host: Host, parent: str, child: str, extent: str, sparse: str) -> None:
    """Descriptor and extent of a delta; `extent` is the name of its file."""
    above = disk_facts(host, parent) or UNKNOWN
    path = absolute(host, child)
    _write(
        host, path, deltas.descriptor(above, hint(host, parent, child), extent, sparse, f"{host.name}{path}")
    )
    host.files.node(path).set_mode(0o600)
    node = host.files.for_writing(posixpath.join(posixpath.dirname(path), extent), mode=0o600)
    for offset, piece in deltas.empty_extent(above.sectors, sparse):
        node.put(offset, piece, host.now())


def chain_of(host: Host, disk: str) -> Iterator[str]:
    """A virtual disk and its parents, as far as they can be read; the one that is written first."""
    seen: set[str] = set()
    while disk not in seen:
        seen.add(disk)
        yield disk
        found = disk_facts(host, disk)
        if found is None or found.parent is None:
            return
        disk = named(host, posixpath.join(posixpath.dirname(absolute(host, disk)), found.parent))


def redo_suffix(host: Host, machine: Machine, key: int) -> str:
    """Six letters and digits, other ones at each start."""
    seed = f"{host.name}/{machine.path}/{key}/{host.now()}"
    return hashlib.md5(seed.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()[:6]
