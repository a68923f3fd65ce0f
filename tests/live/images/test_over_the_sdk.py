"""Master images where only the SDK is to be had: seen, copied on the host, and held where a shell is needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.kinds.model import Risk
from reconciler.report import Outcome, Status
from reconciler.simulator.model import Disk, Machine
from tests.live.images.setup import (
    DISK,
    LINUX,
    REPOSITORY,
    WIN,
    aged,
    arrived,
    clean,
    images_world,
    put_here,
    put_on,
    why,
    wishes,
)
from tests.live.passes.world import World

ONLY = {"access": {"prefer": "sdk"}}


@contextmanager
def over_sdk(folder: Path, version: str, images: dict[str, Any], **more: Any) -> Iterator[World]:
    """A host that is reached over the SDK alone."""
    model = {key: more.pop(key) for key in ("clone_rate",) if key in more}
    repository = more.pop("repository", REPOSITORY)
    spec = wishes(images, repository, **more) | ONLY
    with images_world(folder, version, spec, sdk=True, **model) as there:
        yield there


@pytest.mark.parametrize("version", ["4.1", "5.5", "6.0", "6.7", "8.0"])
def test_an_image_is_copied_on_the_host_and_then_seen(tmp_path: Path, version: str) -> None:
    with over_sdk(tmp_path, version, {WIN: {}}) as there:
        digest = put_on(there, REPOSITORY, WIN, "thin")
        aged(there, f"{REPOSITORY}/{WIN}")
        before = there.look()
        (step,) = before.steps
        assert "CopyVirtualDisk" in " ".join(line for action in step.actions for line in action.commands)
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None)
        assert report.transport == "sdk"
        assert arrived(there, WIN) == digest
        assert clean(there)
        assert there.look().status is Status.IN_SYNC
        assert there.host.execs == 0


def test_an_image_that_is_there_in_another_form_and_one_that_is_in_use_are_seen(tmp_path: Path) -> None:
    disk = Disk((f"[datastore1] {LINUX}/{LINUX}.vmdk",))
    machine = Machine(1, "guest", "datastore1", "guest/guest.vmx", disks=(disk,))
    with over_sdk(tmp_path, "6.7", {WIN: {}, LINUX: "absent"}) as there:
        put_on(there, DISK, WIN, "zeroedthick")
        put_on(there, DISK, LINUX, "thin")
        put_on(there, REPOSITORY, LINUX, "thin")
        aged(there, f"{DISK}/{LINUX}")
        aged(there, f"{REPOSITORY}/{LINUX}")
        there.host.register_vm(machine)
        report = there.run(allow=Risk.DATA)
        assert f"image/{WIN}" in report.in_sync
        assert "guest" in why(report, f"image/{LINUX}")
        there.host.unregister_vm(1)
        there.host.files.remove(f"{DISK}/guest/guest.vmx")
        assert "only SSH" in why(there.run(allow=Risk.DATA), f"image/{LINUX}")
        assert arrived(there, LINUX)


def test_what_travels_needs_ssh_and_is_held_without(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    put_here(here, WIN)
    with over_sdk(tmp_path, "6.7", {WIN: {}}, repository=str(here)) as there:
        report = there.run()
        assert report.status is Status.HELD
        assert "streams need SSH" in why(report, f"image/{WIN}")


@pytest.mark.parametrize("count", [4, 5, 6, 8])
def test_a_cut_in_a_copy_leaves_nothing_that_counts_and_the_next_pass_does_it(
    tmp_path: Path, count: int
) -> None:
    with over_sdk(tmp_path, "6.7", {WIN: {}}) as there:
        digest = put_on(there, REPOSITORY, WIN, "thin")
        aged(there, f"{REPOSITORY}/{WIN}")
        there.host.fault("cut-after", count=count)
        there.run()
        there.host.clear_faults()
        report = there.run()
        assert report.status in (Status.CONVERGED, Status.IN_SYNC), why(report, f"image/{WIN}")
        assert arrived(there, WIN) == digest
        assert there.look().status is Status.IN_SYNC


def test_ctrl_c_ends_a_copy_and_leaves_nothing(tmp_path: Path) -> None:
    with over_sdk(tmp_path, "6.7", {WIN: {}}, clone_rate=200_000.0) as there:
        put_on(there, REPOSITORY, WIN, "thin")
        aged(there, f"{REPOSITORY}/{WIN}")
        stop = threading.Event()

        def heard(event: Any) -> None:
            if type(event).__name__ == "Carrying":
                stop.set()

        there.events = _Heard(heard)
        report = there.run(stop=stop)
        assert [step.outcome for step in report.steps] == [Outcome.SKIPPED]
        assert clean(there)


class _Heard(list[Any]):
    """A list of events that somebody listens to."""

    def __init__(self, heard: Any) -> None:
        super().__init__()
        self._heard = heard

    def append(self, event: Any) -> None:
        self._heard(event)
