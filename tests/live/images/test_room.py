"""Room: what does not fit is held, a dedicated disk makes room and never throws away what counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.kinds.model import Risk
from reconciler.report import Status
from reconciler.simulator.model import Disk, Machine
from tests.live.images.setup import (
    DISK,
    LINUX,
    MIB,
    REPOSITORY,
    WIN,
    arrived,
    clean,
    done,
    images_world,
    put_here,
    put_on,
    why,
    wishes,
)

OLD, OLDER = "vmwarewin7-old55-v3", "vmwarewinxp-older12-v1"


@pytest.mark.parametrize("mode", ["shared", "dedicated"])
def test_what_does_not_fit_is_held_with_both_numbers(mode: str, tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, mode=mode)) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        there.host.fill("datastore1", 2 * MIB)
        report = there.run()
        assert report.status is Status.HELD
        said = why(report, f"image/{WIN}")
        assert said.startswith("the copy needs ")
        assert "MiB on datastore1, and 2.0 MiB are free there" in said
        assert there.changing() == []


@pytest.mark.parametrize(("version", "block", "needs"), [("6.7", MIB, 71 * MIB), ("4.1", 8 * MIB, 96 * MIB)])
@pytest.mark.parametrize("form", ["2gbsparse", "qcow2"])
def test_a_scattered_disk_from_here_counts_by_file_blocks(
    version: str, block: int, needs: int, form: str, tmp_path: Path
) -> None:
    repository, kept = tmp_path / "repo", {"format": "qcow2"} if form == "qcow2" else {}
    scattered = {at * MIB: b"x" * 65536 for at in range(64)}
    digest = put_here(repository, WIN, form, scattered)
    spec = wishes({WIN: {}}, str(repository), kept=kept)
    with images_world(tmp_path, version, spec, vmfs_block=block) as there:
        there.host.fill("datastore1", needs - 1)
        assert there.run().status is Status.HELD
        assert there.changing() == []
        there.host.fill("datastore1", needs)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, WIN) == digest
        assert needs - there.host.space("datastore1")[1] >= 64 * MIB


def test_the_reserve_is_kept_free(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, reserve="1GiB")) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        there.host.fill("datastore1", 1024 * MIB + 5 * MIB)
        assert "reserve 1.0 GiB" in why(there.run(), f"image/{WIN}")
        there.host.fill("datastore1", 1024 * MIB + 20 * MIB)
        assert there.run().status is Status.CONVERGED


def test_copies_of_one_plan_count_one_after_the_other(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}, LINUX: {}})) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        put_on(there, REPOSITORY, LINUX, "2gbsparse")
        there.host.fill("datastore1", 12 * MIB)
        report = there.look()
        assert [step.resource for step in report.steps] == [f"image/{LINUX}"]
        assert "other copies of this plan" in why(report, f"image/{WIN}")


@pytest.mark.parametrize("where", ["mounted", "here"])
def test_a_disk_that_fills_up_all_the_same_keeps_no_remains(where: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    for name in (WIN, LINUX):
        put_here(repository, name)
    with images_world(
        tmp_path, "5.5", wishes({WIN: {}, LINUX: {}}, REPOSITORY if where == "mounted" else str(repository))
    ) as there:
        for name in (WIN, LINUX):
            put_on(there, REPOSITORY, name, "2gbsparse")
        free = there.host.space("datastore1")[1]
        plan = there.look()
        assert len(plan.steps) == 2

        class Filling(list):  # type: ignore[type-arg]
            def append(self, event: object) -> None:
                super().append(event)
                if type(event).__name__ == "StepBegan":
                    there.host.fill("datastore1", 2 * MIB)

        there.events = Filling()
        report = there.run()
        assert report.status is Status.FAILED
        assert done(report)[f"image/{LINUX}"] == ["create failed"]
        assert report.fault is not None
        assert "space" in report.fault.message
        assert f"filled up while {LINUX} was copied" in why(report, f"image/{WIN}")
        assert clean(there)
        assert not there.host.files.exists(f"{DISK}/{LINUX}")
        there.host.fill("datastore1", None)
        assert there.host.space("datastore1")[1] == free
        there.events = []
        assert there.run().status is Status.CONVERGED


def test_the_fewest_and_oldest_unused_images_make_room(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, mode="dedicated")) as there:
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse")
        for name, at in ((OLD, 1_700_000_000), (OLDER, 1_600_000_000)):
            put_on(there, REPOSITORY, name, "2gbsparse")
            put_on(there, DISK, name)
            for file in there.host.files.names(f"{DISK}/{name}"):
                there.host.files.set_time(f"{DISK}/{name}/{file}", at)
        there.host.fill("datastore1", 5 * MIB)
        plan = there.look()
        assert [(step.resource, step.verb, step.risk) for step in plan.steps] == [
            ("virtualDisk", "delete", "service"),
            ("virtualDisk", "delete", "service"),
            (f"image/{WIN}", "create", "safe"),
        ]
        assert OLDER in plan.steps[0].actions[0].title
        assert "makes room" in plan.steps[0].why
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, WIN) == digest
        assert sorted(there.host.files.names(DISK)) == sorted([OLD, WIN])
        assert there.run().status is Status.IN_SYNC


def test_eviction_is_of_risk_service(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, mode="dedicated") | {"allow": "safe"}) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        put_on(there, REPOSITORY, OLD, "2gbsparse")
        put_on(there, DISK, OLD)
        there.host.fill("datastore1", 5 * MIB)
        report = there.run()
        assert report.status is Status.HELD
        assert "its risk is service" in why(report, "virtualDisk")
        assert "virtualDisk" in why(report, f"image/{WIN}")
        assert there.host.files.exists(f"{DISK}/{OLD}/{OLD}.vmdk")


@pytest.mark.parametrize(
    "reason",
    ["no copy", "broken copy", "shared", "vmx", "running", "registered", "unregistered", "wanted", "locked"],
)
def test_what_is_never_evicted(reason: str, tmp_path: Path) -> None:
    images: dict[str, Any] = {WIN: {}} | ({OLD: {}} if reason == "wanted" else {})
    mode = "shared" if reason == "shared" else "dedicated"
    with images_world(tmp_path, "6.0", wishes(images, mode=mode)) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        put_on(there, DISK, OLD)
        if reason != "no copy":
            put_on(there, REPOSITORY, OLD, "2gbsparse")
        if reason == "broken copy":
            there.host.files.remove(f"{REPOSITORY}/{OLD}/{OLD}-s001.vmdk")
        if reason == "vmx":
            there.host.files.write(f"{DISK}/{OLD}/{OLD}.vmx", b'displayName = "x"\n')
        if reason == "locked":
            there.host.files.lock(f"{DISK}/{OLD}/{OLD}-flat.vmdk")
        chain = (f"[datastore1] {OLD}/{OLD}.vmdk", "[datastore1] vms/vm9/vm9-000001.vmdk")
        machine = Machine(
            9, "vm9", "datastore1", "vms/vm9/vm9.vmx", disks=(Disk(chain),), running=reason == "running"
        )
        if reason in ("running", "registered"):
            there.host.register_vm(machine)
        if reason == "unregistered":
            there.host.add_machine_files(machine, vmx=False)
        there.host.fill("datastore1", 5 * MIB)
        report = there.run(allow=Risk.DATA)
        assert report.status is Status.HELD, report
        assert there.host.files.exists(f"{DISK}/{OLD}/{OLD}.vmdk")
        assert not there.host.files.exists(f"{DISK}/{WIN}")
        assert why(report, f"image/{WIN}").startswith("the copy needs")


def test_an_eviction_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, mode="dedicated")) as there:
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse")
        put_on(there, REPOSITORY, OLD, "2gbsparse")
        put_on(there, DISK, OLD)
        there.host.files.rename(f"{DISK}/{OLD}", f"{DISK}/_delete_{OLD}")
        there.host.fill("datastore1", 5 * MIB)
        report = there.run()
        assert report.status is Status.CONVERGED, report
        assert there.host.files.names(DISK) == [WIN]
        assert arrived(there, WIN) == digest


def test_what_was_set_aside_and_is_in_use_comes_back(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, mode="dedicated")) as there:
        put_on(there, DISK, WIN)
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        put_on(there, REPOSITORY, OLD, "2gbsparse")
        put_on(there, DISK, OLD)
        chain = (f"[datastore1] {OLD}/{OLD}.vmdk", "[datastore1] vms/vm9/vm9-000001.vmdk")
        there.host.register_vm(Machine(9, "vm9", "datastore1", "vms/vm9/vm9.vmx", disks=(Disk(chain),)))
        there.host.files.rename(f"{DISK}/{OLD}", f"{DISK}/_delete_{OLD}")
        report = there.run()
        assert there.host.files.exists(f"{DISK}/{OLD}/{OLD}.vmdk"), report
