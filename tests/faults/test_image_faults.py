"""Copies, captures and evictions broken off at any command: cut links, lost power, SIGKILL, a full disk."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from reconciler.report import Status
from tests.faults.conftest import Tally
from tests.faults.healing import program
from tests.faults.images import WAYS, commands_of, image_case
from tests.faults.program import at_command

VERSIONS = {
    "clone": "5.5",
    "stream": "4.1",
    "capture": "6.0",
    "fetch": "8.0",
    "evict": "5.5",
    "absent": "6.7",
}
SHORT, LONG = 11, 1


def every(request: pytest.FixtureRequest) -> int:
    """Each so many commands are struck at: all of them in the long form."""
    return LONG if request.config.getoption("--hypothesis-profile") == "soak" else SHORT


@pytest.mark.parametrize("way", WAYS)
def test_each_single_cut_heals(
    way: str, tmp_path: Path, tally: Tally, request: pytest.FixtureRequest
) -> None:
    version, step = VERSIONS[way], every(request)
    total = commands_of(tmp_path / "undisturbed", version, way)
    for first, fault in ((2, "cut-before"), (5, "cut-after")):
        for count in range(first, total + 1, step):
            tally("cut image steps")
            with image_case(tmp_path / f"{fault}-{count}", version, way) as case:
                case.there.host.fault(fault, count=count)
                case.there.run()
                case.heals()


@pytest.mark.parametrize("way", ["stream", "fetch"])
def test_a_stream_that_is_cut_at_any_byte_heals(
    way: str, tmp_path: Path, tally: Tally, request: pytest.FixtureRequest
) -> None:
    long = request.config.getoption("--hypothesis-profile") == "soak"
    for count in range(40_000, 6 << 20, 100_003 if long else 1_500_007):
        tally("cuts at a byte")
        with image_case(tmp_path / str(count), VERSIONS[way], way) as case:
            case.there.host.fault("cut-after-bytes", count=count)
            case.there.run()
            case.heals()


@pytest.mark.parametrize("way", ["stream", "evict", "fetch"])
def test_a_power_loss_heals(way: str, tmp_path: Path, tally: Tally, request: pytest.FixtureRequest) -> None:
    version, step = "6.7", every(request)
    total = commands_of(tmp_path / "undisturbed", version, way)
    for count in range(4, total + 1, step * 2):
        tally("power losses in image steps")
        with image_case(tmp_path / str(count), version, way) as case:
            case.there.host.fault("power-loss", count=count)
            case.there.run()
            case.heals()


@pytest.mark.parametrize("way", WAYS)
def test_killed_after_any_command(
    way: str, tmp_path: Path, tally: Tally, request: pytest.FixtureRequest
) -> None:
    version, step = VERSIONS[way], every(request)
    total = commands_of(tmp_path / "undisturbed", version, way)
    for count in range(3, total + 1, step * 2):
        tally("kills in image steps")
        with image_case(tmp_path / str(count), version, way) as case:
            run = program(case.there, "--yes")
            at_command(case.there.host, count, run.kill)
            assert run.start().end().status == -signal.SIGKILL, count
            case.heals()


@pytest.mark.parametrize("way", ["clone", "stream"])
@pytest.mark.parametrize("version", ["4.1", "5.5"])
def test_a_disk_that_fills_up_at_any_moment(
    way: str, version: str, tmp_path: Path, tally: Tally, request: pytest.FixtureRequest
) -> None:
    """The copy's remains are removed, and with room again a fresh pass makes it."""
    long = request.config.getoption("--hypothesis-profile") == "soak"
    for room in range(0, 6 << 20, (1 << 18) if long else (3 << 19) + 4096):
        tally("full disks")
        with image_case(tmp_path / str(room), version, way) as case:
            there, free = case.there, case.there.host.space("datastore1")[1]

            class Filling(list):  # type: ignore[type-arg]
                def append(self, event: object, there=there, room=room) -> None:  # type: ignore[no-untyped-def]
                    super().append(event)
                    if type(event).__name__ == "StepBegan":
                        there.host.fill("datastore1", room)

            there.events = Filling()
            report = there.run()
            assert report.status is Status.FAILED, (room, report)
            assert there.host.files.names("/vmfs/volumes/datastore1") == [], room
            there.host.fill("datastore1", None)
            assert there.host.space("datastore1")[1] == free
            there.events = []
            case.heals()
