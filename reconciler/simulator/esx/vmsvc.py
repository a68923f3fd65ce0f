"""`vim-cmd vmsvc/…` and `solo/registervm`: the machines of a host.

Field captures: power.getstate, power.on and power.off of old versions and of 6.0 and later, the fields of get.summary
(4.x), AlreadyExists and NotFound of registervm. Inferred: what is said when a disk can't be opened, which versions
print the id of a machine that was registered, the texts of get.config and snapshot.get.
"""

from __future__ import annotations

import posixpath

from reconciler.simulator.esx.command import Refusal
from reconciler.simulator.esx.machines import getallvms
from reconciler.simulator.esx.vimcmd import fault, stamp, verb
from reconciler.simulator.esx.vimdump import Array, Dumped, Object, Ref, dump
from reconciler.simulator.host import Host
from reconciler.simulator.model import Machine
from reconciler.simulator.tools.call import Call
from reconciler.simulator.vms import power, registry, texts
from reconciler.simulator.vms.files import home, snapshots

GONE = "The object or item referred to could not be found."


def machine_of(call: Call, words: list[str]) -> Machine:
    """The machine that the first word names; raises the fault for one that is not registered."""
    wanted = words[0] if words else ""
    found = registry.find(call.host, wanted)
    if found is None:
        raise fault(call, "NotFound", f'Unable to find a VM corresponding to "{wanted}"')
    return found


def valid(host: Host, machine: Machine) -> bool:
    """Whether what the machine stands on is there."""
    volume = host.volumes.by_name(machine.datastore)
    return not machine.broken and volume is not None and volume.reached


@verb("vmsvc/getallvms")
async def all_machines(call: Call, words: list[str]) -> None:
    found = [each for each in call.host.machines if valid(call.host, each)]
    for machine in call.host.machines:
        if machine not in found:
            await call.error(f"Skipping invalid VM '{machine.id}'\n")
    await call.out(getallvms(found, call.host.release))


# -- power -----------------------------------------------------------------------------------------------------


