"""Chunks take turns on the link: one at a time, and none any more when one is in trouble."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.actuators.ssh.images import deliver
from reconciler.actuators.ssh.images.deliver import Turns
from reconciler.actuators.ssh.images.loads import Load
from reconciler.actuators.ssh.images.runner import Stumbled
from reconciler.disks.chunks import BLOCK, Chunk, Run


def load(number: int) -> Load:
    return Load(Chunk(number, (Run(0, BLOCK),)), memoryview(b""), "")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits says so at once."""
    monkeypatch.setattr(deliver, "WAITING_SECONDS", 0.01)


def test_one_has_the_link_until_it_leaves() -> None:
    turns, first, second = Turns(), load(1), load(2)
    assert turns.take(first)
    assert turns.take(first)
    assert not turns.take(second)
    turns.leave(second)
    assert not turns.take(second)
    turns.leave(first)
    assert turns.take(second)
    assert not turns.take(first)


def test_who_waits_is_told_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "WAITING_SECONDS", 30.0)
    turns, first, second = Turns(), load(1), load(2)
    assert turns.take(first)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(turns.take, second)
        turns.end()
        with pytest.raises(Stumbled, match="another part"):
            waiting.result(10)
    with pytest.raises(Stumbled, match="another part"):
        turns.take(first)
