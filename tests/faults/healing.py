"""What a host must be like when a pass was broken off in the middle and a fresh one has run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.kinds.boot_config import read_boot_config
from reconciler.report import Status
from reconciler.simulator import NfsMount
from tests.faults.program import Program
from tests.live.passes.world import PATH, SERVER, Keys, World, _shared_keys, full_spec, world

DRIFT = (NfsMount("repository", "10.10.0.9", PATH), NfsMount("old-iso", SERVER, "/export/iso"))
OTHERS = b"# of the admins\r\nssh-rsa QUFBQQ== somebody else"
ENDING_SECONDS = 30.0
MODULE = b" --- vcl.tgz"


@contextmanager
def drifted(folder: Path, version: str, *, exclusive: bool = False) -> Iterator[World]:
    """A host with something wrong of every kind, other people's key lines, and the spec that puts it right."""
    folder.mkdir(exist_ok=True)
    with world(folder, version, {}, nfs=DRIFT, authorized_keys=first_keys()) as there:
        there.spec = full_spec(there.keys)
        there.spec["ssh"]["exclusiveKeys"] = exclusive
        yield there


def first_keys() -> bytes:
    """What authorized_keys holds before the first pass; its last line lacks a newline."""
    return Keys(_shared_keys()).public("root").encode() + b"\n" + OTHERS


def program(there: World, *arguments: str, **environment: str) -> Program:
    """The real program with this world's spec, not started yet."""
    words = ["-f", str(there.write()), "--state-dir", str(there.folder / "state"), *arguments]
    return Program(there.folder, words, environment)


def commands_of_a_pass(folder: Path, version: str, *, exclusive: bool = False) -> int:
    """How many changing commands an undisturbed pass runs, those of its looks included (a folder in /tmp)."""
    with drifted(folder, version, exclusive=exclusive) as there:
        assert there.run().status is Status.CONVERGED
        return sum(it.changing for it in there.host.executed)


def heals(there: World, *, exclusive: bool = False, once: bool = True) -> None:
    """A fresh pass converges, the host is whole, the next finds nothing, and a power loss brings nothing back.

    `once`: each mount was made once in all, because no power loss has taken one away.
    """
    there.host.clear_faults()
    report = there.run()
    assert report.fault is None, report.fault
    assert report.status in (Status.CONVERGED, Status.IN_SYNC), report
    all_has_ended(there)
    whole(there, exclusive=exclusive)
    if once:
        assert mounts_made(there) == {"repository": 1, "vms": 1}
    assert there.run().status is Status.IN_SYNC
    there.host.reboot(power_loss=True)
    assert there.look().status is Status.IN_SYNC, "a power loss brings something back"
    whole(there, exclusive=exclusive)


def all_has_ended(there: World) -> None:
    """Wait for what a cut session has left running: a host takes it to its end, and its folder in /tmp goes then."""
    inner: Any = there.host._host
    limit = time.monotonic() + ENDING_SECONDS
    while there.host._do(lambda: bool(inner.processes)):
        assert time.monotonic() < limit, "something of a cut session still runs"
        time.sleep(0.02)


def whole(there: World, *, exclusive: bool) -> None:
    """Keys, boot bank and mounts are as they should be, and nothing of ours lies about."""
    keys_are_whole(there, exclusive=exclusive)
    if there.host.version == "4.1":
        boots(there)
    assert [it.name for it in there.host.mounts] == ["repository", "vms"]
    left = [name for name in there.host.files.names("/bootbank") if name in ("vcl.new", "boot.new")]
    left += [name for name in there.host.files.names("/tmp") if "reconciler" in name]
    assert left == []


def keys_are_whole(there: World, *, exclusive: bool) -> None:
    """Each wanted key once; of other people's lines every byte, or with exclusiveKeys what is no key."""
    content = there.host.files.read(there.host.keys_path) or b""
    root, second = (there.keys.public(name).encode() for name in ("root", "second"))
    kept = OTHERS.partition(b"\r\n")[0] + b"\r\n" if exclusive else OTHERS + b"\n"
    assert content == root + b"\n" + kept + second + b"\n"


def boots(there: World) -> None:
    """boot.cfg is what it was, and names the archive of the keys once; the archive is there."""
    config = there.host.files.read("/bootbank/boot.cfg") or b""
    assert read_boot_config(config).strange is None
    assert config.count(b"vcl.tgz") == 1
    before = there.host.files.read("/bootbank/boot.bak") or b""
    assert config.replace(MODULE, b"") == before
    assert there.host.files.exists("/bootbank/vcl.tgz")


def mounts_made(there: World) -> Counter[str]:
    """How often each name was mounted by a command that succeeded."""
    return Counter(
        it.argv[_name_at(it.argv)] for it in there.host.executed if it.status == 0 and _mounts(it.argv)
    )


def _mounts(argv: tuple[str, ...]) -> bool:
    return argv[:4] == ("esxcli", "storage", "nfs", "add") or argv[:2] == ("esxcfg-nas", "-a")


def _name_at(argv: tuple[str, ...]) -> int:
    return argv.index("-v") + 1 if "-v" in argv else -1


def lasting(there: World) -> Any:
    """What a backup makes outlive a power loss on every version: mounts and port groups."""
    groups = sorted((it.name, it.vswitch, it.vlan) for it in there.host.port_groups)
    return there.host.mounts, groups


def let_in_again(there: World) -> None:
    """ESXi 4.x forgets its keys at a boot as long as they are not made last: somebody puts back what was there."""
    assert there.host.up, there.host.down_reason
    if there.host.version == "4.1" and not there.host.files.exists(there.host.keys_path):
        there.host.files.write(there.host.keys_path, first_keys())
