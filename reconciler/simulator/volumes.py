"""What hangs below /vmfs/volumes: VMFS and boot bank volumes, and NFS mounts with their refusals.

Texts of refusals are the VMkernel's status texts in the proved template (field guide, section 6.4).
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.simulator.model import NfsMount
from reconciler.simulator.nfs_id import lookup8, volume_id
from reconciler.simulator.nodes import Node, Volume

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

TEMPLATE = (
    "Unable to complete Sysinfo operation.  Please see the VMkernel log file for more details.: "
    "Sysinfo error: {}See VMkernel log for details."
)
MAX_NAME = 42


class NasRefusal(Exception):
    """A mount or unmount that the host refuses; the text is what esxcli prints after its own words."""


@dataclass
class Attached:
    """A volume below /vmfs/volumes. `name` is "" for boot banks up to 6.x; `hidden` counts lists that still show a
    fresh mount as not accessible."""

    id: str
    name: str
    type: str
    volume: Volume
    mount: NfsMount | None = None
    hidden: int = 0
    lost: bool = False

    @property
    def reached(self) -> bool:
        return self.volume.online and not self.lost


def uuid(seed: str, created: int = 0x4EE1D386) -> str:
    """A volume UUID in VMware's form (8-8-4-12 hex digits), the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return f"{created:08x}-{digest[:8]}-{digest[8:12]}-{digest[12:24]}"


def hardware_uuid(name: str) -> str:
    """The UUID of a host's hardware, in the usual form."""
    digits = hashlib.sha256(f"{name}/hardware".encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def nfs_id(mount: NfsMount) -> str:
    """The directory name of a mount. NFS 4.1 has another scheme, which is not known: here a hash in the same form."""
    if mount.version == "3":
        return volume_id(mount.server, mount.share)
    value = lookup8(f"{mount.server}:{mount.share}".encode("utf-8", "surrogateescape"), 41)
    return f"{value & 0xFFFFFFFF:08x}-{value >> 32:08x}-0000-000000000000"


class Volumes:
    """The volumes of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.attached: list[Attached] = []
        self.directory: Node | None = None

    def begin(self, directory: Node) -> None:
        """A boot: nothing is attached yet."""
        self.attached = []
        self.directory = directory
        self._host.files.read_only.clear()

    def by_name(self, name: str) -> Attached | None:
        """The volume with this name or id."""
        return next((each for each in self.attached if name and name in (each.name, each.id)), None)

    def attach(self, volume: Attached) -> None:
        """Show a volume: its directory, and its name as a link to it."""
        self.attached.append(volume)
        if volume.lost or self.directory is None:
            return
        host = self._host
        node = Node(self.directory.volume, "d", 0o1755, host.now())
        node.mounted = volume.volume
        self.directory.children[volume.id] = node
        if volume.name:
            link = Node(self.directory.volume, "l", 0o755, host.now())
            link.target = volume.id
            self.directory.children.setdefault(volume.name, link)
        if volume.mount is not None and volume.mount.read_only:
            host.files.read_only.add(f"/vmfs/volumes/{volume.id}")

    def detach(self, volume: Attached) -> None:
        self.attached.remove(volume)
        self._host.files.read_only.discard(f"/vmfs/volumes/{volume.id}")
        if self.directory is not None:
            self.directory.children.pop(volume.id, None)
            self.directory.children.pop(volume.name, None)

    # -- NFS -------------------------------------------------------------------------------------------------

    def mounts(self, version: str) -> list[Attached]:
        return [each for each in self.attached if each.mount is not None and each.mount.version == version]

    def restore(self, mount: NfsMount) -> None:
        """A mount that the configuration names, at a boot: it is listed even when its server is not there."""
        volume = self._exported(mount)
        attached = Attached(
            nfs_id(mount), mount.name, self._type(mount), volume or Volume("NFS", 0, online=False), mount
        )
        attached.lost = volume is None
        self.attach(attached)

    def remount(self) -> None:
        """Try again what could not be reached: `esxcfg-nas -r`, and what the host itself does every 30 seconds."""
        for attached in [each for each in self.attached if each.mount is not None and each.lost]:
            assert attached.mount is not None
            if self._exported(attached.mount) is not None:
                self.detach(attached)
                self.restore(attached.mount)

    async def mount(self, mount: NfsMount) -> None:
        """Mount it; raises NasRefusal, or OSError when the configuration can't be written."""
        self._may_mount(mount)
        volume = await self._connected(mount)
        self._host.room()
        attached = Attached(
            nfs_id(mount), mount.name, self._type(mount), volume, mount, self._host.model.settle_lists
        )
        self.attach(attached)
        self._host.config.mounts.append(mount)
        self._host.config.rulesets[self._ruleset(mount)] = True
        self._host.commit()

    def _may_mount(self, mount: NfsMount) -> None:
        for other in self.attached:
            if other.mount is not None and (other.mount.server, other.mount.share) == (
                mount.server,
                mount.share,
            ):
                raise NasRefusal(
                    f"Unable to create new NAS volume.  {mount.server}:{mount.share} is already exported by a "
                    f"volume with the name {other.name}"
                )
        if self.by_name(mount.name) is not None:
            raise NasRefusal(TEMPLATE.format("Already exists"))
        if len(mount.name) > MAX_NAME or not mount.name:
            raise NasRefusal(TEMPLATE.format("Invalid name" if not mount.name else "Name too long"))
        if len(self.mounts(mount.version)) >= self._host.max_volumes(mount.version):
            raise NasRefusal(TEMPLATE.format("NFS has reached the maximum number of supported volumes"))

    async def _connected(self, mount: NfsMount) -> Volume:
        server = self._host.storage.server(mount.server.split(",")[0])
        if server is None or server.state == "down" or self._host.nfs_lost:
            await asyncio.sleep(self._host.model.mount_delay)
            raise NasRefusal(TEMPLATE.format("Unable to connect to NFS server"))
        export = server.exports.get(mount.share)
        if server.state == "deny" or self._host.nfs_denied or export is None:
            raise NasRefusal(TEMPLATE.format("The NFS server denied the mount request"))
        return export.volume

    def _exported(self, mount: NfsMount) -> Volume | None:
        server = self._host.storage.server(mount.server.split(",")[0])
        if server is None or server.state != "up" or self._host.nfs_lost or self._host.nfs_denied:
            return None
        export = server.exports.get(mount.share)
        return export.volume if export else None

    def unmount(self, name: str, version: str) -> None:
        """Unmount it; raises NasRefusal."""
        attached = next((each for each in self.mounts(version) if each.name == name), None)
        if attached is None or attached.mount is None:
            raise NasRefusal(TEMPLATE.format("Not found"))
        if name in self._host.open_files or any(each.datastore == name for each in self._host.machines):
            raise NasRefusal("NFS Error: Unable to Unmount filesystem: Busy.")
        self._host.room()
        self.detach(attached)
        self._host.config.mounts.remove(attached.mount)
        if not self.mounts(version):
            self._host.config.rulesets[self._ruleset(attached.mount)] = False
        self._host.commit()

    def _type(self, mount: NfsMount) -> str:
        return "NFS" if mount.version == "3" else "NFS41"

    def _ruleset(self, mount: NfsMount) -> str:
        return "nfsClient" if mount.version == "3" else "nfs41Client"
