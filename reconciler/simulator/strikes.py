"""What a fault does to a host when it strikes, and how the host is without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.simulator.faults import Fault
from reconciler.simulator.saved import LOCK

if TYPE_CHECKING:
    from reconciler.simulator.host import Host


def strike(host: Host, fault: Fault) -> None:
    """Put a fault in force; raises SimulatorError for a name that is none."""
    if fault.name == "clear":
        relieve(host)
        return
    fault.begun = host.now()
    host.faults.put(fault)
    if fault.name == "nfs-down":
        _lose_nfs(host)
    if fault.name == "backup-locked":
        host.files.write(LOCK, b"")
    settle(host)
    host.on_ssh(host.ssh_running)


def relieve(host: Host) -> None:
    """Take all faults away, and what they have done."""
    locked = host.faults.get("backup-locked") is not None
    host.faults.clear()
    if host.up and locked and host.files.find(LOCK):
        host.files.unlink(LOCK)
    _find_nfs(host)
    settle(host)
    host.on_ssh(host.ssh_running)


def settle(host: Host) -> None:
    """Make disks and links as the faults in force want them, also after a boot."""
    full = host.faults.get("disk-full") is not None
    for volume in [host.files.root, *(each.volume for each in host.banks)]:
        volume.full = full
    lost = host.faults.get("bootbank-tmp") is not None
    for path, bank in zip(("/bootbank", "/altbootbank"), host.bank_order, strict=True):
        link = host.files.find(path, follow=False)
        if link is not None and link.kind == "l":
            link.target = "/tmp" if lost else f"/vmfs/volumes/{bank.id}"


def _lose_nfs(host: Host) -> None:
    for attached in host.volumes.attached:
        directory = host.volumes.directory
        if attached.mount is not None and directory is not None and attached.id in directory.children:
            attached.lost = True
            directory.children[attached.id].unreachable = True


def _find_nfs(host: Host) -> None:
    directory = host.volumes.directory
    for attached in host.volumes.attached:
        if attached.mount is not None and directory is not None and attached.id in directory.children:
            attached.lost = False
            directory.children[attached.id].unreachable = False
    host.volumes.remount()
