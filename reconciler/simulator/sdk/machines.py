"""What the API shows of a machine: its state, its disks, and `layoutEx` with their whole chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reconciler.simulator.esx.vmsvc import valid
from reconciler.simulator.sdk.objects import make, moment, ref
from reconciler.simulator.vms.files import disk_facts, home, snapshot_file, snapshots

if TYPE_CHECKING:
    from reconciler.simulator.host import Host
    from reconciler.simulator.model import Machine


def properties(host: Host, moid: str) -> dict[str, Callable[[], Any]]:
    """The properties of a machine by their paths. Raises KeyError."""
    machine = next((it for it in host.machines if str(it.id) == moid), None)
    if machine is None:
        raise KeyError(moid)
    whole = valid(host, machine)
    return {
        "name": lambda: machine.name if whole else home(machine),
        "runtime": lambda: make(
            "VirtualMachineRuntimeInfo",
            connectionState="connected" if whole else "invalid",
            powerState="poweredOn" if machine.running else "poweredOff",
            toolsInstallerMounted=False,
            numMksConnections=0,
            faultToleranceState="notConfigured",
            recordReplayState="inactive",
            onlineStandby=False,
            consolidationNeeded=False,
            host=ref("HostSystem", "ha-host"),
        ),
        "summary.config.vmPathName": lambda: home(machine),
        "config.files": lambda: make("VirtualMachineFileInfo", vmPathName=home(machine)) if whole else None,
        "config.hardware.device": lambda: [_disk(it.key, it.chain[-1], it.mode) for it in machine.disks],
        "layoutEx": lambda: Layout(host, machine).value() if whole else None,
        "snapshot": lambda: None,
    }


def _disk(key: int, file: str, mode: str) -> Any:
    underscored = mode.replace("-", "_")
    backing = make("VirtualDiskFlatVer2BackingInfo", fileName=file, diskMode=underscored)
    return make("VirtualDisk", key=key, backing=backing, capacityInKB=0)


class Layout:
    """`layoutEx`: the files of a machine, numbered as they are named for the first time."""

    def __init__(self, host: Host, machine: Machine) -> None:
        self._host, self._machine = host, machine
        self._files: dict[str, str] = {}

    def value(self) -> Any:
        self._key(home(self._machine), "config")
        disks = [self._disk(disk.key, disk.chain) for disk in self._machine.disks]
        taken = [self._snapshot(index) for index in range(len(snapshots(self._machine)))]
        files = [
            make("VirtualMachineFileLayoutExFileInfo", key=key, name=name, type=kind, size=0)
            for key, (name, kind) in enumerate(self._files.items())
        ]
        stamp = moment(self._host.now())
        return make("VirtualMachineFileLayoutEx", file=files, disk=disks, snapshot=taken, timestamp=stamp)

    def _key(self, file: str, kind: str) -> int:
        self._files.setdefault(file, kind)
        return list(self._files).index(file)

    def _disk(self, key: int, chain: tuple[str, ...]) -> Any:
        return make(
            "VirtualMachineFileLayoutExDiskLayout", key=key, chain=[self._unit(file) for file in chain]
        )

    def _snapshot(self, index: int) -> Any:
        frozen = snapshots(self._machine)[index][1]
        return make(
            "VirtualMachineFileLayoutExSnapshotLayout",
            key=ref("VirtualMachineSnapshot", f"{self._machine.id}-snapshot-{index + 1}"),
            dataKey=self._key(snapshot_file(self._machine, index + 1), "snapshotData"),
            memoryKey=-1,
            disk=[self._disk(disk.key, disk.chain[: disk.chain.index(file) + 1]) for disk, file in frozen],
        )

    def _unit(self, file: str) -> Any:
        found, folder = disk_facts(self._host, file), file.rpartition("/")[0]
        extents = [f"{folder}/{name}" for name in found.extents] if found is not None else []
        keys = [self._key(file, "diskDescriptor"), *(self._key(it, "diskExtent") for it in extents)]
        return make("VirtualMachineFileLayoutExDiskUnit", fileKey=keys)
