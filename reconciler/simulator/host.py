"""One simulated host: what it is, what it has, and what runs on it. Everything here happens in the farm's loop."""

from __future__ import annotations

import asyncio
import errno
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from reconciler.simulator import config as configuration
from reconciler.simulator.boot import bank_volume, boot
from reconciler.simulator.clock import Clock
from reconciler.simulator.config import Configuration
from reconciler.simulator.errors import BootFailure, SimulatorError
from reconciler.simulator.faults import Faults
from reconciler.simulator.files import FileSystem
from reconciler.simulator.model import HostModel, Machine, PortGroup, Storage
from reconciler.simulator.nodes import VMFS_BLOCKS, Node, Volume, walk
from reconciler.simulator.saved import save, save_at_shutdown
from reconciler.simulator.shell.process import Link, Shell
from reconciler.simulator.shell.streams import error
from reconciler.simulator.strikes import settle
from reconciler.simulator.tree import default_configuration
from reconciler.simulator.versions import RELEASES, Release
from reconciler.simulator.vms import files as vm_files
from reconciler.simulator.vms import power, registry
from reconciler.simulator.volumes import Attached, Volumes, uuid

REMEMBERED = 2_000
"""Commands that a host knows it ran: those of about fifty looks."""


@dataclass(frozen=True, slots=True)
class Executed:
    """A command that ran: its words, whether it changes a host by its nature, its status."""

    argv: tuple[str, ...]
    changing: bool
    status: int


