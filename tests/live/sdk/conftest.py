"""A fresh host and a fresh vCenter of govmomi's simulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.sdk import client
from tests.live.sdk.govmomi import Govmomi


@pytest.fixture(autouse=True)
def _links() -> Iterator[None]:
    yield
    client.hang_up()


@pytest.fixture
def esx() -> Iterator[Govmomi]:
    with Govmomi() as it:
        yield it


@pytest.fixture
def vcenter() -> Iterator[Govmomi]:
    with Govmomi(vpx=True) as it:
        yield it
