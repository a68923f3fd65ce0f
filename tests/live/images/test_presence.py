"""What counts as there, what is repaired, what is taken away, and what is captured."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from reconciler.kinds.model import Risk
from reconciler.report import Status
from reconciler.simulator.model import Disk, Machine
from tests.live.images.setup import (
    DISK,
    LINUX,
    REPOSITORY,
    SIZE,
    VERSIONS,
    WIN,
    aged,
    arrived,
    clean,
    content,
    images_world,
    put_here,
    put_on,
    raw_digest,
    seen_by_guest,
    why,
    wishes,
)

BOTH = {"in": ["datastore", "repository"]}


@pytest.mark.parametrize(
    "damage", ["only a descriptor", "only extents", "short extent", "2gbsparse", "empty"]
)
def test_what_is_no_whole_image_is_replaced_when_a_whole_copy_is_elsewhere(
    damage: str, tmp_path: Path
) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}})) as there:
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse")
        put_on(there, DISK, WIN, "2gbsparse" if damage == "2gbsparse" else "thin")
        folder = f"{DISK}/{WIN}"
        if damage in ("only a descriptor", "empty"):
            there.host.files.remove(f"{folder}/{WIN}-flat.vmdk")
        if damage in ("only extents", "empty"):
            there.host.files.remove(f"{folder}/{WIN}.vmdk")
        if damage == "short extent":
            there.host.files.write(f"{folder}/{WIN}-flat.vmdk", b"short")
            aged(there, folder)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, WIN) == digest
        assert there.host.files.names(DISK) == [WIN]
        assert there.run().status is Status.IN_SYNC


def test_a_broken_image_without_a_copy_elsewhere_is_not_touched(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}})) as there:
        put_on(there, DISK, WIN)
        there.host.files.remove(f"{DISK}/{WIN}/{WIN}-flat.vmdk")
        report = there.run(allow=Risk.DATA)
        assert "flat.vmdk is missing; there is no whole copy elsewhere" in why(report, f"image/{WIN}")
        assert there.changing() == []


@pytest.mark.parametrize("left", [f"{WIN}~", f"_delete_{WIN}"])
def test_a_whole_image_under_the_name_of_a_leftover_is_put_in_place(left: str, tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, None)) as there:
        digest = put_on(there, DISK, WIN)
        there.host.files.rename(f"{DISK}/{WIN}", f"{DISK}/{left}")
        assert there.run().status is Status.CONVERGED
        assert there.host.files.names(DISK) == [WIN]
        assert arrived(there, WIN) == digest


@pytest.mark.parametrize("left", [f"{WIN}~", f"_delete_{WIN}", f"{WIN}_2gbsparse"])
def test_leftovers_beside_a_whole_image_go(left: str, tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, None)) as there:
        put_on(there, DISK, WIN)
        there.host.files.put_disk(f"{DISK}/{left}/{WIN}.vmdk", SIZE, {})
        aged(there, f"{DISK}/{left}")
        assert there.run().status is Status.CONVERGED
        assert there.host.files.names(DISK) == [WIN]


def test_what_somebody_may_be_copying_this_minute_stays(tmp_path: Path) -> None:
    """VCL copies images without a lock: an upload that goes on looks like an image that lacks something."""
    with images_world(tmp_path, "6.0", wishes({WIN: {}, LINUX: BOTH})) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        for name in (WIN, LINUX):
            put_on(there, DISK, name)
        there.host.files.write(f"{DISK}/{WIN}/{WIN}-flat.vmdk", b"the first bytes")
        aged(there, f"{DISK}/{LINUX}", 200.0)
        report = there.run()
        assert report.status is Status.HELD, report
        for name in (WIN, LINUX):
            assert "s ago, somebody may be at it" in why(report, f"image/{name}")
        assert there.changing() == []


def test_an_unreachable_repository_is_unknown_and_nothing_is_done(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: {}}, mode="dedicated")) as there:
        there.host.fault("nfs-down")
        report = there.run(allow=Risk.DATA)
        assert report.status is Status.HELD
        assert "not accessible" in why(report, "repository")
        assert there.changing() == []


# -- absent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_absent_goes_when_a_whole_copy_is_in_the_repository(version: str, tmp_path: Path) -> None:
    with images_world(tmp_path, version, wishes({WIN: "absent"})) as there:
        put_on(there, DISK, WIN)
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert there.host.files.names(DISK) == []
        assert there.run().status is Status.IN_SYNC


def test_the_last_copy_of_an_image_needs_allow_data(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: "absent"}, None)) as there:
        put_on(there, DISK, WIN)
        report = there.run()
        assert "its risk is data" in why(report, f"image/{WIN}")
        assert there.host.files.exists(f"{DISK}/{WIN}/{WIN}.vmdk")
        assert there.run(allow=Risk.DATA).status is Status.CONVERGED
        assert there.host.files.names(DISK) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["snapshot", "direct", "unregistered", "invalid", "redo"])
def test_absent_is_held_while_in_use(how: str, version: str, tmp_path: Path) -> None:
    with images_world(tmp_path, version, wishes({WIN: "absent"})) as there:
        put_on(there, DISK, WIN)
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        base = f"[datastore1] {WIN}/{WIN}.vmdk"
        chain = (base,) if how in ("direct", "redo") else (base, "[datastore1] vms/vm9/vm9-000001.vmdk")
        disk = Disk(chain, mode="independent-nonpersistent" if how == "redo" else "persistent")
        machine = Machine(9, "vm9", "datastore1", "vms/vm9/vm9.vmx", disks=(disk,), running=how == "redo")
        if how == "unregistered":
            there.host.add_machine_files(machine, vmx=False)
        else:
            there.host.register_vm(machine)
        if how == "invalid":
            there.host.break_vm(9)
        report = there.run(allow=Risk.DATA)
        assert report.status is Status.HELD, report
        said = why(report, f"image/{WIN}")
        assert "use" in said or "can't be read" in said
        assert there.host.files.exists(f"{DISK}/{WIN}/{WIN}.vmdk")
        assert there.changing() == []


def test_a_machine_that_writes_straight_into_a_master_is_a_finding(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: {}})) as there:
        put_on(there, DISK, WIN)
        disk = Disk((f"[datastore1] {WIN}/{WIN}.vmdk",))
        there.host.register_vm(Machine(9, "vm9", "datastore1", "vms/vm9/vm9.vmx", disks=(disk,)))
        report = there.look()
        assert "virtual machine 'vm9' writes straight into this master" in why(report, f"image/{WIN}")


# -- capture ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_master_is_captured_into_a_mounted_repository(version: str, tmp_path: Path) -> None:
    with images_world(tmp_path, version, wishes({WIN: BOTH})) as there:
        digest = put_on(there, DISK, WIN)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, WIN, REPOSITORY) == digest
        for name in there.host.files.names(f"{REPOSITORY}/{WIN}"):
            assert there.host.files.stat(f"{REPOSITORY}/{WIN}/{name}").mode & 0o777 == 0o755
        assert f"{WIN}-s001.vmdk" in there.host.files.names(f"{REPOSITORY}/{WIN}")
        assert clean(there, REPOSITORY)
        assert clean(there)
        assert arrived(there, WIN) == digest
        assert there.run().status is Status.IN_SYNC


@pytest.mark.parametrize(
    ("version", "where", "form"),
    [
        ("5.5", "mounted", "2gbsparse"),
        ("6.7", "mounted", "2gbsparse"),
        ("6.7", "here", "2gbsparse"),
        ("6.7", "mounted", "vdi"),
    ],
)
def test_a_capture_is_proved_by_all_that_a_guest_sees(
    version: str, where: str, form: str, tmp_path: Path
) -> None:
    repository = tmp_path / "repo"
    repository.mkdir()
    place = REPOSITORY if where == "mounted" else str(repository)
    with images_world(
        tmp_path, version, wishes({WIN: {**BOTH, "verify": "full"}}, place, kept={"format": form})
    ) as there:
        put_on(there, DISK, WIN)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert "proved: a checksum of all that a guest sees" in report.steps[0].actions[-1].title


@pytest.mark.parametrize("form", ["2gbsparse", "vmdk", "qcow2", "vdi"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_master_is_captured_into_a_repository_here(version: str, form: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    repository.mkdir()
    with images_world(
        tmp_path, version, wishes({WIN: BOTH}, str(repository), kept={"format": form})
    ) as there:
        put_on(there, DISK, WIN)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        ending = form if form in ("qcow2", "vdi") else "vmdk"
        # a disk in whole blocks may be longer at its end
        assert seen_by_guest(repository / WIN / f"{WIN}.{ending}") == raw_digest(content())
        assert {stat.S_IMODE(it.stat().st_mode) for it in (repository / WIN).iterdir()} == {0o755}
        assert [it.name for it in repository.iterdir()] == [WIN]
        assert there.run().status is Status.IN_SYNC


@pytest.mark.parametrize("form", ["qcow2", "vdi"])
def test_a_master_is_captured_into_a_mounted_repository_of_another_form(form: str, tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: BOTH}, kept={"format": form})) as there:
        put_on(there, DISK, WIN)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert there.run().status is Status.IN_SYNC


@pytest.mark.parametrize("how", ["running", "locked"])
def test_a_disk_that_is_being_written_is_never_captured(how: str, tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: BOTH})) as there:
        put_on(there, DISK, WIN)
        if how == "locked":
            there.host.files.lock(f"{DISK}/{WIN}/{WIN}-flat.vmdk")
        else:
            disk = Disk((f"[datastore1] {WIN}/{WIN}.vmdk",))
            there.host.register_vm(Machine(9, "vm9", "datastore1", "a/a.vmx", disks=(disk,), running=True))
        report = there.run()
        assert "it can't be captured" in why(report, f"image/{WIN}")
        assert there.host.files.names(REPOSITORY) == []


def test_files_that_others_can_not_read_are_a_finding_and_modes_stay(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: BOTH})) as there:
        put_on(there, DISK, WIN)
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        there.host.files.set_mode(f"{REPOSITORY}/{WIN}/{WIN}-s001.vmdk", 0o600)
        report = there.run()
        assert "can't be read by others" in why(report, "repository")
        assert there.host.files.stat(f"{REPOSITORY}/{WIN}/{WIN}-s001.vmdk").mode & 0o777 == 0o600


# -- bad sources -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "spoil", "said"),
    [
        ("2gbsparse", "missing extent", "is missing"),
        ("2gbsparse", "cut extent", "cut off"),
        ("2gbsparse", "points out", "points out of its folder"),
        ("2gbsparse", "link", "no plain file"),
        ("2gbsparse", "no text", "no text"),
        ("qcow2", "backing", "backing file"),
        ("qcow2", "absurd", "absurd size"),
    ],
)
def test_bad_sources_are_refused_before_anything_is_sent(
    form: str, spoil: str, said: str, tmp_path: Path
) -> None:
    repository = tmp_path / "repo"
    put_here(repository, WIN, form)
    folder = repository / WIN
    file = folder / f"{WIN}.{'qcow2' if form == 'qcow2' else 'vmdk'}"
    extent = folder / f"{WIN}-s001.vmdk"
    if spoil == "missing extent":
        extent.unlink()
    elif spoil == "cut extent":
        extent.write_bytes(extent.read_bytes()[:-70_000])
    elif spoil == "points out":
        file.write_text(file.read_text().replace(f'"{WIN}-s001.vmdk"', '"/etc/passwd"'))
    elif spoil == "link":
        extent.rename(tmp_path / "elsewhere")
        extent.symlink_to(tmp_path / "elsewhere")
    elif spoil == "no text":
        file.write_bytes(b"\x00\x01" * 2000)
    elif spoil == "backing":
        whole = bytearray(file.read_bytes())
        whole[8:20] = (112).to_bytes(8, "big") + (4).to_bytes(4, "big")
        file.write_bytes(whole)
    else:
        whole = bytearray(file.read_bytes())
        whole[24:32] = (1 << 60).to_bytes(8, "big")
        file.write_bytes(whole)
    kept = {"format": form}
    with images_world(tmp_path, "6.7", wishes({WIN: {}}, str(repository), kept=kept)) as there:
        report = there.run()
        assert said in why(report, f"image/{WIN}")
        assert report.status is Status.HELD
        assert there.changing() == []
