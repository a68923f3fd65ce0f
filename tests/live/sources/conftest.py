"""Repositories to follow, whatever git is told by the user who runs the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.sources.repository import WHO, Repository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty one."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Repository(tmp_path / "repository")
