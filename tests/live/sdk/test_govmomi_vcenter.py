"""govmomi's simulator as a vCenter: hosts by name, address and UUID, pools and folders that are made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.sdk.client import Vim, content
from tests.live.sdk.govmomi import Govmomi

UUID = "564d1111-2222-3333-4444-555566667777"


def find(shown: Any, path: str) -> Any:
    return shown.searchIndex.FindByInventoryPath(inventoryPath=path)


def test_it_is_a_vcenter(vcenter: Govmomi) -> None:
    shown = content(vcenter)
    assert shown.about.apiType == "VirtualCenter"
    assert find(shown, "/DC0/host/DC0_C0/Resources").name == "Resources"


def test_hosts_have_names_addresses_and_hardware(vcenter: Govmomi) -> None:
    vcenter.control(host={"was": "DC0_C0_H1", "name": "esx1.example.org", "ip": "10.0.0.5", "uuid": UUID})
    cluster = find(content(vcenter), "/DC0/host/DC0_C0")
    host = next(it for it in cluster.host if it.name == "esx1.example.org")
    assert host.hardware.systemInfo.uuid == UUID
    assert host.config.network.vnic[0].spec.ip.ipAddress == "10.0.0.5"
    assert len({it.hardware.systemInfo.uuid for it in cluster.host}) == 3
    assert len({it.config.network.vnic[0].spec.ip.ipAddress for it in cluster.host}) > 1


def test_pools_and_folders_are_made(vcenter: Govmomi) -> None:
    shown = content(vcenter)
    root = find(shown, "/DC0/host/DC0_C0/Resources")
    share = Vim.SharesInfo(level="normal", shares=0)
    room = Vim.ResourceAllocationInfo(reservation=0, expandableReservation=True, limit=-1, shares=share)
    spec = Vim.ResourceConfigSpec(cpuAllocation=room, memoryAllocation=room)
    pool = root.CreateResourcePool(name="VCL", spec=spec)
    assert pool.parent == root
    assert find(shown, "/DC0/host/DC0_C0/Resources/VCL") == pool
    with pytest.raises(Vim.fault.DuplicateName):
        root.CreateResourcePool(name="VCL", spec=spec)
    folder = find(shown, "/DC0/vm").CreateFolder(name="VCL")
    assert find(shown, "/DC0/vm/VCL") == folder
    with pytest.raises(Vim.fault.DuplicateName):
        find(shown, "/DC0/vm").CreateFolder(name="VCL")


def test_hosts_have_their_own_services_and_port_groups(vcenter: Govmomi) -> None:
    first, second, *_ = find(content(vcenter), "/DC0/host/DC0_C0").host
    first.configManager.serviceSystem.StartService(id="TSM-SSH")

    def running(host: Any) -> bool:
        return next(bool(it.running) for it in host.config.service.service if it.key == "TSM-SSH")

    assert (running(first), running(second)) == (True, False)
    for host in (first, second):
        spec = Vim.host.PortGroup.Specification(
            name="Private", vswitchName="vSwitch0", vlanId=5, policy=Vim.host.NetworkPolicy()
        )
        host.configManager.networkSystem.AddPortGroup(spec)
    first.configManager.networkSystem.RemovePortGroup(pgName="Private")
    assert "Private" not in [it.name for it in first.network]
    assert "Private" in [it.name for it in second.network]