@verb("vmsvc/power.getstate")
async def power_getstate(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    await call.out(f"Retrieved runtime info\nPowered {'on' if machine.running else 'off'}\n")


@verb("vmsvc/power.on")
async def power_on(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    await call.out("Powering on VM:\n")
    if machine.running:
        raise _wrong_state(call, "On", "Power on failed")
    try:
        if not valid(call.host, machine):
            raise power.CannotStart("The virtual machine is not accessible")
        power.start(call.host, machine)
    except power.CannotStart as problem:
        failed = fault(call, "GenericVmConfigFault", str(problem), ("reason", str(problem)))
        raise (Refusal("Power on failed") if call.host.release.since(6) else failed) from problem


@verb("vmsvc/power.off")
async def power_off(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    await call.out("Powering off VM:\n")
    if not machine.running:
        raise _wrong_state(call, "Off", "Power off failed")
    power.stop(call.host, machine)


def _wrong_state(call: Call, state: str, short: str) -> Refusal:
    """Up to 5.5 a fault, from 6.0 on a short line."""
    if call.host.release.since(6):
        return Refusal(short)
    message = f"The attempted operation cannot be performed in the current state (Powered {state})."
    states = ("requestedState", f"powered{state}"), ("existingState", f"powered{state}")
    return fault(call, "InvalidPowerState", message, *states)


# -- registering -----------------------------------------------------------------------------------------------


@verb("solo/registervm")
async def registervm(call: Call, words: list[str]) -> None:
    path = posixpath.normpath(words[0]) if words else ""
    try:
        path = call.files.real(path)
    except OSError as problem:
        raise fault(call, "NotFound", GONE) from problem
    known = registry.registered(call.host, path)
    if known is not None:
        message = f"The specified key, name, or identifier '{known.id}' already exists."
        raise fault(call, "AlreadyExists", message, ("name", str(known.id)))
    call.host.room()
    machine = registry.register(call.host, path, words[1] if len(words) > 1 else "")
    if machine is None:
        raise fault(call, "NotFound", GONE)
    call.host.commit()
    if call.host.release.since(5):
        await call.out(f"{machine.id}\n")


@verb("vmsvc/unregister")
async def unregister(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    if machine.running:
        states = ("requestedState", "poweredOff"), ("existingState", "poweredOn")
        message = "The attempted operation cannot be performed in the current state (Powered On)."
        raise fault(call, "InvalidPowerState", message, *states)
    call.host.room()
    registry.unregister(call.host, machine)
    call.host.commit()


# -- snapshots -------------------------------------------------------------------------------------------------


@verb("vmsvc/snapshot.create")
async def snapshot_create(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    await call.out("Create Snapshot:\n")
    try:
        power.snapshot(call.host, machine, words[1] if len(words) > 1 else "")
    except (power.CannotStart, OSError) as problem:
        raise Refusal("Create snapshot failed") from problem


@verb("vmsvc/snapshot.get")
async def snapshot_get(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    text = "Get Snapshot:\n"
    for depth, (name, _) in enumerate(snapshots(machine)):
        dashes = "--" * (depth + 1)
        text += f"{'--' * depth}|-{'ROOT' if not depth else 'CHILD'}\n{dashes}Snapshot Name        : {name}\n"
        if call.host.release.since(6):
            text += f"{dashes}Snapshot Id        : {depth + 1}\n"
        text += f"{dashes}Snapshot Desciption  : \n{dashes}Snapshot State       : powered off\n"
    await call.out(text)


# -- what it is ------------------------------------------------------------------------------------------------


@verb("vmsvc/get.summary")
async def get_summary(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    state = "connected" if valid(call.host, machine) else "invalid"
    runtime: tuple[tuple[str, Dumped], ...] = (
        ("host", Ref("vim.HostSystem:ha-host")),
        ("connectionState", state),
        ("powerState", "poweredOn" if machine.running else "poweredOff"),
        ("bootTime", stamp(call.host.boot_time) if machine.running else None),
    )
    config: tuple[tuple[str, Dumped], ...] = (
        ("name", machine.name),
        ("template", False),
        ("vmPathName", home(machine)),
        ("numVirtualDisks", len(machine.disks)),
        ("guestId", machine.guest),
        ("annotation", machine.annotation),
    )
    fields: tuple[tuple[str, Dumped], ...] = (
        ("vm", Ref(f"vim.VirtualMachine:{machine.id}")),
        ("runtime", Object("vim.vm.RuntimeInfo", runtime)),
        ("config", Object("vim.vm.Summary.ConfigSummary", config)),
        ("overallStatus", "green"),
    )
    await call.out("Listsummary:\n" + dump(Object("vim.vm.Summary", fields), call.host.release))


@verb("vmsvc/get.config")
async def get_config(call: Call, words: list[str]) -> None:
    machine = machine_of(call, words)
    devices: tuple[Dumped, ...] = tuple(
        Object(
            "vim.vm.device.VirtualDisk",
            (
                ("key", disk.key),
                ("backing", _backing(disk.chain, disk.mode)),
                ("unitNumber", int(texts.address(disk.key).rpartition(":")[2])),
            ),
        )
        for disk in machine.disks
    )
    hardware = Object("vim.vm.VirtualHardware", (("device", Array("vim.vm.device.VirtualDevice", devices)),))
    fields: tuple[tuple[str, Dumped], ...] = (
        ("name", machine.name),
        ("version", machine.hardware),
        ("guestId", machine.guest),
        ("annotation", machine.annotation),
        ("files", Object("vim.vm.FileInfo", (("vmPathName", home(machine)),))),
        ("hardware", hardware),
    )
    await call.out("Configuration:\n\n" + dump(Object("vim.vm.ConfigInfo", fields), call.host.release))


def _backing(chain: tuple[str, ...], mode: str) -> Dumped:
    """The disk that is written, with its parents inside it."""
    kind = "vim.vm.device.VirtualDisk.FlatVer2BackingInfo"
    above: Dumped = _backing(chain[:-1], mode) if len(chain) > 1 else None
    return Object(kind, (("fileName", chain[-1]), ("diskMode", mode.replace("-", "_")), ("parent", above)))
