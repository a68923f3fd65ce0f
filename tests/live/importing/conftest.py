"""One MariaDB for all tests here, each of which begins without known secrets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler import secrets
from tests.live.importing.mariadb import MariaDb, serving


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A server; its folder has a short name, since the path of a socket must be one."""
    with tempfile.TemporaryDirectory(prefix="mdb-") as folder, serving(Path(folder)) as server:
        yield server


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_VAULT", secrets._Vault())
