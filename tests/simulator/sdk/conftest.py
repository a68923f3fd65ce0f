"""Hosts that answer the SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.simulator import RELEASES, Farm, HostHandle, HostModel, Machine, Storage
from reconciler.simulator.model import Disk
from tests.simulator.sdk import client


@pytest.fixture(autouse=True)
def _links() -> Iterator[None]:
    yield
    client.hang_up()


@pytest.fixture(scope="session")
def every() -> Iterator[Farm]:
    """A host of each version, for looking only."""
    with Farm.start([HostModel(name=f"v{it}", version=it, sdk=True) for it in RELEASES]) as running:
        yield running


@pytest.fixture
def farm() -> Iterator[Farm]:
    """A host with a machine that stands on a snapshot, one with the free licence, an NFS server."""
    disk = Disk(("[datastore1] img/img.vmdk", "[datastore1] vm/vm-000001.vmdk"))
    machine = Machine(1, "guest", "datastore1", "vm/vm.vmx", disks=(disk,), snapshots=("first",))
    models = [
        HostModel(name="esx", sdk=True, machines=(machine,), mount_delay=0.0),
        HostModel(name="free", sdk=True, free_licence=True),
    ]
    with Farm.start(models, Storage({"filer": ("/a", "/b")})) as running:
        yield running


@pytest.fixture
def esx(farm: Farm) -> HostHandle:
    return farm.host("esx")
