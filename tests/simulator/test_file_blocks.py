"""What files take on a volume: whole file blocks, each that was touched, and all tools tell the same."""

from __future__ import annotations

import re

import pytest

from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.host import Host
from reconciler.simulator.images import put_disk
from reconciler.simulator.model import NfsMount, Storage
from tests.simulator.support import host, script

MIB = 1 << 20
HOME, NFS = "/vmfs/volumes/datastore1", "/vmfs/volumes/repository"
ON_VMFS = [("4.1", MIB), ("4.1", 2 * MIB), ("4.1", 8 * MIB), ("5.5", MIB), ("5.5", 4 * MIB), ("8.0", MIB)]
SCATTERED = tuple(range(0, 32, 8))
"""The MiB in which something of 64 KiB stands."""


def used(on: Host, volume: str = HOME) -> int:
    """Bytes that are taken there, which df and vmkfstools have to agree about."""
    row = script(on, f"df {volume}").out.splitlines()[1].split()
    told = script(on, f"vmkfstools -P {volume}").out
    found = re.search(r"Capacity: (\d+) \(\d+ file blocks \* (\d+)\), (\d+)", told)
    assert found is not None
    assert (int(row[1]), int(row[3])) == (int(found[1]), int(found[3]))
    return int(row[2])


def du(on: Host, path: str) -> int:
    """Bytes, which stat has to agree about."""
    blocks = script(on, f"stat -c '%b %B' {path}").out.split()
    taken = 1024 * int(script(on, f"du -k {path}").out.split()[0])
    assert int(blocks[0]) * int(blocks[1]) == taken
    return taken


def scatter(on: Host, disk: str) -> None:
    for mib in SCATTERED:
        ran = script(
            on, f"dd if=/dev/zero of={disk}-flat.vmdk bs=65536 seek={mib * 16} count=1 conv=notrunc 2>&1"
        )
        assert ran.status == 0, ran


def with_nfs(version: str) -> Host:
    mount = NfsMount("repository", "nas", "/images")
    return host(version, Storage({"nas": ["/images"]}), nfs=(mount,))


@pytest.mark.parametrize(("version", "block"), ON_VMFS)
def test_each_run_on_a_thin_disk_takes_whole_file_blocks(version: str, block: int) -> None:
    on = host(version, vmfs_block=block)
    assert script(on, f"vmkfstools -c 32m -d thin {HOME}/a.vmdk").status == 0
    before = used(on)
    assert du(on, f"{HOME}/a-flat.vmdk") == 0
    scatter(on, f"{HOME}/a")
    assert du(on, f"{HOME}/a-flat.vmdk") == used(on) - before == len(SCATTERED) * block
    scatter(on, f"{HOME}/a")
    assert used(on) - before == len(SCATTERED) * block
    assert f"* {block})" in script(on, f"vmkfstools -P {HOME}").out


@pytest.mark.parametrize(("version", "block"), ON_VMFS[:4])
def test_a_clone_takes_what_the_target_gives(version: str, block: int) -> None:
    on = host(
        version,
        Storage({"nas": ["/images"]}),
        nfs=(NfsMount("repository", "nas", "/images"),),
        vmfs_block=block,
    )
    script(on, "vmkload_mod multiextent")
    put_disk(on.files.node(NFS), "a", "2gbsparse", 32 * MIB, {mib * MIB: b"x" for mib in SCATTERED}, 0.0)
    before = used(on)
    ran = script(on, f"vmkfstools -i {NFS}/a.vmdk {HOME}/a.vmdk -d thin")
    assert ran.status == 0, ran
    assert du(on, f"{HOME}/a-flat.vmdk") == len(SCATTERED) * block
    assert used(on) - before == len(SCATTERED) * block + 8192


def test_nfs_takes_what_was_written() -> None:
    """The real use is what du tells (field guide, section 7.3)."""
    on = with_nfs("5.5")
    assert script(on, f"vmkfstools -c 32m -d thin {NFS}/a.vmdk").status == 0
    before = used(on, NFS)
    scatter(on, f"{NFS}/a")
    assert du(on, f"{NFS}/a-flat.vmdk") == used(on, NFS) - before == len(SCATTERED) * 65536


@pytest.mark.parametrize(
    ("length", "taken"), [(0, 0), (1, 8192), (8192, 8192), (8193, MIB), (300_000, MIB), (MIB + 1, 2 * MIB)]
)
@pytest.mark.parametrize("write", ["cat /tmp/from > f", "dd if=/tmp/from of=f bs=4096", "cp /tmp/from f"])
def test_a_file_takes_a_sub_block_or_whole_blocks(length: int, taken: int, write: str) -> None:
    """Inferred: the size of a sub-block, which is VMFS-5's."""
    on = host("5.5")
    on.files.write("/tmp/from", b"x" * length)
    before = used(on)
    assert script(on, f"cd {HOME}; {write}").status == 0
    assert du(on, f"{HOME}/f") == used(on) - before == taken
    assert script(on, f"rm {HOME}/f").status == 0
    assert used(on) == before


def test_a_small_file_that_finds_no_room_for_a_block_stays() -> None:
    on = host("5.5")
    script(on, f"echo some > {HOME}/f")
    on.vmfs[0].volume.fill(MIB - 8193)
    assert script(on, f"dd if=/dev/zero bs=1000000 count=1 >> {HOME}/f").status != 0
    assert on.files.read(f"{HOME}/f") == b"some\n"
    assert du(on, f"{HOME}/f") == 8192


@pytest.mark.parametrize(("version", "block"), [("6.7", 8 * MIB), ("4.1", 3 * MIB)])
def test_vmfs_has_no_other_file_blocks(version: str, block: int) -> None:
    with pytest.raises(SimulatorError, match="has no file blocks"):
        host(version, vmfs_block=block)
