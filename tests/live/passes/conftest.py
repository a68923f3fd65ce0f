"""Fixtures of the tests of whole passes."""

from __future__ import annotations

import pytest

from tests.live.passes.hooks import Hooks


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Hooks:
    return Hooks(monkeypatch)
