"""Sources that change: what arrives is one disk or the other, never something of both, and never an old one."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from reconciler.events import Carrying
from reconciler.report import HostReport, Status
from tests.live.images.setup import DISK, MIB, WIN, arrived, clean, images_world, put_here, raw_digest, wishes
from tests.live.passes.world import World

OLD, NEW = ({0: random.Random(seed).randbytes(30 * MIB)} for seed in (1, 2))


def run_and_meanwhile(there: World, act: Callable[[], object]) -> HostReport:
    """A run in which something happens once, when the first bytes have passed."""
    done: list[bool] = []

    class Watching(list):  # type: ignore[type-arg]
        def append(self, event: object) -> None:
            super().append(event)
            if isinstance(event, Carrying) and event.passed and not done:
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
