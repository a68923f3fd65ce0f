"""Sources that change: what arrives is one disk or the other, never something of both, and never an old one."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.disks.descriptors import parse, with_adapter
from reconciler.events import Carrying
from reconciler.report import HostReport, Outcome, Status
from tests.live.images.setup import (
    DISK,
    MIB,
    REPOSITORY,
    SIZE,
    WIN,
    aged,
    arrived,
    clean,
    images_world,
    put_here,
    put_on,
    raw_digest,
    seen_by_guest,
    wishes,
)
from tests.live.passes.world import World

BOTH = {"in": ["datastore", "repository"]}
OLD, NEW = ({0: random.Random(seed).randbytes(30 * MIB)} for seed in (1, 2))


def run_and_meanwhile(there: World, act: Callable[[], object]) -> HostReport:
    """A run in which something happens once, when the copy has begun."""
    done: list[bool] = []

    class Watching(list):  # type: ignore[type-arg]
        def append(self, event: object) -> None:
            super().append(event)
            if isinstance(event, Carrying) and not done:
                done.append(True)
                act()

    there.events = Watching()
    report = there.run()
    assert done
    return report


def test_a_source_here_that_changes_while_it_is_sent_is_not_put_in_place(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    put_here(repository, WIN, "monolithicFlat", OLD)
    flat = repository / WIN / f"{WIN}-flat.vmdk"

    def capture_anew() -> None:
        with flat.open("r+b") as stream:
            stream.write(NEW[0])

    with images_world(tmp_path, "6.7", wishes({WIN: {}}, str(repository), kept={"format": "vmdk"})) as there:
        report = run_and_meanwhile(there, capture_anew)
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert "the source has changed while it was copied" in report.fault.message
        assert not there.host.files.exists(f"{DISK}/{WIN}")
        assert clean(there)
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == raw_digest(NEW)


def test_a_source_on_the_host_that_changes_while_it_is_cloned_is_not_put_in_place(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.0", wishes({WIN: {}})) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse", OLD)
        there.host.set_clone_rate(30 * MIB)
        report = run_and_meanwhile(there, lambda: put_on(there, REPOSITORY, WIN, "2gbsparse", NEW))
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert "the source has changed while it was copied" in report.fault.message
        assert not there.host.files.exists(f"{DISK}/{WIN}")
        assert clean(there)
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == raw_digest(NEW)


@pytest.mark.parametrize("version", ["4.1", "6.0"])
def test_a_clone_of_what_the_source_was_before_is_not_gone_on_with(version: str, tmp_path: Path) -> None:
    with images_world(tmp_path, version, wishes({WIN: {}})) as there:
        put_on(there, REPOSITORY, WIN, "2gbsparse", OLD)
        there.host.set_clone_rate(8 * MIB)
        assert run_and_meanwhile(there, lambda: there.host.fault("cut-now")).status is Status.UNREACHABLE
        assert len(there.host.running) == 1
        put_on(there, REPOSITORY, WIN, "2gbsparse", NEW)
        there.host.set_clone_rate(None)
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == raw_digest(NEW)
        assert clean(there)


def test_what_was_made_here_of_an_older_disk_is_not_captured(tmp_path: Path) -> None:
    with images_world(tmp_path, "6.7", wishes({WIN: BOTH}, kept={"format": "qcow2"})) as there:
        put_on(there, DISK, WIN, "thin", OLD)
        there.look()
        # all of it is here, and not all of it there
        there.host.fault("cut-after-bytes", count=40 * MIB)
        assert there.run().status is Status.UNREACHABLE
        assert list((tmp_path / "state" / "spool").glob("*/made"))
        put_on(there, DISK, WIN, "thin", NEW)
        assert there.run().status is Status.CONVERGED
        copy = tmp_path / "copy.qcow2"
        copy.write_bytes(there.host.files.read(f"{REPOSITORY}/{WIN}/{WIN}.qcow2") or b"")
        assert seen_by_guest(copy) == raw_digest(NEW)


@pytest.mark.parametrize("changed", [False, True])
def test_a_capture_that_was_killed_before_it_was_in_the_repository_goes_on(
    changed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise OSError(errno.EIO, "killed")

    repository = tmp_path / "repo"
    repository.mkdir()
    with images_world(
        tmp_path, "6.0", wishes({WIN: BOTH}, str(repository), kept={"format": "qcow2"})
    ) as there:
        put_on(there, DISK, WIN, "2gbsparse", OLD)
        with monkeypatch.context() as patch:
            patch.setattr("reconciler.actuators.ssh.images.relay.shutil.copytree", killed)
            assert there.run().status is Status.FAILED
        if changed:
            put_on(there, DISK, WIN, "2gbsparse", NEW)
        # the master is in a form that ESXi can't run; it is replaced when its copy is no longer fresh
        report = there.run()
        assert (report.status, report.fault) == (Status.HELD, None), report
        assert [step.outcome for step in report.steps] == [Outcome.DONE]
        wanted = NEW if changed else OLD
        assert seen_by_guest(repository / WIN / f"{WIN}.qcow2") == raw_digest(wanted)
        for file in (repository / WIN).iterdir():
            os.utime(file, (file.stat().st_mtime - 3600, file.stat().st_mtime - 3600))
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == raw_digest(wanted)


@pytest.mark.parametrize("where", ["here", "mounted", "proof"])
def test_a_capture_reads_the_extent_that_the_descriptor_names(where: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    repository.mkdir()
    form = "2gbsparse" if where == "proof" else "qcow2"
    wish = BOTH | {"verify": "full" if where == "proof" else "auto"}
    place = str(repository) if where == "here" else REPOSITORY
    with images_world(tmp_path, "6.0", wishes({WIN: wish}, place, kept={"format": form})) as there:
        # an older disk left its data under the name that is usual
        put_on(there, DISK, WIN, "thin", OLD)
        files = there.host.files
        files.put_disk(f"{DISK}/x/other.vmdk", SIZE, NEW, "thin", 0o644)
        files.rename(f"{DISK}/x/other-flat.vmdk", f"{DISK}/{WIN}/other-flat.vmdk")
        files.write(f"{DISK}/{WIN}/{WIN}.vmdk", files.read(f"{DISK}/x/other.vmdk") or b"", 0o644)
        aged(there, f"{DISK}/{WIN}")
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        copy = repository / WIN / f"{WIN}.qcow2"
        if where == "mounted":
            copy = tmp_path / "copy.qcow2"
            copy.write_bytes(files.read(f"{REPOSITORY}/{WIN}/{WIN}.qcow2") or b"")
        seen = arrived(there, WIN, REPOSITORY) if where == "proof" else seen_by_guest(copy)
        assert seen == raw_digest(NEW)


@pytest.mark.parametrize("version", ["4.1", "6.7"])
def test_a_sent_disk_keeps_the_adapter_that_vcl_reads(version: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    put_here(repository, WIN)
    descriptor = repository / WIN / f"{WIN}.vmdk"
    text = descriptor.read_bytes().partition(b"\0")[0]
    assert b"ddb.adapterType" in text
    descriptor.write_bytes(with_adapter(text, "buslogic"))
    with images_world(tmp_path, version, wishes({WIN: {}}, str(repository))) as there:
        assert there.run().status is Status.CONVERGED
        made = there.host.files.read(f"{DISK}/{WIN}/{WIN}.vmdk") or b""
        assert parse(made).adapter == "buslogic"
        assert there.run().status is Status.IN_SYNC


@pytest.mark.parametrize("form", ["2gbsparse", "vmdk"])
def test_a_captured_disk_keeps_the_adapter_that_vcl_reads(form: str, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    repository.mkdir()
    spec = wishes({WIN: {"in": ["datastore", "repository"]}}, str(repository), kept={"format": form})
    with images_world(tmp_path, "6.7", spec) as there:
        put_on(there, DISK, WIN)
        path = f"{DISK}/{WIN}/{WIN}.vmdk"
        there.host.files.write(path, with_adapter(there.host.files.read(path) or b"", "buslogic"), 0o644)
        aged(there, f"{DISK}/{WIN}")
        assert there.run().status is Status.CONVERGED
        assert parse((repository / WIN / f"{WIN}.vmdk").read_bytes()).adapter == "buslogic"
