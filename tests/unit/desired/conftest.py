"""A way to write spec files and load them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.desired import DesiredHost, load

Desire = Callable[[str], DesiredHost]


@pytest.fixture
def desire(tmp_path: Path) -> Desire:
    """The first host of a spec file, named `specs.yaml` in the test's folder."""

    def write(text: str) -> DesiredHost:
        file = tmp_path / "specs.yaml"
        file.write_text(text)
        return load([file]).hosts[0]

    return write
