"""Copies that are cut: the next run goes on with what had not arrived, and the disk ends whole."""

from __future__ import annotations

import random
import subprocess
import threading
from pathlib import Path

import pytest

from reconciler.events import Carrying
from reconciler.report import Status
from tests.live.images.setup import (
    DISK,
    MIB,
    REPOSITORY,
    WIN,
    arrived,
    clean,
    content,
    images_world,
    put_here,
    put_on,
    raw_digest,
    seen_by_guest,
    wishes,
)
from tests.live.passes.world import World

BIG = content(data=30 * MIB)


def sent(there: World) -> int:
    return sum(event.passed for event in there.events if isinstance(event, Carrying))


@pytest.mark.parametrize("version", ["4.1", "8.0"])
@pytest.mark.parametrize("after", [1, 100_000, 9 * MIB, 17 * MIB + 12_345, 30 * MIB])
def test_a_stream_that_is_cut_sends_only_what_had_not_arrived(
    version: str, after: int, tmp_path: Path
) -> None:
    repository = tmp_path / "repo"
    digest = put_here(repository, WIN, pieces=BIG)
    with images_world(tmp_path, version, wishes({WIN: {}}, str(repository))) as there:
        there.look()
        there.host.fault("cut-after-bytes", count=after + 60_000)
        assert there.run().status is Status.UNREACHABLE
        assert not there.host.files.exists(f"{DISK}/{WIN}")
        before = sent(there)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None), report
        assert arrived(there, WIN) == digest
        assert clean(there)
        again = sent(there) - before
        # two parts of 8 MiB may have been on their way
        assert again <= 31 * MIB - max(0, after - 17 * MIB)


def test_what_had_arrived_is_compared_before_it_counts(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    digest = put_here(repository, WIN, pieces=BIG)
    with images_world(tmp_path, "6.7", wishes({WIN: {}}, str(repository))) as there:
        there.look()
        there.host.fault("cut-after-bytes", count=20 * MIB)
        there.run()
        (job,) = [
            it for it in there.host.files.names(DISK) if it.startswith(".reconciler-") and "lock" not in it
        ]
        journal = there.host.files.read(f"{DISK}/{job}/journal")
        assert journal
        # a power loss may keep the note and lose what it speaks of; a torn line is no note
        there.host.files.put_disk(f"{DISK}/{job}/disk/{WIN}.vmdk", 64 * MIB + 512 * 7, {})
        there.host.files.write(f"{DISK}/{job}/journal", journal + b"3 0123")
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == digest


def test_what_had_been_fetched_is_compared_and_zeros_are_written_over_it(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    repository.mkdir()
    pieces = {0: b"begin " * 10_000, 40 * MIB: random.Random(2).randbytes(5 * MIB)}
    spec = wishes({WIN: {"in": ["datastore", "repository"]}}, str(repository))
    with images_world(tmp_path, "6.7", spec) as there:
        put_on(there, DISK, WIN, "thin", pieces)
        there.look()
        there.host.fault("cut-after-bytes", count=2 * MIB)
        assert there.run().status is Status.UNREACHABLE
        (job,) = [it for it in repository.iterdir() if it.name != ".reconciler-lock"]
        assert (job / "journal").read_text()
        # what a power loss left of another file
        disk = job / "disk" / f"{WIN}.vmdk"
        subprocess.run(["qemu-io", "-f", "vmdk", "-c", "write -q -P 0x5a 20M 64k", str(disk)], check=True)
        assert there.run().status is Status.CONVERGED
        assert seen_by_guest(repository / WIN / f"{WIN}.vmdk") == raw_digest(pieces)


def test_a_source_that_has_changed_begins_anew(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    put_here(repository, WIN, pieces=BIG)
    with images_world(tmp_path, "6.7", wishes({WIN: {}}, str(repository))) as there:
        there.look()
        there.host.fault("cut-after-bytes", count=20 * MIB)
        there.run()
        (repository / WIN).rename(repository / "old")
        digest = put_here(repository, WIN, pieces=content(seed=2, data=20 * MIB))
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == digest


def test_ctrl_c_cuts_a_transfer_and_the_next_run_goes_on(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    digest = put_here(repository, WIN, pieces=BIG)
    with images_world(tmp_path, "6.7", wishes({WIN: {}}, str(repository))) as there:
        stop = threading.Event()

        class Stopping(list):  # type: ignore[type-arg]
            def append(self, event: object) -> None:
                super().append(event)
                if isinstance(event, Carrying) and event.done:
                    stop.set()

        there.events = Stopping()
        report = there.run(stop=stop)
        assert report.fault is None
        assert [step.outcome for step in report.steps] == ["skipped"]
        assert not there.host.files.exists(f"{DISK}/{WIN}")
        first = sent(there)
        assert 0 < first < 31 * MIB
        there.events = []
        assert there.run().status is Status.CONVERGED
        assert sent(there) < 31 * MIB
        assert arrived(there, WIN) == digest


@pytest.mark.parametrize("version", ["4.1", "5.5"])
def test_a_clone_goes_on_when_the_link_is_cut_and_is_waited_for(version: str, tmp_path: Path) -> None:
    with images_world(tmp_path, version, wishes({WIN: {}})) as there:
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse", BIG)
        there.host.set_clone_rate(8 * MIB)
        there.look()

        class Cutting(list):  # type: ignore[type-arg]
            def append(self, event: object) -> None:
                super().append(event)
                if isinstance(event, Carrying):
                    there.host.fault("cut-now")

        there.events = Cutting()
        assert there.run().status is Status.UNREACHABLE
        assert len(there.host.running) == 1
        there.events = []
        assert there.run().status is Status.CONVERGED
        clones = [it.argv for it in there.host.executed if it.argv[:2] == ("vmkfstools", "-i")]
        assert len(clones) == 1
        assert arrived(there, WIN) == digest
        assert clean(there)


def test_a_clone_that_died_with_its_host_is_begun_anew(tmp_path: Path) -> None:
    with images_world(tmp_path, "5.5", wishes({WIN: {}})) as there:
        digest = put_on(there, REPOSITORY, WIN, "2gbsparse", BIG)
        there.host.set_clone_rate(8 * MIB)

        class Power(list):  # type: ignore[type-arg]
            def append(self, event: object) -> None:
                super().append(event)
                if isinstance(event, Carrying) and event.done:
                    there.host.reboot(power_loss=True)

        there.events = Power()
        assert there.run().status is Status.UNREACHABLE
        assert there.host.running == {}
        there.events = []
        there.host.set_clone_rate(None)
        assert there.run().status is Status.CONVERGED
        assert arrived(there, WIN) == digest
        assert clean(there)
