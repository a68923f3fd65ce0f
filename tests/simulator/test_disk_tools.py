"""vmkfstools -E and -t0, and modules of the VMkernel, as the field guide has them (sections 7.1 and 7.2)."""

from __future__ import annotations

import pytest

from reconciler.simulator.host import Host
from reconciler.simulator.images import put_disk
from tests.simulator.support import Ran, host, script

HOME = "/vmfs/volumes/datastore1"
MULTIEXTENT = "multiextent"


def on(version: str, text: str) -> Ran:
    return script(disk_on(version), f"cd {HOME}; {text}")


def disk_on(version: str, form: str = "thin") -> Host:
    made = host(version)
    command = f"mkdir {HOME}/a {HOME}/b; vmkfstools -c 4m -d {form} {HOME}/a/a.vmdk"
    assert script(made, command).status == 0
    return made


@pytest.mark.parametrize("version", ["4.1", "5.5", "6.7", "8.0"])
@pytest.mark.parametrize("target", ["a/new.vmdk", "b/new.vmdk"])
def test_a_rename_is_silent_and_takes_the_extents_along(version: str, target: str) -> None:
    made = disk_on(version)
    assert script(made, f"cd {HOME}; vmkfstools -E a/a.vmdk {target}") == Ran(0, "", "")
    folder = target.partition("/")[0]
    assert sorted(made.files.names(f"{HOME}/{folder}")) == ["new-flat.vmdk", "new.vmdk"]
    assert "a.vmdk" not in made.files.names(f"{HOME}/a")
    assert b'VMFS "new-flat.vmdk"' in made.files.read(f"{HOME}/{target}")
    assert script(made, f"vmkfstools -e {HOME}/{target}").out == "Disk chain is consistent.\n"


INFERRED = [
    ("touch b/new.vmdk; vmkfstools -E a/a.vmdk b/new.vmdk", "(39)"),
    ("touch b/new-flat.vmdk; vmkfstools -E a/a.vmdk b/new.vmdk", "(39)"),
    ("rm a/a-flat.vmdk; vmkfstools -E a/a.vmdk b/new.vmdk", "(25)"),
    ("echo no disk > a/a.vmdk; vmkfstools -E a/a.vmdk b/new.vmdk", "(15)"),
    ("vmkfstools -E a/none.vmdk b/new.vmdk", "(25)"),
    ("vmkfstools -E a/a.vmdk none/new.vmdk", "(25)"),
]


@pytest.mark.parametrize(("text", "number"), INFERRED)
def test_what_a_rename_refuses(text: str, number: str) -> None:
    """Inferred: the guide has these numbers for other actions."""
    ran = on("6.7", text)
    assert ran.status != 0
    assert number in ran.err


def test_a_disk_in_use_is_not_renamed() -> None:
    """Inferred, as above."""
    made = disk_on("6.7")
    made.files.node(f"{HOME}/a/a-flat.vmdk").locks["vm"] = "exclusive"
    ran = script(made, f"vmkfstools -E {HOME}/a/a.vmdk {HOME}/b/new.vmdk")
    assert (ran.status, ran.err) == (1, "Failed to lock the file (16392)\n")
    assert sorted(made.files.names(f"{HOME}/a")) == ["a-flat.vmdk", "a.vmdk"]


@pytest.mark.parametrize(
    ("form", "kind"),
    [("thin", "[NOMP -- :"), ("zeroedthick", "[VMFS Z- LVID:"), ("eagerzeroedthick", "[VMFS -- LVID:")],
)
def test_the_mapping_tells_the_kind_of_a_disk(form: str, kind: str) -> None:
    """The kinds are the guide's; the rest of a line is inferred."""
    ran = script(disk_on("6.7", form), f"vmkfstools -t0 {HOME}/a/a.vmdk")
    assert ran.status == 0
    assert kind in ran.out.splitlines()[1]


def test_the_mapping_of_a_thin_disk_tells_what_was_written() -> None:
    made = disk_on("5.5")
    written = f"dd if=/dev/zero of={HOME}/a/a-flat.vmdk bs=1048576 seek=1 count=1 conv=notrunc"
    assert script(made, written).status == 0
    lines = script(made, f"vmkfstools -t0 {HOME}/a/a.vmdk").out.splitlines()
    assert ["NOMP" in line for line in lines[1:]] == [True, False, True]


@pytest.mark.parametrize("version", ["5.1", "5.5", "6.0"])
def test_esxcli_loads_a_module_without_a_word(version: str) -> None:
    made = host(version)
    listed = f"esxcli system module list | grep {MULTIEXTENT}"
    assert script(made, listed).status == 1
    assert script(made, f"esxcli system module load -m {MULTIEXTENT}") == Ran(0, "", "")
    # a field capture
    assert script(made, listed).out.split() == [MULTIEXTENT, "true", "true"]
    assert MULTIEXTENT in script(made, "vmkload_mod -l").out


