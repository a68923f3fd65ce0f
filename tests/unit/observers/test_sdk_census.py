"""Who uses which disk, over the SDK: what can't be seen is never left out in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from reconciler.facts import Datastore
from reconciler.image_facts import DiskUse
from reconciler.observers.sdk import census
from reconciler.observers.sdk.browser import Browser, Entry, Held
from reconciler.observers.sdk.shown import Beyond, Unclear
from reconciler.transports.sdk import Row
from tests.unit.observers.test_sdk_shown import data, row

CHAIN = ("[images] win/win.vmdk", "[ds] vm9/win-000001.vmdk")
CONFIG = b'scsi0:0.fileName = "win-000001.vmdk"\n'
DELTA = b'# Disk DescriptorFile\nparentFileNameHint="/vmfs/volumes/n1/win/win.vmdk"\n'
NAMES = {"d1": "ds", "n1": "images"}
VM9 = "virtual machine 'vm9' (registered)"
MASTER = ("n1", "win/win.vmdk")
HELD = "500 Internal Server Error"
Files = Mapping[str, "bytes | int | Held | None"]


class Volume:
    """A datastore in memory. A number is a long file, an exception one that can't be read, None one that goes away."""

    def __init__(self, identity: str, files: Files | None, folders: tuple[str, ...] = ()) -> None:
        self.datastore = Datastore(NAMES[identity], "VMFS-6", True, id=identity)
        self.files, self.folders = files, folders

    def tree(self, relative: str, patterns: list[str]) -> Mapping[str, Entry] | None:
        assert relative == ""
        if self.files is None:
            return None
        folders = {name: Entry(True, None, None) for name in self.folders}
        return folders | {name: Entry(False, told(it), None) for name, it in self.files.items()}

    def head(self, relative: str, length: int) -> bytes | None:
        content = (self.files or {})[relative]
        if isinstance(content, Held):
            raise content
        assert not isinstance(content, int)
        return content

    def size(self, relative: str) -> int | None:
        content = (self.files or {})[relative]
        return (
            content if isinstance(content, int) else None if not isinstance(content, bytes) else len(content)
        )


def told(content: object) -> int | None:
    """What the browser says: of a short file nothing, which it may."""
    return content if isinstance(content, int) else None


def machine(
    *chains: tuple[str, ...], frozen: tuple[str, ...] = (), state: str = "poweredOff", **more: Any
) -> Row:
    """A registered machine; `frozen` is the chain of a snapshot."""
    names = list(dict.fromkeys(name for chain in (*chains, frozen) for name in chain))
    kinds = "VirtualMachineFileLayoutEx"
    files = [
        data(f"{kinds}FileInfo", key=key, name=name, type="diskDescriptor") for key, name in enumerate(names)
    ]
    files += [
        data(f"{kinds}FileInfo", key=100 + key, name=flat(name), type="diskExtent")
        for key, name in enumerate(names)
    ]
    files.append(data(f"{kinds}FileInfo", key=900, name="[ds] vm9/vm9-Snapshot1.vmsn", type="snapshotData"))

    def disk(chain: tuple[str, ...]) -> Any:
        units = [data(f"{kinds}DiskUnit", fileKey=[100 + names.index(it), names.index(it)]) for it in chain]
        return data(f"{kinds}DiskLayout", key=2000, chain=units)

    taken = [data(f"{kinds}SnapshotLayout", dataKey=900, disk=[disk(frozen)])] if frozen else []
    layout = data(kinds, file=files, disk=[disk(chain) for chain in chains], snapshot=taken)
    return vm9(**{"layoutEx": layout, "runtime__powerState": state, **more})


def vm9(**values: Any) -> Row:
    return row(**{"name": "vm9", "config__files__vmPathName": "[ds] vm9/vm9.vmx", **values})


def flat(name: str) -> str:
    return name.replace(".vmdk", "-flat.vmdk")


def look(*machines: Row, ds: Files | None = None, images: Files | None = None) -> set[DiskUse]:
    volumes = {"d1": Volume("d1", ds or {}, ("folder.vmx",)), "n1": Volume("n1", images or {})}
    return set(census.uses(machines, NAMES, cast("Mapping[str, Browser]", volumes)))


def of_master(uses: set[DiskUse]) -> set[tuple[str, bool, bool]]:
    return {(it.who, it.running, it.writes) for it in uses if (it.volume, it.path) == MASTER}


def test_a_host_without_machines_uses_nothing() -> None:
    assert look() == set()


@pytest.mark.parametrize(
    ("state", "running"), [("poweredOff", False), ("poweredOn", True), ("suspended", True)]
)
def test_a_registered_machine_uses_its_whole_chain(state: str, running: bool) -> None:
    seen = look(machine(CHAIN, state=state))
    assert of_master(seen) == {(VM9, running, False)}
    assert DiskUse("d1", "vm9/win-000001.vmdk", VM9, running, True) in seen


