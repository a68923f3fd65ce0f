"""The files of simulated machines: what is written is what VMware writes, and what qemu can read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.simulator import Disk, Machine, NfsMount, Storage
from reconciler.simulator.host import Host
from reconciler.simulator.vms import deltas, files, texts
from tests.simulator.client import tool
from tests.simulator.machines import content, put_disk
from tests.simulator.support import host, script

BASE, DELTA = "[datastore1] img/img.vmdk", "[datastore1] vm9/img-000001.vmdk"


def vm9(*chain: str, **more: object) -> Machine:
    disks = (Disk(chain),) if chain else ()
    return Machine(9, "vm9", "datastore1", "vm9/vm9.vmx", disks=disks, **more)  # type: ignore[arg-type]


def placed(version: str, machine: Machine) -> Host:
    on = host(version)
    put_disk(on, "datastore1/img", "img")
    on.place_machine(machine)
    return on


def read(on: Host, path: str) -> str:
    return script(on, f"cat '/vmfs/volumes/datastore1/{path}'").out


def values(text: str) -> dict[str, str]:
    """The lines of a .vmx, read in the plainest way."""
    rows = (line.split(" = ", 1) for line in text.splitlines())
    return {key: value.strip('"') for key, value in rows}


def test_a_disk_elsewhere_is_named_by_the_volume_and_one_beside_by_its_name() -> None:
    on = placed("6.7", vm9(BASE, computer_id="2008"))
    found = values(read(on, "vm9/vm9.vmx"))
    volume = on.volumes.by_name("datastore1")
    assert volume is not None
    assert found["scsi0:0.fileName"] == f"/vmfs/volumes/{volume.id}/img/img.vmdk"
    assert (found["#computer_id"], found["displayName"]) == ("2008", "vm9")
    assert (found["scsi0:0.present"], found["scsi0:0.mode"]) == ("TRUE", "persistent")
    snapped = placed("6.7", vm9(BASE, DELTA))
    assert values(read(snapped, "vm9/vm9.vmx"))["scsi0:0.fileName"] == "img-000001.vmdk"


@pytest.mark.parametrize(
    ("version", "create_type", "extent"),
    [
        ("4.1", "vmfsSparse", "img-000001-delta.vmdk"),
        ("6.0", "vmfsSparse", "img-000001-delta.vmdk"),
        ("6.7", "seSparse", "img-000001-sesparse.vmdk"),
        ("8.0", "seSparse", "img-000001-sesparse.vmdk"),
    ],
)
def test_a_snapshot_is_a_delta_with_the_place_of_its_parent(
    version: str, create_type: str, extent: str
) -> None:
    on = placed(version, vm9(BASE, DELTA))
    found = deltas.facts(read(on, "vm9/img-000001.vmdk"))
    volume = on.volumes.by_name("datastore1")
    assert found is not None
    assert volume is not None
    assert found.parent == f"/vmfs/volumes/{volume.id}/img/img.vmdk"
    assert (found.create_type, found.extents, found.sectors) == (create_type, (extent,), 2048)
    assert on.files.find(f"/vmfs/volumes/datastore1/vm9/{extent}") is not None
    snapshots = read(on, "vm9/vm9.vmsd")
    assert f'snapshot0.disk0.fileName = "{found.parent}"' in snapshots
    assert 'snapshot.numSnapshots = "1"' in snapshots


def test_a_delta_on_nfs_is_vmfs_sparse_on_every_version() -> None:
    on = host("8.0", Storage({"filer": ("/a",)}), nfs=(NfsMount("nfs", "filer", "/a"),))
    put_disk(on, "nfs/img", "img")
    on.place_machine(
        Machine(1, "v", "nfs", "v/v.vmx", disks=(Disk(("[nfs] img/img.vmdk", "[nfs] v/img-000001.vmdk")),))
    )
    found = deltas.facts(script(on, "cat /vmfs/volumes/nfs/v/img-000001.vmdk").out)
    assert found is not None
    assert found.create_type == "vmfsSparse"


def test_a_delta_beside_its_parent_names_it_alone() -> None:
    on = placed("5.5", vm9(BASE, "[datastore1] img/img-000001.vmdk"))
    found = deltas.facts(read(on, "img/img-000001.vmdk"))
    assert found is not None
    assert found.parent == "img.vmdk"


@pytest.mark.parametrize("version", ["5.5", "6.7"])
def test_qemu_sees_the_parent_through_a_fresh_delta(version: str, tmp_path: Path) -> None:
    chain = (BASE, "[datastore1] img/img-000001.vmdk", "[datastore1] img/img-000002.vmdk")
    on = placed(version, vm9(*chain))
    folder = on.files.node("/vmfs/volumes/datastore1/img")
    for name, node in folder.children.items():
        (tmp_path / name).write_bytes(node.data)
    done = subprocess.run(
        [tool("qemu-img", "qemu-utils"), "convert", "-O", "raw", "img-000002.vmdk", "out.raw"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.raw").read_bytes() == content()


def test_what_is_there_already_is_left_alone() -> None:
    on = host("6.7")
    on.files.makedirs("/vmfs/volumes/datastore1/vm9")
    on.files.write("/vmfs/volumes/datastore1/vm9/vm9.vmx", b"mine")
    on.files.write("/vmfs/volumes/datastore1/vm9/img-000001.vmdk", b"mine too")
    on.place_machine(vm9(BASE, DELTA))
    assert (read(on, "vm9/vm9.vmx"), read(on, "vm9/img-000001.vmdk")) == ("mine", "mine too")
    assert on.files.find("/vmfs/volumes/datastore1/img") is None


def test_files_without_a_machine() -> None:
    on = host("6.0")
    files.lay(on, vm9(BASE, DELTA), vmx=False)
    assert on.files.names("/vmfs/volumes/datastore1/vm9") == ["img-000001-delta.vmdk", "img-000001.vmdk"]
    files.lay(on, vm9(BASE, DELTA))
    assert "vm9.vmx" in on.files.names("/vmfs/volumes/datastore1/vm9")
    assert script(on, "vim-cmd vmsvc/getallvms").out.splitlines()[1:] == []


def test_a_machine_on_a_datastore_that_can_not_be_reached_has_no_files() -> None:
    on = host("6.7")
    on.place_machine(Machine(1, "v", "nosuch", "v/v.vmx", disks=(Disk(("[nosuch] a/a.vmdk",)),)))
    assert script(on, "vim-cmd vmsvc/getallvms").err == "Skipping invalid VM '1'\n"


@pytest.mark.parametrize(
    ("key", "at"),
    [
        (2000, "scsi0:0"),
        (2001, "scsi0:1"),
        (2016, "scsi1:0"),
        (3000, "ide0:0"),
        (3003, "ide1:1"),
        (16000, "sata0:0"),
    ],
)
def test_a_key_is_a_place(key: int, at: str) -> None:
    assert (texts.address(key), texts.key_of(at)) == (at, key)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029")),
    st.sampled_from([2000, 3001]),
)
@example('a "quoted" |7C\n$(reboot)', 2000)
def test_a_vmx_reads_back(name: str, key: int) -> None:
    machine = Machine(1, name, "ds", "v/v.vmx", annotation=name, disks=(Disk(("[ds] a/a.vmdk",), key=key),))
    text = texts.vmx(machine, {key: "/vmfs/volumes/u/a/a.vmdk"})
    found = texts.read_vmx(text)
    assert (found["displayname"], found["annotation"]) == (name, name)
    assert found[f"{texts.address(key)}.filename"] == "/vmfs/volumes/u/a/a.vmdk"
