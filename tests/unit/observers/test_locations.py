"""Whatever a path looks like: it is told on which volume it lies, or that it can't be told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.observers.ssh.locations import Location, Volumes

CAPTURES = Path(__file__).parents[2] / "cases" / "captures"
VOLUMES = Volumes({"5f-1": "datastore1", "5f-2": "datastore1 (1)", "95e3-1": "a] [b", "vfat": ""})
VMX = Location("5f-1", "vms/vm9/vm9.vmx")


@pytest.mark.parametrize(
    ("written", "volume", "path"),
    [
        ("[datastore1] win/win.vmdk", "5f-1", "win/win.vmdk"),
        ("[datastore1 (1)] win/win.vmdk", "5f-2", "win/win.vmdk"),
        ("[a] [b] win/win.vmdk", "95e3-1", "win/win.vmdk"),
        ("[5f-1] win/win.vmdk", "5f-1", "win/win.vmdk"),
        ("[datastore1]win/win.vmdk", "5f-1", "win/win.vmdk"),
        ("[lost] win/win.vmdk", None, "[lost] win/win.vmdk"),
        ("[lost", None, "[lost"),
        ("[datastore1] ", None, "/vmfs/volumes/5f-1/"),
        ("[] /vmfs/volumes/5f-2/win/win.vmdk", "5f-2", "win/win.vmdk"),
        ("[] /vmfs/volumes/5f-9/win/win.vmdk", None, "/vmfs/volumes/5f-9/win/win.vmdk"),
        ("/vmfs/volumes/5f-1/win/win.vmdk", "5f-1", "win/win.vmdk"),
        ("/vmfs/volumes/datastore1 (1)//win/./win.vmdk", "5f-2", "win/win.vmdk"),
        ("//vmfs/volumes/datastore1/win/win.vmdk", "5f-1", "win/win.vmdk"),
        ("/vmfs/volumes/lost/win/win.vmdk", None, "/vmfs/volumes/lost/win/win.vmdk"),
        ("/vmfs/volumes/datastore1", None, "/vmfs/volumes/datastore1"),
        ("/var/lib/vmware/Virtual Machines/w/w.vmdk", None, "/var/lib/vmware/Virtual Machines/w/w.vmdk"),
        (r"C:\vms\w\w.vmdk", "5f-1", r"vms/vm9/C:\vms\w\w.vmdk"),
        ("vm9.vmdk", "5f-1", "vms/vm9/vm9.vmdk"),
        ("./x/../vm9.vmdk", "5f-1", "vms/vm9/vm9.vmdk"),
        ("../../win/win.vmdk", "5f-1", "win/win.vmdk"),
        ("../../../datastore1 (1)/win/win.vmdk", "5f-2", "win/win.vmdk"),
        ("../../../../../etc/passwd", None, "/vmfs/volumes/5f-1/vms/vm9/../../../../../etc/passwd"),
    ],
)
def test_a_path_in_a_file_tells_volume_and_place(written: str, volume: str | None, path: str) -> None:
    assert VOLUMES.locate(written, VMX) == Location(volume, path)


def test_beside_a_file_that_is_nowhere_a_relative_path_is_what_it_says() -> None:
    assert VOLUMES.locate("win.vmdk", Location(None, "/var/x.vmx")) == Location(None, "win.vmdk")
    assert VOLUMES.locate("win.vmdk") == Location(None, "win.vmdk")


def test_captured_chains_are_found_on_their_volumes() -> None:
    volumes = Volumes({"1": "datastore", "2": "blade-vmpath"})
    chains = json.loads((CAPTURES / "vm_virtual_disk_file_paths.txt").read_text())
    assert [[volumes.locate(path).volume for path in chain] for chain in chains] == [
        ["1", "2", "2", "2"],
        ["2"],
    ]


def test_a_place_is_shown_as_vmware_writes_it() -> None:
    assert VOLUMES.show(VMX) == "[datastore1] vms/vm9/vm9.vmx"
    assert VOLUMES.show(Location("vfat", "x.vmx")) == "[vfat] x.vmx"
    assert VOLUMES.show(Location(None, "/var/x.vmx")) == "/var/x.vmx"


STORES = st.text(st.sampled_from("ab1 []()-."), min_size=1, max_size=8).filter(lambda it: it == it.strip())
PARTS = st.text(st.sampled_from("ab1 []()-'é"), min_size=1, max_size=8)


@given(names=st.sets(STORES, min_size=1, max_size=4), path=st.lists(PARTS, min_size=1, max_size=3))
@example(names={"a", "a] [b"}, path=["[b] x"])
@example(names={"a"}, path=["[b] x", " "])
def test_each_way_to_write_a_path_means_the_same_file(names: set[str], path: list[str]) -> None:
    ids = {f"id-{at}": name for at, name in enumerate(sorted(names)) if name not in (".", "..")}
    volumes, file = Volumes(ids), "/".join(path)
    for volume, name in ids.items():
        place = Location(volume, file)
        assert volumes.locate(f"/vmfs/volumes/{volume}/{file}") == place
        assert volumes.locate(f"/vmfs/volumes/{name}/{file}") == place
        # `[a] [b] x` may be a file `[b] x` on `a`, or `x` on `a] [b`: then the longer name is meant.
        longer = [
            it for it in ids.values() if len(it) > len(name) and f"[{name}] {file}".startswith(f"[{it}]")
        ]
        assert (volumes.locate(f"[{name}] {file}") == place) == (not longer)