def test_a_snapshot_keeps_a_disk_that_is_no_part_of_the_machine_any_more() -> None:
    seen = look(machine(("[ds] vm9/own.vmdk",), frozen=CHAIN[:1]))
    assert of_master(seen) == {(VM9, False, False)}
    assert DiskUse("d1", "vm9/vm9-Snapshot1.vmsn", VM9) in seen


def test_the_configuration_of_a_machine_that_nobody_knows_counts_as_running() -> None:
    seen = look(ds={"x/x.vmx": b'scsi0:0.fileName = "/vmfs/volumes/n1/win/win.vmdk"\n'})
    assert of_master(seen) == {("the unregistered machine [ds] x/x.vmx", True, True)}


@pytest.mark.parametrize("name", ["x/x-000001.vmdk", "x/x-delta.vmdk", "x/x.vmdk.REDO_ab", "x/x.vmdk~"])
def test_a_delta_uses_its_parent_whatever_it_is_called(name: str) -> None:
    assert of_master(look(ds={name: DELTA})) == {(f"the delta [ds] {name}", False, False)}


def test_what_is_too_long_for_a_descriptor_is_not_read_and_other_disks_say_nothing() -> None:
    assert look(ds={"x/x-flat.vmdk": 1 << 30, "x/x.vmdk": b"# Disk DescriptorFile\n"}) == set()


def test_snapshots_of_a_file_server_are_passed_over() -> None:
    assert (
        look(images={".snapshot/daily/x/x.vmx": b'scsi0:0.fileName = "/vmfs/volumes/n1/win/win.vmdk"\n'})
        == set()
    )


def test_files_of_a_machine_that_is_known_may_be_held() -> None:
    seen = look(
        machine(CHAIN, state="poweredOn"),
        ds={
            "vm9/vm9.vmx": Held(HELD),
            "vm9/win-000001.vmdk": Held(HELD),
            "vm9/win-000001-delta.vmdk": Held(HELD),
        },
    )
    assert of_master(seen) == {(VM9, True, False)}
    assert (
        DiskUse(
            "d1", "vm9/win-000001-delta.vmdk", "the locked file [ds] vm9/win-000001-delta.vmdk", True, True
        )
        in seen
    )


@pytest.mark.parametrize("name", ["x/x.vmx", "x/x-000001.vmdk"])
def test_what_nobody_knows_and_can_not_be_read_makes_all_unknown(name: str) -> None:
    with pytest.raises(Beyond, match="only SSH shows whether a machine holds it"):
        look(ds={name: Held(HELD)})


def test_what_goes_away_meanwhile_makes_all_unknown() -> None:
    with pytest.raises(Unclear, match="went away"):
        look(ds={"x/x.vmx": None})


@pytest.mark.parametrize(
    "seen",
    [
        machine(CHAIN, runtime__connectionState="invalid"),
        machine(CHAIN, layoutEx=None),
        machine(()),
        vm9(
            layoutEx=data(
                "VirtualMachineFileLayoutEx",
                disk=[
                    data(
                        "VirtualMachineFileLayoutExDiskLayout",
                        chain=[data("VirtualMachineFileLayoutExDiskUnit", fileKey=[5])],
                    )
                ],
            ),
            runtime__powerState="poweredOff",
        ),
    ],
)
def test_a_machine_whose_disks_are_not_told_makes_all_unknown(seen: Row) -> None:
    with pytest.raises(Unclear):
        look(seen)


def test_a_snapshot_without_its_file_and_a_disk_without_descriptor() -> None:
    kinds = "VirtualMachineFileLayoutEx"
    raw = data(f"{kinds}FileInfo", key=1, name="[images] win/win.vmdk", type="diskExtent")
    unit = data(f"{kinds}DiskUnit", fileKey=[1])
    layout = data(
        kinds,
        file=[raw],
        disk=[data(f"{kinds}DiskLayout", chain=[unit])],
        snapshot=[data(f"{kinds}SnapshotLayout", dataKey=7)],
    )
    assert of_master(look(vm9(layoutEx=layout, runtime__powerState="poweredOff"))) == {(VM9, False, True)}


def test_a_volume_that_can_not_be_searched_and_a_file_that_is_none() -> None:
    with pytest.raises(Unclear, match="could not be searched"):
        census.uses((), NAMES, cast("Mapping[str, Browser]", {"d1": Volume("d1", None)}))
    with pytest.raises(Unclear, match="too long"):
        look(ds={"x/x.vmx": b"x" * 70_000})


def test_a_short_file_whose_length_the_browser_tells_is_read_without_asking_for_it() -> None:
    class Telling(Volume):
        """A browser that tells the length of every file."""

        def tree(self, relative: str, patterns: list[str]) -> Mapping[str, Entry] | None:
            return {name: Entry(False, len(it), None) for name, it in self.files.items()}  # type: ignore[union-attr,arg-type]

        def size(self, relative: str) -> int | None:
            raise AssertionError(relative)

    volumes = {"d1": Telling("d1", {"vm9/win-000001.vmdk": DELTA}), "n1": Volume("n1", {})}
    (use,) = census.uses((), NAMES, cast("Mapping[str, Browser]", volumes))
    assert (use.volume, use.path) == MASTER
