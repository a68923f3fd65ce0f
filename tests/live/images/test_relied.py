"""What a deletion relies on is looked at to its ground: a copy that was broken off is no reason to delete anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.report import Status
from tests.live.images.setup import (
    DISK,
    LINUX,
    REPOSITORY,
    WIN,
    aged,
    arrived,
    clean,
    content,
    images_world,
    put_here,
    put_on,
    why,
    wishes,
)
from tests.live.passes.world import World

MIB = 1 << 20


def cut_off(there: World, name: str, ending: str = "-s001.vmdk") -> None:
    path = f"{REPOSITORY}/{name}/{name}{ending}"
    data = there.host.files.read(path)
    assert data is not None
    there.host.files.write(path, data[: len(data) * 3 // 4], 0o644)
    aged(there, f"{REPOSITORY}/{name}")


@pytest.mark.parametrize("version", ["4.1", "6.7"])
@pytest.mark.parametrize("form", ["2gbsparse", "monolithicSparse"])
def test_nothing_is_deleted_for_a_copy_that_is_cut_off(form: str, version: str, tmp_path: Path) -> None:
    kept = {"format": "2gbsparse" if form == "2gbsparse" else "vmdk"}
    spec = wishes({WIN: {}, LINUX: "absent"}, kept=kept)
    ending = "-s001.vmdk" if form == "2gbsparse" else ".vmdk"
    with images_world(tmp_path, version, spec) as there:
        for name in (WIN, LINUX):
            put_on(there, DISK, name)
            if form == "2gbsparse":
                put_on(there, REPOSITORY, name, form)
            else:
                put_here(tmp_path / "made", name, form)
                there.host.files.put_files(f"{REPOSITORY}/{name}", tmp_path / "made" / name, 0o644)
            cut_off(there, name, ending)
        there.host.files.write(f"{DISK}/{WIN}/{WIN}.vmdk", b"no descriptor", 0o644)
        aged(there, f"{DISK}/{WIN}")
        report = there.run()
        assert (report.status, report.steps) == (Status.HELD, ()), report
        for name in (WIN, LINUX):
            assert "on which that relies, is no whole one: it is cut off" in why(report, f"image/{name}")
            assert there.host.files.exists(f"{DISK}/{name}/{name}-flat.vmdk")
        assert clean(there)


def test_a_whole_copy_is_relied_on(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: {}, LINUX: "absent"})) as there:
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse")
        put_on(there, REPOSITORY, LINUX, "2gbsparse")
        put_on(there, DISK, LINUX)
        put_on(there, DISK, WIN)
        there.host.files.write(f"{DISK}/{WIN}/{WIN}.vmdk", b"no descriptor", 0o644)
        aged(there, f"{DISK}/{WIN}")
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == digest
        assert not there.host.files.exists(f"{DISK}/{LINUX}")


def test_an_image_is_not_evicted_for_a_copy_that_is_cut_off(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, mode="dedicated")) as there:
        put_on(there, DISK, LINUX)
        put_on(there, REPOSITORY, LINUX, "2gbsparse")
        cut_off(there, LINUX)
        put_on(there, REPOSITORY, WIN, "2gbsparse", content(data=30 * MIB))
        there.host.fill("datastore1", 28 * MIB)
        report = there.run()
        assert report.status is Status.HELD, report
        assert "no whole one" in why(report, "repository")
        assert "are free there" in why(report, f"image/{WIN}")
        assert there.host.files.exists(f"{DISK}/{LINUX}/{LINUX}.vmdk")


def test_one_bad_copy_does_not_stop_another_image_from_going(tmp_path: Path) -> None:
    other = "vmwareold-9-v1"
    with images_world(tmp_path, "6.0", wishes({WIN: {}}, mode="dedicated")) as there:
        for name in (LINUX, other):
            put_on(there, DISK, name)
            put_on(there, REPOSITORY, name, "2gbsparse")
        aged(there, f"{DISK}/{LINUX}", 9000.0)
        cut_off(there, LINUX)
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse", content(data=30 * MIB))
        there.host.fill("datastore1", 28 * MIB)
        report = there.run()
        assert arrived(there, WIN) == digest
        assert there.host.files.names(DISK) == [LINUX, WIN]
        assert "no whole one" in why(report, "repository")
        assert report.status is Status.CONVERGED


def test_a_compressed_copy_here_is_whole(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    digest = put_here(repository, WIN, "qcow2")
    disk = repository / WIN / f"{WIN}.qcow2"
    subprocess.run(["qemu-img", "convert", "-c", "-O", "qcow2", disk, tmp_path / "packed"], check=True)
    (tmp_path / "packed").replace(disk)
    with images_world(tmp_path, "6.7", wishes({WIN: {}}, str(repository), kept={"format": "qcow2"})) as there:
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == digest


@pytest.mark.parametrize("form", ["qcow2", "vdi"])
def test_a_copy_here_that_is_cut_off_is_no_copy(form: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    put_here(repository, WIN, form)
    disk = repository / WIN / f"{WIN}.{form}"
    with disk.open("r+b") as stream:
        stream.truncate(disk.stat().st_size * 3 // 4)
    with images_world(tmp_path, "6.7", wishes({WIN: {}}, str(repository), kept={"format": form})) as there:
        report = there.run()
        assert report.status is Status.HELD, report
        assert "it is cut off" in why(report, f"image/{WIN}")
    shutil.rmtree(repository)
