"""How a simulated host is described, and the storage that hosts share. Sizes are in bytes."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.simulator.nodes import Volume

MIB, GIB = 1 << 20, 1 << 30


@dataclass
class PortGroup:
    """A standard port group; `clients` counts the ports in use."""

    name: str
    vswitch: str = "vSwitch0"
    vlan: int = 0
    clients: int = 0


@dataclass
class NfsMount:
    """An NFS mount: `version` is "3" or "4.1" (there `server` may be several, parted by commas)."""

    name: str
    server: str
    share: str
    version: str = "3"
    read_only: bool = False


@dataclass(frozen=True)
class Disk:
    """A disk of a machine. `chain` names its virtual disks, the base first, the one that is written last.

    Each is named as VMware does: `[datastore1] img/img.vmdk`. `mode` is `persistent`, `independent-persistent` or
    `independent-nonpersistent`; `key` is that of the device: 2000 and up SCSI, 3000 and up IDE, 16000 and up SATA.
    """

    chain: tuple[str, ...]
    mode: str = "persistent"
    key: int = 2000


@dataclass
class Machine:
    """A virtual machine. `path` is its .vmx, relative to the datastore.

    `computer_id` is what VCL notes in the .vmx; `broken`: what it stands on is lost, it lists as invalid. `redo` has
    the names of its redo logs while it runs, by the key of the disk.
    """

    id: int
    name: str
    datastore: str
    path: str
    guest: str = "otherLinux64Guest"
    hardware: str = "vmx-07"
    annotation: str = ""
    running: bool = False
    disks: tuple[Disk, ...] = ()
    computer_id: str = ""
    snapshots: tuple[str, ...] = ()
    broken: bool = False
    redo: dict[int, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The folder of the .vmx, relative to the datastore."""
        return posixpath.dirname(self.path)


@dataclass
class HostModel:
    """A host before its first boot. None means what a fresh installation of that version has."""

    name: str
    version: str = "6.7"
    root_password: str = "VMware1!"
    authorized_keys: bytes = b""
    vmfs: tuple[str, ...] = ("datastore1",)
    vmfs_capacity: int = 64 * GIB
    vmfs_block: int = 1 << 20
    """Bytes of a file block. VMFS-3 is made with 1, 2, 4 or 8 MiB, and keeps that as VMFS-5; VMFS-6 has 1 MiB."""
    nfs: tuple[NfsMount, ...] = ()
    port_groups: tuple[PortGroup, ...] = ()
    machines: tuple[Machine, ...] = ()
    ssh_policy: bool = True
    ssh_running: bool = True
    sdk: bool = False
    """Whether the host answers the vSphere SDK too; its password is root's."""
    free_licence: bool = False
    """Whether the licence lets the SDK only read."""
    hostd_delay: float = 0.0
    """Seconds after a boot until hostd answers."""
    mount_delay: float = 0.2
    """Seconds that a mount from a dead server takes (a real host: about 30)."""
    lock_wait: float = 0.5
    """Seconds that backup.sh waits for its lock (a real host: about 60)."""
    settle_lists: int = 0
    """How many lists after a mount still show it as not accessible."""
    clone_rate: float | None = None
    """Bytes per second of `vmkfstools -i`; None is as fast as it goes."""
    reads_2gbsparse: bool = False
    """From 6.5 on: whether vmkfstools reads and writes 2gbsparse although the module is gone (reports differ)."""
    refuses_2gbsparse_with: int = 15
    """The number with which it refuses otherwise: 15 or 25."""
    locks_descriptors: bool = False
    """Whether the descriptor of a disk that a machine writes can't even be read while it runs."""


@dataclass
class Export:
    """What an NFS server offers at one path; hosts that mount it see the same files."""

    volume: Volume


@dataclass
class Server:
    """An NFS server. `state` is `up`, `down` (no answer) or `deny` (refuses every mount)."""

    exports: dict[str, Export] = field(default_factory=dict)
    state: str = "up"


class Storage:
    """The NFS servers of a farm, by the names and addresses that hosts may use for them.

    `aliases` maps a further spelling of a server to its name: another spelling is another datastore to ESXi, with
    the same files in it.
    """

    def __init__(
        self, exports: Mapping[str, Sequence[str]] | None = None, aliases: Mapping[str, str] | None = None
    ) -> None:
        self.servers: dict[str, Server] = {}
        self.aliases = dict(aliases or {})
        for name, paths in (exports or {}).items():
            for path in paths:
                self.export(name, path)

    def export(self, server: str, path: str, capacity: int = 900 * GIB) -> Export:
        """Offer `path` on `server`."""
        offered = self.servers.setdefault(server, Server()).exports
        return offered.setdefault(path, Export(Volume("NFS", capacity)))

    def server(self, spelling: str) -> Server | None:
        """The server behind a name or address; None when it can't be resolved or reached."""
        return self.servers.get(self.aliases.get(spelling, spelling))

    def set_state(self, server: str, state: str) -> None:
        """`up`, `down` or `deny`; what is mounted from a server that goes down can't be reached any more."""
        known = self.server(server)
        if known is None:
            known = self.servers.setdefault(server, Server())
        known.state = state
        for export in known.exports.values():
            export.volume.online = state != "down"
