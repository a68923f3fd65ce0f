"""Whatever happens to specs, hosts and the loop: once it is over every enforced host is as the last valid spec says,
and one that is only observed or paused was never written to."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.live.loop.running import Lab, Loop, group, lab

FAULTS = ("refuse", "cut-before", "cut-after", "cut-now", "hang", "hostd-down", "garbage")
ENFORCED, WATCHED = ("h1", "h2"), "h3"

HAPPENING = st.one_of(
    st.tuples(st.just("wish"), st.sampled_from(ENFORCED), st.integers(1, 99)),
    st.tuples(st.just("watch"), st.sampled_from(["observe", "paused"]), st.integers(1, 99)),
    st.tuples(st.just("break"), st.sampled_from(["h1.yaml", "more.yaml"]), st.just(0)),
    st.tuples(st.just("edit"), st.sampled_from(ENFORCED), st.integers(100, 199)),
    st.tuples(st.just("fault"), st.sampled_from(ENFORCED), st.sampled_from(FAULTS)),
    st.tuples(st.just("over"), st.sampled_from(ENFORCED), st.just(0)),
    st.tuples(st.just("restart"), st.sampled_from(["kill", "stop"]), st.just(0)),
    st.tuples(st.just("rest"), st.just(""), st.integers(1, 10)),
)


@pytest.mark.hypothesis
@given(st.lists(HAPPENING, min_size=1, max_size=8))
@example(
    [
        ("wish", "h1", 20),
        ("fault", "h1", "cut-after"),
        ("break", "h1.yaml", 0),
        ("restart", "kill", 0),
        ("edit", "h2", 150),
        ("watch", "paused", 5),
    ]
)
@settings(max_examples=3 if settings().max_examples < 1000 else 100)
def test_once_it_is_over_every_enforced_host_is_as_the_last_valid_spec_says(happenings: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder), ["4.1", "6.7", "8.0"]) as there:
        days = Days(there)
        with days.running():
            for happening in happenings:
                days.live(*happening)
            days.end()
        assert there.changes(WATCHED) == []


class Days:
    """What happens to hosts, specs and the loop."""

    def __init__(self, there: Lab) -> None:
        self.there = there
        for name in ENFORCED:
            there.wish(name, **group(vlan=10))
        there.wish(WATCHED, **group(mode="observe"))
        self.loop = self._loop()

    def _loop(self) -> Loop:
        return Loop(self.there, "--max-failures", "0", "--interval", "1s")

    @contextmanager
    def running(self) -> Iterator[None]:
        self.loop.start()
        try:
            yield
        finally:
            self.loop.kill()

    def live(self, what: str, name: str, more: Any) -> None:
        host = self.there.host(name) if name in ENFORCED else None
        match what:
            case "wish":
                self.there.wish(name, **group(vlan=more))
            case "watch":
                self.there.wish(WATCHED, **group(vlan=more, mode=name))
            case "break":
                self.there.save(name, "kind: Host\nspec: [")
            case "edit" if host is not None and self.there.vlan(name) is not None:
                host.remove_port_group("Lab")
                host.add_port_group("Lab", vlan=more)
            case "fault" if host is not None:
                host.fault(more)
            case "over" if host is not None:
                host.clear_faults()
            case "restart":
                self.loop.kill() if name == "kill" else self.loop.stop()
                self.loop = self._loop().start()
            case "rest":
                threading.Event().wait(more / 10)

    def end(self) -> None:
        """Faults end, and specs are put right as they were wished last."""
        for name in ENFORCED:
            self.there.host(name).clear_faults()
        (self.there.where / "more.yaml").unlink(missing_ok=True)
        for name, spec in dict(self.there.specs).items():
            self.there.wish(name, **spec)
        wanted = {name: self.there.specs[name]["portGroups"]["Lab"]["vlan"] for name in ENFORCED}
        self.loop.until(
            lambda: {name: self.there.vlan(name) for name in ENFORCED} == wanted, f"the hosts are as {wanted}"
        )
