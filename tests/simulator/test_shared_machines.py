"""Machines on storage that hosts share: what one host runs is locked for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.simulator import Disk, Farm, HostHandle, HostModel, Machine, NfsMount, SimulatorError, Storage
from tests.simulator.client import Done, connected, run
from tests.simulator.machines import content, put_disk

BASE, DELTA = "[shared] img/img.vmdk", "[shared] vm9/img-000001.vmdk"
FLAT = "/vmfs/volumes/shared/img/img-flat.vmdk"
BUSY = "Device or resource busy"


@pytest.fixture
def pair(all_public: bytes) -> Iterator[tuple[HostHandle, HostHandle]]:
    """Two hosts of one NFS export, with a disk `img` on it."""
    mount = (NfsMount("shared", "filer", "/a"),)
    models = [
        HostModel(name=f"esx{version}", version=version, authorized_keys=all_public, nfs=mount)
        for version in ("5.5", "6.7")
    ]
    with Farm.start(models, Storage({"filer": ("/a",)})) as running:
        first, second = running.hosts.values()
        put_disk(first, "shared/img", "img")
        yield first, second


def does(on: HostHandle, keys: Path, command: str) -> Done:
    with connected(on, keys / "rsa") as client:
        return run(client, command)


def machine(*chain: str, number: int = 9, running: bool = False) -> Machine:
    return Machine(
        number, f"vm{number}", "shared", f"vm{number}/vm{number}.vmx", disks=(Disk(chain),), running=running
    )


def test_each_host_registers_its_own_machines_of_a_shared_export(
    pair: tuple[HostHandle, HostHandle], keys: Path
) -> None:
    for number, host in enumerate(pair, 1):
        host.register_vm(machine(BASE, f"[shared] vm{number}/img-000001.vmdk", number=number, running=True))
    for number, host in enumerate(pair, 1):
        listed = does(host, keys, "vim-cmd vmsvc/getallvms").out
        assert [line.split()[0] for line in listed.splitlines()[1:]] == [str(number)]
        assert sorted(host.files.names("/vmfs/volumes/shared")) == ["img", "vm1", "vm2"]


def test_a_machine_runs_on_one_host_at_a_time(pair: tuple[HostHandle, HostHandle]) -> None:
    first, second = pair
    for host in pair:
        host.register_vm(machine(BASE, DELTA))
    first.power_vm(9, on=True)
    with pytest.raises(SimulatorError, match="lock"):
        second.power_vm(9, on=True)
    first.reboot(power_loss=True)
    second.power_vm(9, on=True)
    with pytest.raises(SimulatorError, match="lock"):
        first.power_vm(9, on=True)


REFUSED = [
    f"cp /dev/null {FLAT}",
    f"dd if=/vmfs/volumes/shared/img/img.vmdk of={FLAT} bs=512 count=1 conv=notrunc",
    f"rm {FLAT}",
    f"mv {FLAT} /vmfs/volumes/shared/img/other",
    "mv /vmfs/volumes/shared/img /vmfs/volumes/shared/_delete_img",
]


@pytest.mark.parametrize("command", REFUSED)
def test_a_parent_of_a_running_machine_is_read_and_not_changed(
    pair: tuple[HostHandle, HostHandle], keys: Path, command: str
) -> None:
    first, second = pair
    first.register_vm(machine(BASE, DELTA, running=True))
    for host in pair:
        ran = does(host, keys, command)
        assert ran.status != 0
        assert BUSY in ran.err
        assert does(host, keys, f"wc -c < {FLAT}").out.strip() == str(len(content()))
    first.power_vm(9, on=False)
    assert does(second, keys, command).status == 0


def test_what_a_running_machine_writes_is_not_even_read(
    pair: tuple[HostHandle, HostHandle], keys: Path
) -> None:
    first, _ = pair
    first.register_vm(machine(BASE, running=True))
    for host in pair:
        ran = does(host, keys, f"cat {FLAT}")
        assert (ran.status, ran.out, BUSY in ran.err) == (1, "", True)
    first.power_vm(9, on=False)
    assert does(first, keys, f"cat {FLAT}").status == 0


@pytest.mark.parametrize("locks_descriptors", [False, True])
def test_the_descriptor_of_a_running_disk_is_not_changed(
    all_public: bytes, keys: Path, locks_descriptors: bool
) -> None:
    model = HostModel(
        name="esx",
        authorized_keys=all_public,
        nfs=(NfsMount("shared", "filer", "/a"),),
        locks_descriptors=locks_descriptors,
    )
    with Farm.start([model], Storage({"filer": ("/a",)})) as farm:
        host = farm.host("esx")
        put_disk(host, "shared/img", "img")
        host.register_vm(machine(BASE, running=True))
        assert does(host, keys, "cat /vmfs/volumes/shared/img/img.vmdk").status == locks_descriptors
        assert does(host, keys, "rm /vmfs/volumes/shared/img/img.vmdk").status == 1


def test_a_snapshot_frees_the_parent_for_reading(pair: tuple[HostHandle, HostHandle], keys: Path) -> None:
    first, second = pair
    first.register_vm(machine(BASE, running=True))
    first.snapshot_vm(9, "s")
    assert does(second, keys, f"cat {FLAT}").status == 0
    assert does(second, keys, "cat /vmfs/volumes/shared/vm9/img-000001-delta.vmdk").status == 1


def test_a_nonpersistent_machine_shares_its_disk_and_locks_its_redo_log(
    pair: tuple[HostHandle, HostHandle], keys: Path
) -> None:
    disks = (Disk((BASE,), mode="independent-nonpersistent"),)
    for number, host in enumerate(pair, 1):
        host.register_vm(
            Machine(number, f"n{number}", "shared", f"n{number}/n.vmx", disks=disks, running=True)
        )
    first, second = pair
    log = next(name for name in first.files.names("/vmfs/volumes/shared/n1") if "delta.REDO_" in name)
    assert does(second, keys, f"cat /vmfs/volumes/shared/n1/{log}").status == 1
    assert does(second, keys, f"cat {FLAT}").status == 0
    assert does(second, keys, f"rm {FLAT}").status == 1
