"""How machines run: what they open, what they lock, and what they leave behind.

A running machine holds the extents that it writes exclusively, and all parents of these shared (field guide, section
7.1: a clone of a running machine's disk fails with a lock error). Inferred: its descriptors can be read, and are not
changed under it; with `HostModel.locks_descriptors` they can't be read either. A disk of mode independent-nonpersistent
is not written: the changes go to a redo log beside the .vmx, which goes at power-off and stays after a crash (field
guide, section 8).
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reconciler.simulator import locks
from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.model import Disk, Machine
from reconciler.simulator.nodes import Node
from reconciler.simulator.vms.files import (
    disk_facts,
    home,
    lay_delta,
    put_delta,
    redo_suffix,
    snapshots,
    write_snapshots,
    write_vmx,
)
from reconciler.simulator.vms.places import absolute

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

RUNS = ("vmfs", "vmfsSparse", "seSparse", "vmfsRawDeviceMap", "vmfsPassthroughRawDeviceMap")
Held = list[tuple[Node, str]]


class CannotStart(Exception):
    """A machine that does not start; the text is what its event would say."""


def owner(host: Host, machine: Machine) -> str:
    """Who holds the locks of this machine, unlike any other in this process."""
    return f"virtual machine {machine.id} ({machine.path}) of {host.name} {id(host):x}"


def start(host: Host, machine: Machine) -> None:
    """Start it; raises CannotStart, and then nothing has changed."""
    held = [each for disk in machine.disks for each in _opened(host, disk)]
    _may_hold(held)
    for node, kind in held:
        locks.hold(node, kind, owner(host, machine))
    machine.running = True
    try:
        _begin_redo(host, machine)
    except OSError as problem:
        crash(host, machine)
        raise CannotStart(str(problem.strerror)) from problem


def _opened(host: Host, disk: Disk) -> Held:
    """The files of a disk and how they are held; raises CannotStart."""
    written = None if disk.mode.endswith("nonpersistent") else disk.chain[-1]
    return [held for file in disk.chain for held in _held(host, file, file == written)]


def _held(host: Host, file: str, written: bool) -> Held:
    """Descriptor and extents of one virtual disk, and how they are held; raises CannotStart."""
    opened, *extents = _files(host, file)
    kind = "exclusive" if written else "shared"
    return [
        (opened, kind if host.model.locks_descriptors else "shared"),
        *((node, kind) for node in extents),
    ]


def _files(host: Host, file: str) -> list[Node]:
    """Descriptor and extents of one virtual disk."""
    found = disk_facts(host, file)
    if found is None:
        raise CannotStart(f"Cannot open the disk '{file}': The system cannot find the file specified")
    if found.create_type not in RUNS:
        raise CannotStart(
            f"Unsupported or invalid disk type for '{file}'. Ensure that the disk has been imported."
        )
    path = absolute(host, file)
    try:
        folder = posixpath.dirname(path)
        return [
            host.files.node(path),
            *(host.files.node(posixpath.join(folder, name)) for name in found.extents),
        ]
    except OSError as problem:
        raise CannotStart(
            f"Cannot open the disk '{file}' or one of the snapshot disks it depends on"
        ) from problem


def _may_hold(held: Held) -> None:
    """Raise CannotStart when somebody else holds a file in a way that does not go with ours."""
    for node, kind in held:
        lock = getattr(node, "lock", None)
        if lock == "exclusive" or (lock == "shared" and kind == "exclusive"):
            raise CannotStart("Failed to lock the file")
        mine = {other for file, other in held if file is node}
        if len(mine) > 1:
            raise CannotStart("Failed to lock the file: two disks of the machine are one")


def _begin_redo(host: Host, machine: Machine) -> None:
    for disk in machine.disks:
        if disk.mode.endswith("nonpersistent"):
            name = posixpath.basename(disk.chain[-1])
            suffix = redo_suffix(host, machine, disk.key)
            machine.redo[disk.key] = f"{name}.REDO_{suffix}"
            log = _beside(machine, machine.redo[disk.key])
            put_delta(host, disk.chain[-1], log, f"{name}-delta.REDO_{suffix}", "vmfsSparse")
            for node, kind in _held(host, log, written=True):
                locks.hold(node, kind, owner(host, machine))
    if machine.redo:
        write_vmx(host, machine)


def _beside(machine: Machine, file: str) -> str:
    return f"[{machine.datastore}] {posixpath.join(machine.folder, file)}"


def stop(host: Host, machine: Machine) -> None:
    """Power it off: its locks and redo logs go."""
    logs = [_beside(machine, name) for name in machine.redo.values()]
    crash(host, machine)
    for log in logs:
        found = disk_facts(host, log)
        for name in (posixpath.basename(log), *(found.extents if found is not None else ())):
            path = absolute(host, _beside(machine, name))
            if host.files.find(path) is not None:
                host.files.unlink(path)
    if logs and host.files.find(absolute(host, home(machine))) is not None:
        write_vmx(host, machine)


def crash(host: Host, machine: Machine) -> None:
    """It ends without an end: only its locks go."""
    machine.running = False
    machine.redo = {}
    locks.release(owner(host, machine))


def snapshot(host: Host, machine: Machine, name: str) -> None:
    """A snapshot: from now on each disk that takes part is written into a delta in the machine's folder.

    Raises OSError; CannotStart when it runs and can't go on.
    """
    names = [taken for taken, _ in snapshots(machine)]
    running = machine.running
    if running:
        stop(host, machine)
    machine.disks = tuple(_grown(host, machine, disk) for disk in machine.disks)
    for disk in machine.disks:
        if len(disk.chain) > 1 and disk.mode == "persistent":
            lay_delta(host, disk.chain[-2], disk.chain[-1])
    machine.snapshots = (*names, name)
    write_vmx(host, machine)
    write_snapshots(host, machine)
    if running:
        start(host, machine)


def _grown(host: Host, machine: Machine, disk: Disk) -> Disk:
    """The disk with one more delta; independent disks take no part."""
    if disk.mode != "persistent":
        return disk
    stem = posixpath.basename(disk.chain[0].partition("] ")[2]).removesuffix(".vmdk")
    number = 1
    while host.files.find(absolute(host, _beside(machine, f"{stem}-{number:06d}.vmdk"))) is not None:
        number += 1
    return Disk((*disk.chain, _beside(machine, f"{stem}-{number:06d}.vmdk")), disk.mode, disk.key)


def place(host: Host, machine: Machine) -> None:
    """A machine that is to run from now on, in a world that is being made; raises SimulatorError."""
    try:
        start(host, machine)
    except CannotStart as problem:
        raise SimulatorError(
            f"{machine.name!r} can't run on {host.name}: {problem} (put its disks there first)"
        ) from problem
