"""What is wrong on the hosts of a lab: each host first gets all that its spec wishes, then some of it is spoilt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.simulator.archive import Member, pack
from reconciler.simulator.handle import HostHandle
from reconciler.simulator.lab_images import LINUX, Repository
from reconciler.simulator.model import Storage

FILER, OLD_FILER = "10.10.0.1", "10.10.0.9"
IMAGES, SCRATCH, ISO = "/install/vmware_images", "/install/scratch", "/install/iso"


@dataclass(frozen=True)
class Keys:
    """Lines of authorized_keys: the key that logs in, the second one that is wished, and a stranger's."""

    root: bytes
    second: bytes
    stranger: bytes


def storage(images: Repository | None = None) -> Storage:
    """The NFS servers of a lab: the one that specs name, and one that it has taken over from.

    With `images` these lie in the repository, and one of them as a master on the storage that hosts share.
    """
    made = Storage({FILER: (IMAGES, SCRATCH, ISO), OLD_FILER: (IMAGES, SCRATCH, ISO)})
    if images is not None:
        images.copy_to(made.export(FILER, IMAGES).volume, time.time())
        images.master_on(made.export(FILER, SCRATCH).volume, LINUX, time.time())
    return made


def furnish(host: HostHandle, keys: Keys) -> None:
    """All that the spec wishes, saved."""
    host.files.write(host.keys_path, keys.root + keys.second)
    if host.version.startswith("4."):
        _archive(host)
    host.mount_nfs("repository", FILER, IMAGES, saved=False)
    host.mount_nfs("scratch", FILER, SCRATCH, saved=False)
    host.add_port_group("Private", "vSwitch0", 10, saved=False)
    host.add_port_group("Public", "vSwitch0", 0, saved=False)
    host.files.makedirs(f"/vmfs/volumes/datastore1/{host.name}")
    host.save()


def _write_keys(host: HostHandle, content: bytes) -> None:
    host.files.write(host.keys_path, content)
    host.save()


def _archive(host: HostHandle) -> None:
    """4.x: the keys as a boot module."""
    content = host.files.read(host.keys_path) or b""
    members = [Member(".ssh/", "d", 0o700, 0.0), Member(".ssh/authorized_keys", "f", 0o600, 0.0, content)]
    host.files.write("/bootbank/vcl.tgz", pack(members))
    text = host.files.read("/bootbank/boot.cfg") or b""
    host.files.write("/bootbank/boot.cfg", text.replace(b"\nbuild=", b" --- vcl.tgz\nbuild="))


def spoil(host: HostHandle, keys: Keys, index: int) -> str:
    """Spoil what is the turn of the host at `index`; returns what, in words."""
    words, work = SPOILERS[index % len(SPOILERS)]
    work(host, keys)
    return words


def _no_second_key(host: HostHandle, keys: Keys) -> None:
    _write_keys(host, keys.root)
    host.unmount_nfs("repository")


def _wrong_server(host: HostHandle, keys: Keys) -> None:
    host.unmount_nfs("repository")
    host.mount_nfs("repository", OLD_FILER, IMAGES)


def _no_port_group(host: HostHandle, keys: Keys) -> None:
    host.remove_port_group("Private")
    host.files.rmdir(f"/vmfs/volumes/datastore1/{host.name}")


def _wrong_vlan(host: HostHandle, keys: Keys) -> None:
    host.add_port_group("Private", "vSwitch0", 99)
    host.mount_nfs("old-iso", OLD_FILER, ISO)


def _not_saved(host: HostHandle, keys: Keys) -> None:
    if host.version.startswith("4."):
        text = host.files.read("/bootbank/boot.cfg") or b""
        host.files.write("/bootbank/boot.cfg", text.replace(b" --- vcl.tgz", b""))
        host.files.remove("/bootbank/vcl.tgz")
        return
    _write_keys(host, keys.root)
    host.files.write(host.keys_path, keys.root + keys.second)


def _stranger(host: HostHandle, keys: Keys) -> None:
    _write_keys(host, keys.root + keys.stranger + keys.second)
    host.unmount_nfs("scratch")


def _client_on_wrong_vlan(host: HostHandle, keys: Keys) -> None:
    host.add_port_group("Private", "vSwitch0", 11, clients=2)


SPOILERS: tuple[tuple[str, Callable[[HostHandle, Keys], None]], ...] = (
    ("its keys would not survive a power loss", _not_saved),
    ("the second key and the mount of the repository are missing", _no_second_key),
    ("the repository is mounted from the server of yesterday", _wrong_server),
    ("a port group and the working directory are missing", _no_port_group),
    ("a port group is on the wrong VLAN, and a mount that should be gone is there", _wrong_vlan),
    ("a stranger's key is there, and a mount is missing", _stranger),
    ("a port group that machines use is on the wrong VLAN", _client_on_wrong_vlan),
    ("nothing is wrong", lambda host, keys: None),
)
