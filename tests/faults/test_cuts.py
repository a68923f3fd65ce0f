"""Rows of troubles, one after the other, on any version: one undisturbed pass heals them all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.faults.conftest import Moments, Tally
from tests.faults.healing import drifted, heals, let_in_again
from tests.live.passes.world import VERSIONS

TROUBLES = ("cut-before", "cut-after", "power-loss")
Trouble = tuple[str, int]


@settings(
    # real SSH costs more than a pure function: an eighth of the profile's examples
    max_examples=settings().max_examples // 8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    st.sampled_from(VERSIONS),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(TROUBLES), st.integers(1, 22)), min_size=1, max_size=4),
)
@example("4.1", False, [("power-loss", 14), ("cut-before", 3), ("cut-after", 7)])
@example("6.7", True, [("cut-after", 9), ("power-loss", 12)])
def test_any_row_of_troubles_heals(version: str, exclusive: bool, troubles: list[Trouble]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        drifted(Path(folder), version, exclusive=exclusive) as there,
    ):
        for name, count in troubles:
            there.host.clear_faults()
            there.host.fault(name, count=count)
            there.run()
            let_in_again(there)
        heals(there, exclusive=exclusive, once=all(name != "power-loss" for name, _ in troubles))


def test_each_single_cut_heals(tmp_path: Path, moments: Moments, tally: Tally) -> None:
    counts = moments.of(tmp_path / "undisturbed")
    for fault in TROUBLES:
        for count in counts:
            tally("cuts and power losses")
            with drifted(
                tmp_path / f"{fault}-{count}", moments.version, exclusive=moments.exclusive
            ) as there:
                there.host.fault(fault, count=count)
                there.run()
                let_in_again(there)
                heals(there, exclusive=moments.exclusive, once=fault != "power-loss")
