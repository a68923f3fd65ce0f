"""What a freshly booted host has in its RAM disk before the saved state is unpacked over it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from reconciler.simulator.config import Configuration, Switch, render
from reconciler.simulator.files import FileSystem
from reconciler.simulator.model import PortGroup
from reconciler.simulator.nodes import STICKY, Node, Volume
from reconciler.simulator.tools.call import PROGRAMS, Program
from reconciler.simulator.versions import Release

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

MIB = 1 << 20
DIRECTORIES = (
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib/vmware",
    "/etc/init.d",
    "/etc/vmware/hostd",
    "/etc/vmware/ssl",
    "/etc/ssh",
    "/lib",
    "/opt",
    "/proc",
    "/var/run",
    "/var/log",
    "/var/spool/cron/crontabs",
    "/vmfs",
    "/dev",
    "/tmp",
)
LOCAL_SH = """#!/bin/sh

# local configuration options

# Note: modify at your own risk!  If you do/use anything in this
# script that is not part of a stable API (relying on files to be in
# specific places, specific tools, specific output, etc) there is a
# possibility you will end up with a broken system after patching or
# upgrading.  Changes are not supported unless under direction of
# VMware support.

exit 0
"""


def default_configuration(release: Release) -> Configuration:
    """What the installer leaves: vSwitch0 with its two port groups."""
    config = Configuration([Switch("vSwitch0", uplinks=["vmnic0"])])
    config.port_groups = [PortGroup("VM Network"), PortGroup("Management Network", clients=1)]
    return config


def stock_files(host: Host) -> dict[str, str]:
    """Configuration files of a fresh installation, which become branched when they are written."""
    release = host.release
    files = {
        "/etc/hosts": f"127.0.0.1\tlocalhost.localdomain localhost\n{host.model.name}\n",
        "/etc/passwd": "root:x:0:0:Administrator:/:/bin/sh\n",
        "/etc/resolv.conf": "",
        "/etc/ntp.conf": "restrict default kod nomodify notrap nopeer\n",
        "/etc/vmware/esx.conf": render(default_configuration(release)).decode(),
        "/etc/vmware/hostd/vmInventory.xml": "<ConfigRoot/>\n",
        "/etc/vmware/ssl/rui.crt": f"-----BEGIN CERTIFICATE-----\n{host.model.name}\n-----END CERTIFICATE-----\n",
        "/etc/vmware/ssl/rui.key": f"simulated key of {host.model.name}\n",
        "/etc/vmware/.backup.counter": "# CREATED\n# MODIFIED\n0\n",
        "/etc/chkconfig.db": "ntpd\n",
        "/etc/inetd.conf": "# inetd\n",
    }
    if release.since(5):
        files["/etc/ssh/keys-root/authorized_keys"] = ""
        files["/etc/ssh/sshd_config"] = "# running from inetd\n"
    if release.since(5, 1):
        files["/etc/rc.local.d/local.sh"] = LOCAL_SH
    else:
        files["/etc/rc.local"] = LOCAL_SH
    if release.since(8):
        files["/etc/vmware/configstore/current-store-1"] = ""
    return files


def grow(host: Host) -> FileSystem:
    """The file system of a host at the beginning of a boot."""
    root = Volume("visorfs", (32 if not host.release.since(5) else 64) * MIB)
    files = FileSystem(root, host.now)
    for path in DIRECTORIES:
        files.makedirs(path)
    for path, text in stock_files(host).items():
        files.makedirs(path.rsplit("/", 1)[0])
        secret = path.endswith(("authorized_keys", ".key"))
        node = files.write(path, text.encode(), mode=0o600 if secret else 0o644)
        node.mode |= STICKY
        node.stock = True
    _install(files, programs(host.release))
    _mount_ram(files, host)
    return files


def _install(files: FileSystem, found: dict[str, Program]) -> None:
    """Put the programs in their places, each folder looked up once: they are most of what a boot makes."""
    folders: dict[str, Node] = {}
    for path, program in found.items():
        folder, name = path.rsplit("/", 1)
        if folder not in folders:
            files.makedirs(folder)
            folders[folder] = files.node(folder)
        node = Node(files.root, "f", 0o555, files.now())
        node.program, node.stock = program, True
        folders[folder].children[name] = node


def _mount_ram(files: FileSystem, host: Host) -> None:
    tmp = Volume("tmp", 192 * MIB if not host.release.since(5) else 256 * MIB)
    files.node("/tmp").mounted = tmp
    devices = Volume("dev", 0)
    files.node("/dev").mounted = devices
    for name in ("null", "zero"):
        devices.root.children[name] = Node(devices, "c", 0o666, host.now())
        devices.root.children[name].target = name
    devices.sealed = True
    volumes = Volume("vmfs", 0, sealed=True)
    files.mkdir("/vmfs/volumes").mounted = volumes
    volumes.root.mode = 0o755


def programs(release: Release) -> dict[str, Program]:
    """The programs that a version has, by path."""
    found = {}
    for program in PROGRAMS:
        if _version(program.since) <= release.version < _version(program.until):
            found[program.path] = program
    return found


@cache
def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
