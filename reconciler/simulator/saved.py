"""The configuration backup: from branched files in /etc to state.tgz in a boot bank.

Field guide, sections 5.1 to 5.3.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from reconciler.simulator import archive, bootcfg
from reconciler.simulator.nodes import Node, walk
from reconciler.simulator.shell.streams import error

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

STATE = "state.tgz"
LOCK = "/tmp/bootbank.lck"
CERTIFICATES = ("/etc/vmware/ssl/rui.key", "/etc/vmware/ssl/rui.crt")
COUNTER = "/etc/vmware/.backup.counter"
KEY_ID = "3a6f1a3c-0000-4000-8000-000000000000"


def branched(host: Host) -> list[tuple[str, Node]]:
    """The files that a backup takes along, with their paths without the first slash."""
    etc = host.files.node("/etc")
    return [(path[1:], node) for path, node in walk(etc, "/etc") if node.kind == "f" and node.branched]


def state_archive(host: Host) -> bytes:
    """The bytes of state.tgz for what stands in /etc now."""
    local = archive.pack([archive.member(path, node) for path, node in branched(host)])
    now = host.now()
    if not host.release.encrypted:
        return archive.pack([archive.Member("local.tgz", "f", 0o644, now, local)])
    info = f'includeKeyCache = "FALSE"\nmode = "NONE"\nConfigEncData = "keyId={KEY_ID}:data1=:data2=:version=1"\n'
    return archive.pack(
        [
            archive.Member("encryption.info", "f", 0o644, now, info.encode()),
            archive.Member("local.tgz.ve", "f", 0o644, now, archive.seal(local, host.seal_key)),
        ]
    )


def saved_files(host: Host, bank: str = "/bootbank") -> dict[str, bytes] | None:
    """What the saved state in `bank` holds, by path without the first slash; None when it can't be read."""
    try:
        outer = {member.name: member.data for member in archive.unpack(host.files.read(f"{bank}/{STATE}"))}
        if "local.tgz.ve" in outer:
            local = archive.unseal(outer["local.tgz.ve"], host.seal_key, archive.AAD)
        else:
            local = outer.get("local.tgz", b"")
        return {member.name: member.data for member in archive.unpack(local)} if local else {}
    except (OSError, archive.BadArchive):
        return None


def certified(host: Host) -> bool:
    """Whether the host's certificate and key are there; backup.sh does nothing without them."""
    nodes = [host.files.find(path) for path in CERTIFICATES]
    return all(node is not None and node.data for node in nodes)


def save_at_shutdown(host: Host) -> None:
    """What `backup.sh 1` does: what it can't save is lost, and the host goes down all the same."""
    if host.files.find(LOCK) is not None or not certified(host):
        return
    try:
        save(host, shutdown=True)
    except OSError:
        return


def save(host: Host, bank: str = "/bootbank", shutdown: bool = False) -> None:
    """Write state.tgz into `bank` and name it in boot.cfg; raises OSError when something does not fit.

    At a shutdown with an update pending in the other bank, the state goes there too, or it would be lost.
    """
    if host.audit:
        return
    _count(host)
    if host.faults.get("silent-backup") is not None:
        return
    data = state_archive(host)
    _write(host, bank, data)
    if shutdown and _update_pending(host):
        _write(host, "/altbootbank", data)


def _update_pending(host: Host) -> bool:
    here, there = (host.files.find(f"{bank}/boot.cfg") for bank in ("/bootbank", "/altbootbank"))
    if here is None or there is None:
        return False
    config = bootcfg.parse(there.data)
    return config.updated > bootcfg.parse(here.data).updated and config.bootstate < 2


def _write(host: Host, bank: str, data: bytes) -> None:
    """The archive is written beside the old one and renamed, as the real script does."""
    if host.files.node(bank).volume.full:
        raise error(errno.ENOSPC)
    temporary = f"{bank}/{STATE}.{host.new_pid()}"
    host.files.write(temporary, data)
    host.files.rename(temporary, f"{bank}/{STATE}")
    _name_in_boot_cfg(host, f"{bank}/boot.cfg")


def _count(host: Host) -> None:
    text = host.files.read(COUNTER).decode("utf-8", "replace").split("\n")
    number = next((int(line) for line in text if line.isdigit()), 0)
    host.files.write(COUNTER, f"# CREATED\n# MODIFIED\n{number + 1}\n".encode())


def _name_in_boot_cfg(host: Host, path: str) -> None:
    """Append ` --- state.tgz` to the modules line when it is missing."""
    node = host.files.find(path)
    if node is None or STATE in bootcfg.parse(node.data).modules:
        return
    lines = node.data.split(b"\n")
    lines = [line + b" --- state.tgz" if line.startswith(b"modules=") else line for line in lines]
    host.files.write(path, b"\n".join(lines))
