"""How much of each fault a run tries: a handful of moments, or with hypothesis' profile `soak` all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.healing import commands_of_a_pass
from tests.live.passes.world import VERSIONS


@dataclass(frozen=True)
class Moments:
    """The commands of a pass at which something happens: the `first` and each `every`th after it."""

    version: str
    exclusive: bool
    first: int
    every: int

    def of(self, folder: Path) -> range:
        """Their numbers, in a pass that nothing disturbs."""
        total = commands_of_a_pass(folder, self.version, exclusive=self.exclusive)
        return range(self.first, total + 1, self.every)

    def __str__(self) -> str:
        keys = "exclusive" if self.exclusive else "kept"
        return f"{self.version}-keys-{keys}-{self.first}-by-{self.every}"


SHORT = [Moments("4.1", False, 2, 8), Moments("6.7", True, 4, 8)]
LONG = [
    Moments(version, exclusive, first, 2)
    for version in VERSIONS
    for exclusive, first in ((False, 1), (True, 2))
]


Tally = Callable[[str], None]
"""Counts one strike of that kind; the run's last lines tell how many there were."""


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    return lambda what: record_property("struck", what)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = terminalreporter.getreports("passed")
    struck = Counter(what for it in passed for name, what in it.user_properties if name == "struck")
    if struck:
        told = ", ".join(f"{number} {what}" for what, number in sorted(struck.items(), key=str))
        terminalreporter.write_line(f"healed from: {told}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    long = metafunc.config.getoption("--hypothesis-profile") == "soak"
    if "moments" in metafunc.fixturenames:
        metafunc.parametrize("moments", LONG if long else SHORT, ids=str)
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(20 if long else 1))
