"""A master image arrives: every way, every form, every version, with equal content, and nothing is left to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.events import Carrying
from reconciler.report import Status
from tests.live.images.setup import (
    DISK,
    FORMS,
    LINUX,
    REPOSITORY,
    SIZE,
    WIN,
    arrived,
    clean,
    images_world,
    put_here,
    put_on,
    why,
    wishes,
)

EVERY_VERSION = ("4.1", "5.0", "5.1", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0")


@pytest.mark.parametrize("version", EVERY_VERSION)
def test_from_a_repository_on_the_host(version: str, tmp_path: Path) -> None:
    with images_world(tmp_path, version, wishes({WIN: {}})) as there:
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse")
        plan = there.look()
        assert [step.resource for step in plan.steps] == [f"image/{WIN}"]
        assert "MiB" in plan.steps[0].actions[-1].title
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, WIN) == digest
        assert there.host.files.exists(f"{DISK}/{WIN}/{WIN}.vmx.reference")
        assert clean(there)
        assert "proved: " in report.steps[0].actions[-1].title
        assert there.run().status is Status.IN_SYNC


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("version", EVERY_VERSION)
def test_from_a_repository_here(version: str, form: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    digest = put_here(repository, WIN, form)
    kept = {"format": form if form in ("2gbsparse", "qcow2", "vdi") else "vmdk"}
    with images_world(tmp_path, version, wishes({WIN: {}}, str(repository), kept=kept)) as there:
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, WIN) == digest
        assert there.host.files.exists(f"{DISK}/{WIN}/{WIN}.vmx.reference")
        assert clean(there)
        assert there.run().status is Status.IN_SYNC


@pytest.mark.parametrize("form", ["thin", "zeroedthick", "eagerzeroedthick"])
@pytest.mark.parametrize("where", ["mounted", "here"])
def test_in_the_form_that_the_spec_wants(form: str, where: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    put_here(repository, WIN)
    spec = wishes(
        {WIN: {"verify": "full"}}, REPOSITORY if where == "mounted" else str(repository), format=form
    )
    with images_world(tmp_path, "6.0", spec) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        before = there.host.space("datastore1")[1]
        report = there.run()
        assert report.status is Status.CONVERGED
        taken = before - there.host.space("datastore1")[1]
        assert taken >= SIZE if form != "thin" else taken < SIZE // 4


@pytest.mark.parametrize(
    ("version", "where", "form"),
    [
        ("5.5", "mounted", "2gbsparse"),
        ("5.5", "mounted", "thin"),
        ("6.7", "mounted", "2gbsparse"),
        ("6.7", "here", "2gbsparse"),
    ],
)
def test_the_strong_proof_is_made_and_named(version: str, where: str, form: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    kept = {"format": "2gbsparse" if form == "2gbsparse" else "vmdk"}
    spec = wishes({WIN: {"verify": "full"}}, REPOSITORY if where == "mounted" else str(repository), kept=kept)
    with images_world(tmp_path, version, spec) as there:
        if where == "here":
            put_here(repository, WIN)
        else:
            put_on(there, REPOSITORY, WIN, form)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert "proved: a checksum of all that a guest sees" in report.steps[0].actions[-1].title
        assert clean(there)


def test_a_clone_that_is_not_what_its_source_is_does_not_get_its_name(tmp_path: Path) -> None:
    with images_world(tmp_path, "5.5", wishes({WIN: {"verify": "full"}})) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse")
        spoiled: list[str] = []

        class Spoiling(list):  # type: ignore[type-arg]
            def append(self, event: object) -> None:
                super().append(event)
                if isinstance(event, Carrying) and "the proof" in event.what and not spoiled:
                    jobs = [it for it in there.host.files.names(DISK) if it.startswith(".reconciler-")]
                    (job,) = [it for it in jobs if it != ".reconciler-lock"]
                    spoiled.append(job)
                    there.host.files.write(f"{DISK}/{job}/disk/{WIN}-flat.vmdk", b"spoiled")

        there.events = Spoiling()
        report = there.run()
        assert spoiled
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert "a checksum of all that a guest sees is another" in report.fault.message
        assert not there.host.files.exists(f"{DISK}/{WIN}")
        assert clean(there)


@pytest.mark.parametrize("form", ["qcow2", "vdi", "monolithicSparse", "streamOptimized"])
@pytest.mark.parametrize("version", ["5.5", "8.0"])
def test_forms_that_no_vmkfstools_reads_go_by_way_of_this_machine(
    version: str, form: str, tmp_path: Path
) -> None:
    digest = put_here(tmp_path / "made", WIN, form)
    kept = {"format": form if form in ("qcow2", "vdi") else "vmdk"}
    with images_world(tmp_path, version, wishes({WIN: {}}, kept=kept)) as there:
        there.host.files.put_files(f"{REPOSITORY}/{WIN}", tmp_path / "made" / WIN, 0o644)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, WIN) == digest
        assert clean(there)
        assert not list((tmp_path / "state" / "spool").iterdir())


def test_a_virtual_disk_path_below_a_datastore_is_made(tmp_path: Path) -> None:
    spec = wishes({WIN: {}}) | {"virtualDisk": {"path": "[datastore1] vcl/masters"}}
    with images_world(tmp_path, "6.7", spec) as there:
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse")
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN, f"{DISK}/vcl/masters") == digest


def test_an_image_that_is_nowhere_is_held_and_says_why(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: {}}, None)) as there:
        report = there.run()
        assert report.status is Status.HELD
        assert why(report, f"image/{WIN}").startswith(
            "it is not on [datastore1], and the spec names no repository"
        )
    with images_world(tmp_path, "6.7", wishes({WIN: {}})) as there:
        report = there.run()
        assert "neither on [datastore1] nor in [repository]" in why(report, f"image/{WIN}")


def test_an_image_under_the_name_to_which_vcenter_cuts_it_is_there(tmp_path: Path) -> None:
    long = "vmwarewinxp-verylongprettyname1234-v10"
    with images_world(tmp_path, "6.7", wishes({long: {}, LINUX: {}})) as there:
        put_on(there, DISK, "vmwarewinxp-verylongp1234-v10")
        put_on(there, DISK, LINUX)
        assert there.run().status is Status.IN_SYNC


def test_hostile_names_are_data(tmp_path: Path) -> None:
    name = "it's $(touch x); `y` & [z] (1)"
    with images_world(tmp_path, "6.0", wishes({name: {}})) as there:
        digest = put_on(there, REPOSITORY, name, "2gbsparse")
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, name) == digest
    repository = tmp_path / "re po's"
    digest = put_here(repository, name)
    with images_world(tmp_path, "4.1", wishes({name: {}}, str(repository))) as there:
        assert there.run().status is Status.CONVERGED
        assert arrived(there, name) == digest
