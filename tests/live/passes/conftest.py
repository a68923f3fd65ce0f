"""Fixtures of the tests of whole passes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.passes.hooks import Hooks
from tests.live.passes.world import WAY


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Hooks:
    return Hooks(monkeypatch)


@pytest.fixture(params=["ssh", "sdk", "both"])
def every_way(request: pytest.FixtureRequest) -> Iterator[str]:
    """The worlds of the test are reached over each way in turn."""
    token = WAY.set(request.param)
    yield request.param
    WAY.reset(token)