def test_a_module_does_not_outlive_a_boot() -> None:
    made = host("5.5")
    assert script(made, f"esxcli system module load -m {MULTIEXTENT}").status == 0
    made.reboot(power_loss=False)
    assert script(made, f"esxcli system module list | grep {MULTIEXTENT}").status == 1


@pytest.mark.parametrize("version", ["6.5", "6.7", "7.0", "8.0"])
def test_the_module_is_gone_from_6_5_on(version: str) -> None:
    """What vmkload_mod says is a field capture, what esxcli says is inferred."""
    said = (
        f"VMKMod_ComputeModPath({MULTIEXTENT}) failed: Not found\n"
        f"vmkload_mod: Can not load module {MULTIEXTENT}: not found\n"
    )
    assert script(host(version), f"vmkload_mod {MULTIEXTENT}") == Ran(1, "", said)
    ran = script(host(version), f"esxcli system module load -m {MULTIEXTENT}")
    assert (ran.status, ran.out) == (1, f"Unable to load module {MULTIEXTENT}: Not found\n")


def test_a_module_is_loaded_once() -> None:
    """Inferred: what esxcli says. VCL looks for `already loaded` in what vmkload_mod says."""
    made = host("5.5")
    assert script(made, f"vmkload_mod {MULTIEXTENT}") == Ran(
        0, f"Module {MULTIEXTENT} loaded successfully\n", ""
    )
    assert "already loaded" in script(made, f"vmkload_mod {MULTIEXTENT}").err
    assert script(made, f"esxcli system module load -m {MULTIEXTENT}").status == 1


def test_4x_has_vmkload_mod_only() -> None:
    made = host("4.1")
    assert script(made, "vmkload_mod -l").status == 0
    ran = script(made, "esxcli system module list")
    assert (ran.status, ran.out) == (1, "Error: Unknown command or namespace system module list\n")


def sparse_on(version: str, kept: int | None = None) -> Host:
    """A 2gbsparse disk of which the first `kept` bytes of the extent are left."""
    made = host(version, reads_2gbsparse=True)
    if version == "5.5":
        assert script(made, f"vmkload_mod {MULTIEXTENT}").status == 0
    made.files.makedirs(f"{HOME}/a")
    put_disk(made.files.node(f"{HOME}/a"), "a", "2gbsparse", 4 << 20, {0: b"x", 1 << 20: b"y" * 70_000}, 0.0)
    extent = made.files.node(f"{HOME}/a/a-s001.vmdk")
    if kept is not None:
        extent.truncate(kept if kept >= 0 else extent.size + kept, 0.0)
    return made


@pytest.mark.parametrize("version", ["4.1", "5.5", "6.7"])
@pytest.mark.parametrize("kept", [512, 600, 1024, 70_000, -65536, -1])
@pytest.mark.parametrize("form", ["thin", "2gbsparse"])
def test_an_extent_that_is_cut_off_is_not_cloned(version: str, kept: int, form: str) -> None:
    """Its words are the guide's for a disk that needs repair; inferred: that a clone ends with them."""
    made = sparse_on(version, kept)
    ran = script(made, f"cd {HOME}; vmkfstools -i a/a.vmdk b.vmdk -d {form}")
    assert ran.status != 0
    assert "needs repair" in ran.err
    assert made.files.names(HOME) == ["a"]
    checked = script(made, f"vmkfstools -x check {HOME}/a/a.vmdk")
    assert (checked.status, checked.out) == (1, "Disk needs repair.\n")


@pytest.mark.parametrize("kept", [0, 4, 511])
def test_an_extent_without_a_whole_header_is_no_disk(kept: int) -> None:
    made = sparse_on("4.1", kept)
    for command in (f"vmkfstools -i {HOME}/a/a.vmdk {HOME}/b.vmdk", f"vmkfstools -x check {HOME}/a/a.vmdk"):
        ran = script(made, command)
        assert ran.status != 0
        assert "(15)" in ran.err


def test_a_whole_sparse_disk_is_cloned_and_free_of_errors() -> None:
    made = sparse_on("4.1")
    assert script(made, f"vmkfstools -i {HOME}/a/a.vmdk {HOME}/b.vmdk -d thin").status == 0
    for disk in ("a/a", "b"):
        assert script(made, f"vmkfstools -x check {HOME}/{disk}.vmdk") == Ran(0, "Disk is error free.\n", "")