class Host:
    """A host between its first boot and its last. `on_power` is told when it goes down (False) and comes up."""

    def __init__(self, model: HostModel, storage: Storage, clock: Clock) -> None:
        if model.version not in RELEASES:
            raise SimulatorError(
                f"no ESXi {model.version!r} is simulated (would be right: {', '.join(RELEASES)})"
            )
        self.model, self.storage, self.clock = model, storage, clock
        self.release: Release = RELEASES[model.version]
        self.name = model.name
        self.faults = Faults()
        self.volumes = Volumes(self)
        self.files: FileSystem
        self.config = Configuration()
        self.known_machines: list[Machine] = []
        self.machines: list[Machine] = []
        self.wished_clients: list[PortGroup] = []
        self.open_files: set[str] = set()
        self.processes: dict[int, Shell] = {}
        self.running: dict[int, list[str]] = {}
        self.modules: set[str] = set()
        self.executed: deque[Executed] = deque(maxlen=REMEMBERED)
        self.execs = 0
        self.logins: list[tuple[str, bool]] = []
        self.failures: list[float] = []
        self.seal_key = hashlib.sha256(model.name.encode()).digest()
        self.ssh_running = self.ssh_policy = self.audit = self.up = False
        self.maintenance = False
        self.down_reason = ""
        self.boot_time = 0.0
        self.hostd_from = 0.0
        self.on_power: Callable[[bool], None] = lambda up: None
        self.on_ssh: Callable[[bool], None] = lambda running: None
        self._tasks: set[asyncio.Task[int]] = set()
        self._pid = 2000
        self._disks()
        self._install()

    # -- installation and power ------------------------------------------------------------------------------

    def _disks(self) -> None:
        self.banks = [bank_volume(self, 0), bank_volume(self, 1)]
        self.bank_order = list(self.banks)
        self.scratch = [self._scratch()] if self.release.since(5) else []
        kind = self.vmfs_type
        self.vmfs = [
            Attached(uuid(f"{self.name}/{name}"), name, kind, self.vmfs_volume(self.model.vmfs_capacity))
            for name in self.model.vmfs
        ]

    def vmfs_volume(self, capacity: int) -> Volume:
        """A volume as this host's are. Raises SimulatorError for file blocks that its VMFS does not have."""
        block = self.model.vmfs_block
        if block not in VMFS_BLOCKS[: 1 if self.vmfs_type == "VMFS-6" else None]:
            raise SimulatorError(f"{self.vmfs_type} has no file blocks of {block} bytes")
        return Volume("VMFS", capacity, file_block=block)

    def _scratch(self) -> Attached:
        """A FAT volume without a name; from 7.0 on the volume OSDATA."""
        id_ = uuid(f"{self.name}/scratch")
        if self.release.since(7):
            return Attached(id_, f"OSDATA-{id_}", "VMFS-L", Volume("VMFS", 128580583424))
        return Attached(id_, "", "vfat", Volume("vfat", 4293591040))

    @property
    def vmfs_type(self) -> str:
        """As `esxcli storage filesystem list` names it."""
        return (
            "VMFS-3" if not self.release.since(5) else "VMFS-5" if not self.release.since(6, 5) else "VMFS-6"
        )

    def _install(self) -> None:
        """The first boot, and the configuration that the model wishes, saved."""
        boot(self)
        self.config = default_configuration(self.release)
        self.wished_clients = list(self.config.port_groups)
        for group in self.model.port_groups:
            self.place_port_group(group)
        self.ssh_policy = self.model.ssh_policy
        for mount in self.model.nfs:
            self.config.mounts.append(mount)
            self.volumes.restore(mount)
            self.config.rulesets["nfsClient" if mount.version == "3" else "nfs41Client"] = True
        for machine in self.model.machines:
            self.place_machine(machine)
        if self.model.authorized_keys:
            self.files.makedirs(self.release.keys_path.rsplit("/", 1)[0])
            self.files.write(self.release.keys_path, self.model.authorized_keys, mode=0o600)
        self.keep()
        self._came_up()
        self.ssh_running = self.model.ssh_running

    def _came_up(self) -> None:
        self.up, self.down_reason = True, ""
        self.boot_time = self.now()
        self.hostd_from = self.boot_time + self.model.hostd_delay
        self.ssh_running = self.ssh_policy

    def reboot(self, power_loss: bool) -> None:
        """Go down and come up again; a reboot saves the configuration first, a power loss does not.

        Raises BootFailure when it does not come up: then it stays down.
        """
        if not power_loss and self.up:
            save_at_shutdown(self)
            self._each_running(power.stop)
        self.power_off()
        try:
            boot(self)
        except BootFailure as failure:
            self.down_reason = str(failure)
            raise
        self._came_up()
        settle(self)
        self.on_power(True)

    def _each_running(self, end: Callable[[Host, Machine], None]) -> None:
        for machine in self.machines:
            if machine.running:
                end(self, machine)

    def power_off(self) -> None:
        """Everything that runs ends at once."""
        self._each_running(power.crash)
        self.up = self.ssh_running = self.maintenance = False
        for name in ("backup-locked", "hostd-down"):
            self.faults.drop(name)
        self.failures.clear()
        for task in list(self._tasks):
            task.cancel("KILL")
        self.processes.clear()
        self.running.clear()
        self.modules.clear()
        self.on_power(False)

    # -- the world's side ------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Write the configuration and save it, as the hourly backup would."""
        self.commit()
        save(self)

    def place_port_group(self, group: PortGroup) -> None:
        if self.config.switch(group.vswitch) is None:
            self.config.switches.append(configuration.Switch(group.vswitch))
        old = self.config.port_group(group.name)
        if old is not None:
            self.config.port_groups.remove(old)
        self.config.port_groups.append(group)
        self.wished_clients = [each for each in self.wished_clients if each.name != group.name] + [group]

    def place_machine(self, machine: Machine) -> None:
        """Register a machine, with its files; raises SimulatorError for one that is to run and can't."""
        running = machine.running
        machine.running = False
        vm_files.lay(self, machine)
        registry.admit(self, machine)
        if running:
            power.place(self, machine)

    def vmx_path(self, machine: Machine) -> str:
        volume = self.volumes.by_name(machine.datastore)
        return f"/vmfs/volumes/{volume.id if volume else machine.datastore}/{machine.path}"

    # -- configuration ---------------------------------------------------------------------------------------

    def room(self) -> None:
        """Raise ENOSPC when the configuration could not be written."""
        if self.files.root.full:
            raise error(errno.ENOSPC)

    def commit(self) -> None:
        """Write the configuration into /etc, each file only when it is another."""
        services = [self.release.ssh_service] if self.ssh_policy else []
        self._rewrite("/etc/vmware/esx.conf", configuration.render(self.config))
        self._rewrite("/etc/chkconfig.db", "".join(f"{each}\n" for each in [*services, "ntpd"]).encode())
        rows = "".join(
            f'  <ConfigEntry id="{index:04d}">\n    <objID>{machine.id}</objID>\n'
            f"    <vmxCfgPath>{escape(self.vmx_path(machine))}</vmxCfgPath>\n  </ConfigEntry>\n"
            for index, machine in enumerate(self.machines)
        )
        self._rewrite("/etc/vmware/hostd/vmInventory.xml", f"<ConfigRoot>\n{rows}</ConfigRoot>\n".encode())

    def _rewrite(self, path: str, data: bytes) -> None:
        node = self.files.find(path)
        if node is None or node.data != data:
            self.files.write(path, data)

    def max_volumes(self, version: str) -> int:
        option = "/NFS/MaxVolumes" if version == "3" else "/NFS41/MaxVolumes"
        return int(self.config.advanced.get(option, self.release.max_volumes))

    @property
    def nfs_lost(self) -> bool:
        return self.faults.get("nfs-down") is not None

    @property
    def nfs_denied(self) -> bool:
        return self.faults.get("nfs-deny") is not None

    def hostd_answers(self) -> bool:
        """Whether hostd answers this call; bounded outages count it."""
        return not self.faults.poll("hostd-down", self.now()) and self.now() >= self.hostd_from

    @property
    def hostd_up(self) -> bool:
        """Whether hostd runs, without counting as a call."""
        return self.faults.get("hostd-down") is None and self.now() >= self.hostd_from

    def set_ssh(self, running: bool) -> None:
        """Start or stop the SSH service; sessions that are open live on."""
        self.ssh_running = running
        self.on_ssh(running)

    # -- what the shell needs --------------------------------------------------------------------------------

    def now(self) -> float:
        return self.clock.now()

    def new_pid(self) -> int:
        self._pid += 1
        return self._pid

    def spawn(self, work: Awaitable[int]) -> asyncio.Task[int]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def program(self, name: str, path: str, cwd: str) -> Any:
        """The program that `name` means; raises ENOENT, or EACCES for a file that can't be run."""
        if "/" in name:
            return self._runnable(name, self.files.node(name, cwd))
        for directory in path.split(":"):
            candidate = f"{directory}/{name}"
            if directory and (node := self.files.find(candidate, cwd)) is not None and node.kind == "f":
                return self._runnable(candidate, node)
        raise error(errno.ENOENT)

    def _runnable(self, path: str, node: Node) -> Any:
        from reconciler.simulator.tools.scripts import Script

        if node.kind == "d" or not node.mode & 0o111:
            raise error(errno.EACCES)
        return node.program or Script(path, node)

    async def command(
        self, argv: list[str], changing: bool, link: Link | None, work: Callable[[], Awaitable[int]]
    ) -> int:
        """Run one simple command, with the faults that fall due at it, and record it."""
        slow = self.faults.get("slow")
        if slow is not None:
            await asyncio.sleep(1.0 if slow.seconds is None else slow.seconds)
        if changing and link is not None and self.faults.falls_due("cut-before"):
            link.cut()
            self.end_session(link)
            await asyncio.sleep(0)
        status = await work()
        self.executed.append(Executed(tuple(argv), changing, status))
        if changing and link is not None and self.faults.falls_due("cut-after"):
            link.cut()
        if changing and self.faults.falls_due("power-loss"):
            asyncio.get_running_loop().call_soon(self._power_cycle)
            await asyncio.sleep(3600)
        return status

    def _power_cycle(self) -> None:
        try:
            self.reboot(power_loss=True)
        except BootFailure:
            return

    def end_session(self, link: Link) -> None:
        """End all processes that talk over `link`."""
        for process in [each for each in self.processes.values() if each.link is link]:
            if process.task is not None:
                process.task.cancel("KILL")

    # -- proof -----------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """A hash of all that lasts: files with mode, inode and content, configuration, services.

        Left out: times of access and boot, modification times of directories, emptied /tmp.
        """
        sha = hashlib.sha256()
        for path, node in walk(self.files.root.root, "/", cross=True):
            times = () if node.kind == "d" else (node.mtime,)
            facts = (
                path,
                node.kind,
                oct(node.mode),
                node.inode,
                node.branched,
                node.target,
                node.uid,
                node.gid,
                *times,
            )
            sha.update(repr(facts).encode("utf-8", "surrogateescape") + node.fingerprint)
        services = (
            self.ssh_policy,
            self.ssh_running,
            self.maintenance,
            repr(self.config),
            repr(self.machines),
        )
        sha.update(repr(services).encode("utf-8", "surrogateescape"))
        return sha.hexdigest()
