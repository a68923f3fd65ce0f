"""Simulated machines as vim-cmd shows and moves them, over SSH."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.simulator import Disk, Farm, HostHandle, HostModel, Machine, SimulatorError
from tests.simulator.client import Done, connected, run
from tests.simulator.machines import chains, frozen, parsed_sample, put_disk
from tests.simulator.support import HERE

VERSIONS = ("4.1", "5.5", "6.0", "6.7", "8.0")
BASE = "[datastore1] img/img.vmdk"


@pytest.fixture(scope="module")
def lent(all_public: bytes) -> Iterator[Farm]:
    """A host of each version, for all tests of this file."""
    models = [
        HostModel(
            name=f"v{version}",
            version=version,
            authorized_keys=all_public,
            vmfs=("datastore1", "datastore-compressed", "blade1e1-10-vmpath"),
        )
        for version in VERSIONS
    ]
    with Farm.start(models) as running:
        yield running


@pytest.fixture(params=VERSIONS)
def on(request: pytest.FixtureRequest, lent: Farm, all_public: bytes) -> Iterator[HostHandle]:
    """A host without machines, with a disk `img`. (4.1 has lost its keys when it booted before.)"""
    found = lent.host(f"v{request.param}")
    found.files.write(found.keys_path, all_public)
    put_disk(found, "datastore1/img", "img")
    yield found
    for machine in found.machines:
        if machine.running:
            found.power_vm(machine.id, on=False)
        found.unregister_vm(machine.id)
    for volume in ("datastore1", "datastore-compressed", "blade1e1-10-vmpath"):
        for folder in found.files.names(f"/vmfs/volumes/{volume}"):
            for name in found.files.names(f"/vmfs/volumes/{volume}/{folder}"):
                found.files.remove(f"/vmfs/volumes/{volume}/{folder}/{name}")
            found.files.rmdir(f"/vmfs/volumes/{volume}/{folder}")


def does(on: HostHandle, keys: Path, command: str) -> Done:
    with connected(on, keys / "rsa") as client:
        return run(client, command)


def vm9(*chain: str, **more: object) -> Machine:
    return Machine(9, "vm9", "datastore1", "vm9/vm9.vmx", disks=(Disk(chain or (BASE,)),), **more)  # type: ignore[arg-type]


def capture(name: str) -> str:
    return (HERE / "captures" / f"{name}.txt").read_text()


# -- layouts ---------------------------------------------------------------------------------------------------


def test_the_layout_has_what_the_capture_has(on: HostHandle, keys: Path) -> None:
    sample = parsed_sample()
    info, layout = sample["vim.vm.FileInfo"], sample["vim.vm.FileLayout"]
    assert isinstance(info, dict)
    assert isinstance(layout, dict)
    disks = [Disk(tuple(disk["diskFile"]), key=disk["key"]) for disk in layout["disk"]]
    path = info["vmPathName"].partition("] ")[2]
    for disk in disks:
        store, _, file = disk.chain[0][1:].partition("] ")
        folder, _, name = file.removesuffix(".vmdk").rpartition("/")
        put_disk(on, f"{store}/{folder}", name)
    on.register_vm(Machine(576, "arkvmm160", "blade1e1-10-vmpath", path, disks=tuple(disks)))
    ran = does(on, keys, "vim-cmd vmsvc/get.filelayout 576")
    assert (ran.status, ran.err) == (0, "")
    assert chains(ran.out) == [(disk.key, list(disk.chain)) for disk in disks]
    assert frozen(ran.out) == [each["snapshotFile"] for each in layout["snapshot"]]
    assert f'vmPathName = "{info["vmPathName"]}",' in ran.out
    assert f'snapshotDirectory = "{info["snapshotDirectory"]}",' in ran.out
    assert "key = " + layout["snapshot"][0]["key"] in ran.out
    assert ("dynamicType = <unset>" in ran.out) == (on.version in ("4.1", "5.5"))


LAYOUT_67 = """\
(vim.vm.FileInfo) {
   vmPathName = "[datastore1] vm9/vm9.vmx",
   snapshotDirectory = "[datastore1] vm9",
   suspendDirectory = "[datastore1] vm9",
   logDirectory = "[datastore1] vm9",
   ftMetadataDirectory = <unset>,
}
(vim.vm.FileLayout) {
   configFile = (string) [
      "vm9.vmsd",
   ],
   logFile = <unset>,
   disk = (vim.vm.FileLayout.DiskLayout) [
      (vim.vm.FileLayout.DiskLayout) {
         key = 2000,
         diskFile = (string) [
            "[datastore1] img/img.vmdk",
         ],
      },
   ],
   snapshot = <unset>,
   swapFile = <unset>,
}
"""


def test_the_layout_is_printed_as_each_version_prints(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9())
    ran = does(on, keys, "vim-cmd vmsvc/get.filelayout 9")
    if on.version == "6.7":
        assert ran.out == LAYOUT_67
    assert [line.strip(" ,") for line in ran.out.splitlines() if "dynamicType" not in line] == [
        line.strip(" ,") for line in LAYOUT_67.splitlines()
    ]


def test_the_extended_layout_names_extents_too(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9(BASE, "[datastore1] vm9/img-000001.vmdk"))
    ran = does(on, keys, "vim-cmd vmsvc/get.filelayoutex 9")
    if on.version == "4.1":
        assert (ran.status, ran.out) == (1, "Invalid command 'vmsvc/get.filelayoutex'.\n")
        return
    delta = "sesparse" if on.version in ("6.7", "8.0") else "delta"
    for name in (
        "img/img.vmdk",
        "img/img-flat.vmdk",
        f"vm9/img-000001-{delta}.vmdk",
        "vm9/vm9-Snapshot1.vmsn",
    ):
        assert f'name = "[datastore1] {name}"' in ran.out
    assert "size = 1048576" in ran.out


def test_an_unknown_machine_is_not_found(on: HostHandle, keys: Path) -> None:
    for what in ("get.filelayout", "power.on", "power.off", "get.summary", "get.config", "unregister"):
        ran = does(on, keys, f"vim-cmd vmsvc/{what} 7")
        assert ran.status == 0
        assert ran.out.startswith("(vim.fault.NotFound) {\n")
        assert 'msg = "Unable to find a VM corresponding to "7""' in ran.out


def test_an_invalid_machine_is_left_out(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9())
    on.register_vm(Machine(12, "lost", "datastore1", "lost/lost.vmx"))
    on.break_vm(12)
    ran = does(on, keys, "vim-cmd vmsvc/getallvms")
    assert (ran.status, ran.err) == (0, "Skipping invalid VM '12'\n")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["Vmid", "9"]
    assert does(on, keys, "vim-cmd vmsvc/get.filelayout 12").out == (
        "(vim.vm.FileInfo) null\n(vim.vm.FileLayout) null\n"
    )


# -- power -----------------------------------------------------------------------------------------------------


def test_power_on_and_off_say_what_real_hosts_said(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9())
    age = "old" if on.version in ("4.1", "5.5") else "60_65"
    steps = [
        ("on", "vmsvc_power_on_ok", "on"),
        ("on", f"vmsvc_power_on_already_on_{age}", "on"),
        ("off", "vmsvc_power_off_ok", "off"),
        ("off", f"vmsvc_power_off_already_off_{age}", "off"),
    ]
    for verb, said, state in steps:
        ran = does(on, keys, f"vim-cmd vmsvc/power.{verb} 9")
        lines = [line.strip(" ,") for line in ran.out.splitlines() if "faultMessage" not in line]
        assert [line.strip(" ,") for line in capture(said).splitlines()] == lines
        assert does(on, keys, "vim-cmd vmsvc/power.getstate 9").out.endswith(f"Powered {state}\n")


def test_running_machines_are_processes(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9(running=True))
    on.register_vm(Machine(10, "idle", "datastore1", "idle/idle.vmx"))
    if on.version != "4.1":
        listed = does(on, keys, "esxcli vm process list").out
        assert "Display Name: vm9" in listed
        assert "/vm9/vm9.vmx" in listed
        assert "idle" not in listed


@pytest.mark.parametrize("missing", ["img.vmdk", "img-flat.vmdk"])
def test_a_machine_without_its_disk_does_not_start(on: HostHandle, keys: Path, missing: str) -> None:
    on.register_vm(vm9())
    on.files.remove(f"/vmfs/volumes/datastore1/img/{missing}")
    ran = does(on, keys, "vim-cmd vmsvc/power.on 9; vim-cmd vmsvc/power.getstate 9")
    assert ("GenericVmConfigFault" if on.version in ("4.1", "5.5") else "Power on failed") in ran.out
    assert ran.out.endswith("Powered off\n")
    with pytest.raises(SimulatorError, match="can't run"):
        on.power_vm(9, on=True)


def test_a_disk_in_a_hosted_form_does_not_run(on: HostHandle, keys: Path) -> None:
    put_disk(on, "datastore1/img", "img", create_type="twoGbMaxExtentSparse", kind="SPARSE")
    on.register_vm(vm9())
    ran = does(on, keys, "vim-cmd vmsvc/power.on 9; vim-cmd vmsvc/power.getstate 9")
    assert ran.out.endswith("Powered off\n")


def test_what_is_written_by_one_machine_is_opened_by_no_other(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9(running=True))
    on.register_vm(Machine(10, "second", "datastore1", "second/second.vmx", disks=(Disk((BASE,)),)))
    on.register_vm(
        Machine(11, "child", "datastore1", "c/c.vmx", disks=(Disk((BASE, "[datastore1] c/img-000001.vmdk")),))
    )
    for number in (10, 11):
        ran = does(on, keys, f"vim-cmd vmsvc/power.on {number}; vim-cmd vmsvc/power.getstate {number}")
        assert ran.out.endswith("Powered off\n")
    does(on, keys, "vim-cmd vmsvc/power.off 9; vim-cmd vmsvc/power.on 11")
    assert does(on, keys, "vim-cmd vmsvc/power.getstate 11").out.endswith("Powered on\n")


def test_many_machines_run_on_one_parent(on: HostHandle, keys: Path) -> None:
    for number in (1, 2, 3):
        chain = (BASE, f"[datastore1] vm{number}/img-000001.vmdk")
        on.register_vm(
            Machine(
                number, f"vm{number}", "datastore1", f"vm{number}/v.vmx", disks=(Disk(chain),), running=True
            )
        )
    assert [machine.running for machine in on.machines] == [True, True, True]


# -- redo logs -------------------------------------------------------------------------------------------------


def redo_logs(on: HostHandle) -> list[str]:
    return [name for name in on.files.names("/vmfs/volumes/datastore1/vm9") if ".REDO_" in name]


def test_a_redo_log_goes_at_power_off_and_stays_after_a_crash(on: HostHandle, keys: Path) -> None:
    disks = (Disk((BASE,), mode="independent-nonpersistent"),)
    on.register_vm(Machine(9, "vm9", "datastore1", "vm9/vm9.vmx", disks=disks))
    assert redo_logs(on) == []
    does(on, keys, "vim-cmd vmsvc/power.on 9")
    delta, log = redo_logs(on)
    assert delta == log.replace("img.vmdk.", "img.vmdk-delta.")
    text = does(
        on, keys, f"cat '/vmfs/volumes/datastore1/vm9/{log}' /vmfs/volumes/datastore1/vm9/vm9.vmx"
    ).out
    assert '/img/img.vmdk"' in next(line for line in text.splitlines() if "parentFileNameHint" in line)
    assert f'scsi0:0.redo = "./{log}"' in text
    does(on, keys, "vim-cmd vmsvc/power.off 9")
    assert redo_logs(on) == []
    does(on, keys, "vim-cmd vmsvc/power.on 9")
    on.reboot(power_loss=True)
    assert len(redo_logs(on)) == 2
    assert not on.machines[0].running
    on.power_vm(9, on=True)
    assert len(redo_logs(on)) == 4
    on.reboot()
    assert len(redo_logs(on)) == 2


# -- snapshots and registering ---------------------------------------------------------------------------------


def test_a_snapshot_grows_the_chain(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9(running=True))
    assert does(on, keys, "vim-cmd vmsvc/snapshot.create 9 'before; $(x)'").out == "Create Snapshot:\n"
    on.snapshot_vm(9, "second")
    layout = does(on, keys, "vim-cmd vmsvc/get.filelayout 9").out
    first, second = "[datastore1] vm9/img-000001.vmdk", "[datastore1] vm9/img-000002.vmdk"
    assert chains(layout) == [(2000, [BASE, first, second])]
    states = [f"[datastore1] vm9/vm9-Snapshot{number}.vmsn" for number in (1, 2)]
    assert frozen(layout) == [[states[0], BASE], [states[1], first]]
    vmx = does(on, keys, "cat /vmfs/volumes/datastore1/vm9/vm9.vmx").out
    assert 'scsi0:0.fileName = "img-000002.vmdk"' in vmx
    assert "before; $(x)" in does(on, keys, "vim-cmd vmsvc/snapshot.get 9").out
    assert on.machines[0].running


def test_a_machine_is_registered_as_its_files_say(on: HostHandle, keys: Path) -> None:
    name, chain = 'w|eb (1) "x"\n[a] b', (BASE, "[datastore1] we b/img-000001.vmdk")
    machine = Machine(3, name, "datastore1", "we b/w's.vmx", disks=(Disk(chain),), computer_id="77")
    on.add_machine_files(machine)
    quoted = "'/vmfs/volumes/datastore1/we b/w'\\''s.vmx'"
    ran = does(on, keys, f"vim-cmd solo/registervm {quoted}")
    (found,) = on.machines
    assert ran.out == ("" if on.version == "4.1" else f"{found.id}\n")
    assert (found.name, found.path, found.disks) == (name, "we b/w's.vmx", (Disk(chain),))
    again = does(on, keys, f"vim-cmd solo/registervm {quoted}").out
    assert "(vim.fault.AlreadyExists)" in again
    assert f'name = "{found.id}"' in again
    assert does(on, keys, f"vim-cmd vmsvc/unregister {found.id}").out == ""
    assert on.machines == []
    assert on.files.exists("/vmfs/volumes/datastore1/we b/w's.vmx")
    on.reboot(power_loss=True)
    assert on.machines == []


def test_what_is_registered_is_known_after_a_boot(on: HostHandle, keys: Path) -> None:
    on.add_machine_files(vm9(BASE, "[datastore1] vm9/img-000001.vmdk"))
    does(on, keys, "vim-cmd solo/registervm /vmfs/volumes/datastore1/vm9/vm9.vmx")
    on.reboot()
    assert [machine.path for machine in on.machines] == ["vm9/vm9.vmx"]


def test_a_vmx_that_is_not_there_is_not_registered(on: HostHandle, keys: Path) -> None:
    for path in ("/vmfs/volumes/datastore1/no/no.vmx", "/vmfs/volumes/nosuch/a.vmx", "/etc/hosts"):
        ran = does(on, keys, f"vim-cmd solo/registervm {path}")
        assert (ran.status, "(vim.fault.NotFound)" in ran.out) == (0, True)
    assert on.machines == []


def test_a_running_machine_is_not_let_go(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9(running=True))
    assert "(vim.fault.InvalidPowerState)" in does(on, keys, "vim-cmd vmsvc/unregister 9").out
    assert len(on.machines) == 1


def test_summary_and_configuration_name_the_machine_and_its_disks(on: HostHandle, keys: Path) -> None:
    on.register_vm(vm9(running=True))
    summary = does(on, keys, "vim-cmd vmsvc/get.summary 9").out
    assert summary.startswith("Listsummary:\n(vim.vm.Summary) {\n")
    assert 'powerState = "poweredOn"' in summary
    configured = does(on, keys, "vim-cmd vmsvc/get.config 9").out
    assert f'fileName = "{BASE}"' in configured
