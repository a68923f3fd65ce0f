"""How a host boots: the loader's choice of a bank, the modules over a fresh RAM disk, the saved configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.simulator import bootcfg, config
from reconciler.simulator.archive import BadArchive, Member, unpack, unseal
from reconciler.simulator.errors import BootFailure
from reconciler.simulator.files import FileSystem
from reconciler.simulator.nodes import STICKY, Node, Volume
from reconciler.simulator.tree import grow
from reconciler.simulator.volumes import Attached

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

STATE = "state.tgz"


def boot(host: Host) -> None:
    """Bring the host up from its banks; raises BootFailure with what its screen would show."""
    index, chosen = _bank(host)
    bank = host.banks[index]
    for name in (chosen.kernel, *chosen.modules):
        if name and name not in bank.volume.root.children:
            raise BootFailure(f"{host.name}: Error loading /{name}; Fatal error: 15 (Not found)")
    host.files = grow(host)
    for name in chosen.modules:
        _load(host, name, bank.volume.root.children[name])
    host.audit = chosen.audit
    _attach(host, index)
    _configure(host)


def _bank(host: Host) -> tuple[int, bootcfg.BootConfig]:
    read = [_read(bank.volume) for bank in host.banks]
    index = bootcfg.choose(read)
    if index is None:
        raise BootFailure(f"{host.name}: Not a VMware boot bank; no hypervisor found")
    chosen = read[index]
    assert chosen is not None
    return index, chosen


def _read(bank: Volume) -> bootcfg.BootConfig | None:
    node = bank.root.children.get("boot.cfg")
    return bootcfg.parse(node.data) if node is not None and node.kind == "f" else None


def _load(host: Host, name: str, node: Node) -> None:
    """Unpack one module. Those of the installation itself bring what `grow` has put there."""
    try:
        if name == STATE:
            _restore(host, node.data)
        elif name not in host.release.modules:
            _lay(host.files, unpack(node.data), saved=False)
    except BadArchive as problem:
        raise BootFailure(
            f"{host.name}: Error loading /{name}; Fatal error: 33 (Inconsistent data): {problem}"
        ) from problem


def _restore(host: Host, data: bytes) -> None:
    """Unpack the saved state: local.tgz, or its encrypted form, over the RAM disk."""
    members = {member.name: member.data for member in unpack(data)} if data else {}
    if "local.tgz.ve" in members:
        _lay(
            host.files,
            unpack(unseal(members["local.tgz.ve"], host.seal_key, b"ESXConfiguration")),
            saved=True,
        )
    elif "local.tgz" in members:
        _lay(host.files, unpack(members["local.tgz"]), saved=True)


def _lay(files: FileSystem, members: list[Member], saved: bool) -> None:
    """Put members over the file system. What comes from the saved state is branched."""
    for member in members:
        path = "/" + member.name.strip("/").removeprefix("./")
        if member.kind == "d":
            files.makedirs(path, member.mode)
            continue
        files.makedirs(path.rsplit("/", 1)[0] or "/")
        if files.find(path, follow=False) is not None:
            files.unlink(path)
        node = files.create(path, mode=member.mode, kind=member.kind)
        node.target = member.target
        node.put(0, member.data, member.mtime)
        if member.kind == "f" and saved:
            node.set_mode(member.mode | STICKY)


def _attach(host: Host, index: int) -> None:
    """Boot banks and VMFS volumes, and the links to the banks."""
    host.volumes.begin(host.files.node("/vmfs/volumes"))
    for each in [*host.vmfs, *host.banks, *host.scratch]:
        host.volumes.attach(each)
    host.bank_order = [host.banks[index], host.banks[1 - index]]
    for path, bank in zip(("/bootbank", "/altbootbank"), host.bank_order, strict=True):
        host.files.symlink(f"/vmfs/volumes/{bank.id}", path)
    if host.scratch:
        host.files.symlink(f"/vmfs/volumes/{host.scratch[0].id}", "/scratch")


def _configure(host: Host) -> None:
    """Take the configuration from the files that the boot has brought."""
    host.config = config.parse(host.files.read("/etc/vmware/esx.conf"))
    clients = {group.name: group.clients for group in host.wished_clients}
    for group in host.config.port_groups:
        group.clients = clients.get(group.name, 0)
    for mount in host.config.mounts:
        host.volumes.restore(mount)
    services = host.files.read("/etc/chkconfig.db").decode("utf-8", "replace").split()
    host.ssh_policy = host.release.ssh_service in services
    inventory = host.files.read("/etc/vmware/hostd/vmInventory.xml").decode("utf-8", "replace")
    listed = set(re.findall(r"<vmxCfgPath>(.*?)</vmxCfgPath>", inventory))
    host.machines = [each for each in host.known_machines if host.vmx_path(each) in listed]
    for machine in host.machines:
        machine.running = False


def bank_volume(host: Host, number: int) -> Attached:
    """A boot bank of a fresh installation: FAT, 250 MiB, with the modules and a boot.cfg."""
    from reconciler.simulator.volumes import uuid

    volume = Volume("vfat", 261853184)
    release = host.release
    if number == 0:
        for name in {*release.modules, "b.z" if not release.since(5) else "b.b00", "tboot.b00"}:
            _place(
                volume, name, b"" if name == STATE else f"module {name} of {release.number}\n".encode(), host
            )
    text = bootcfg.render(
        release.version, release.modules, release.boot_build, 1 + number, 3 if number else 0
    )
    _place(volume, "boot.cfg", text, host)
    label = f"BOOTBANK{number + 1}" if release.since(7) else ""
    return Attached(uuid(f"{host.name}/bank{number}"), label, "vfat", volume)


def _place(volume: Volume, name: str, data: bytes, host: Host) -> None:
    node = Node(volume, "f", 0o700, host.now())
    node.put(0, data, host.now())
    volume.root.children[name] = node
