"""Each test begins without known secrets."""

from __future__ import annotations

import pytest

from reconciler import secrets


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_VAULT", secrets._Vault())
