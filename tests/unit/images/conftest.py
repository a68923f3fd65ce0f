"""Fixtures of the tests of the lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.images.locks import Time, Volume


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    folder = tmp_path / "it's a [volume] *"
    folder.mkdir()
    return Volume(folder, Time())
