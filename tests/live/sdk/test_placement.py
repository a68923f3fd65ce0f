"""The placement of a simulated host in the inventory of govmomi's vCenter, in whole passes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.report import Status
from reconciler.simulator.volumes import hardware_uuid
from tests.live.passes.world import World, world
from tests.live.sdk.govmomi import Govmomi

POOLS, FOLDERS = "/DC0/DC0_C0/VCL/lab", "/DC0/VCL/vms"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, "6.7", {}) as it:
        yield it


def spec(vcenter: Govmomi, folder: Path, **more: Any) -> dict[str, Any]:
    secret = folder / "vcenter.password"
    secret.write_text(more.pop("password", vcenter.password))
    access = {
        "address": "127.0.0.1",
        "port": vcenter.port,
        "user": vcenter.user,
        "password": {"file": str(secret)},
        "thumbprint": more.pop("thumbprint", vcenter.fingerprint),
    }
    placement = {"resourcePath": POOLS, "folderPath": FOLDERS}
    return {"ssh": {"enabled": True}, "access": {"vcenter": access}, "placement": placement | more}


def whys(report: Any) -> str:
    return "\n".join(it.why for it in (*report.held, *report.unknown, *report.findings))


def test_pools_and_folders_are_made_and_then_it_is_in_sync(there: World, vcenter: Govmomi) -> None:
    there.spec = spec(vcenter, there.folder)
    before = there.look()
    assert [step.fields[0].field for step in before.steps] == ["resourcePath", "folderPath"]
    assert "ResourcePool.CreateResourcePool" in str(before.steps[0].actions)
    report = there.run()
    assert (report.status, report.fault) == (Status.CONVERGED, None)
    again = there.look()
    assert (again.status, again.steps) == (Status.IN_SYNC, ())
    assert {"ssh", "placement"} <= set(again.in_sync)
    assert vcenter.calls.count("CreateResourcePool") == 2


def test_letter_case_and_hidden_folders_make_no_difference(there: World, vcenter: Govmomi) -> None:
    there.spec = spec(vcenter, there.folder, resourcePath="/dc0/host/DC0_c0/Resources", folderPath="/DC0/vm")
    assert there.look().status is Status.IN_SYNC


def test_a_host_that_is_elsewhere_is_a_finding(there: World, vcenter: Govmomi) -> None:
    there.spec = spec(vcenter, there.folder, resourcePath="/DC0/DC0_C0")
    assert "the vCenter knows no host by any of" in whys(there.look())


def test_what_is_never_made_is_held(there: World, vcenter: Govmomi) -> None:
    there.spec = spec(vcenter, there.folder, resourcePath="/DC0/Nowhere/VCL", folderPath="/DC9/VCL")
    report = there.run()
    assert report.status is Status.HELD
    assert whys(report).count("no such datacenter or cluster") == 2


@pytest.mark.parametrize("trouble", ["password", "thumbprint", "away", "host"])
def test_a_vcenter_that_can_not_be_had_makes_the_placement_unknown_and_nothing_else(
    there: World, vcenter: Govmomi, trouble: str
) -> None:
    wrong = {"password": {"password": "wrong"}, "thumbprint": {"thumbprint": "ab" * 32}}
    there.spec = spec(vcenter, there.folder, **wrong.get(trouble, {}))
    there.spec["portGroups"] = {"Lab": {"vswitch": "vSwitch0"}}
    if trouble == "away":
        there.spec["access"]["vcenter"]["port"] = 9
    if trouble == "host":
        with Govmomi() as host:
            there.spec["access"]["vcenter"] |= {"port": host.port, "thumbprint": host.fingerprint}
            report = there.run()
    else:
        report = there.run()
    assert report.status is Status.HELD
    assert [note.resource for note in report.unknown] == ["placement"]
    assert [step.resource for step in report.steps] == ["portGroup/Lab"]
    if trouble == "password":
        assert vcenter.logins == [False]
    if trouble == "thumbprint":
        assert vcenter.logins == []


@pytest.mark.parametrize("by", ["name", "ip", "uuid"])
def test_a_host_is_found_by_name_address_or_hardware(there: World, vcenter: Govmomi, by: str) -> None:
    told = {"name": there.host.name.upper(), "ip": there.host.address, "uuid": hardware_uuid(there.host.name)}
    apart = {"DC0_H0", "DC0_C0_H0", "DC0_C0_H2"}
    for number, name in enumerate(sorted(apart)):
        vcenter.control(
            host={"was": name, "name": f"other{number}", "ip": f"10.0.0.{number + 1}", "uuid": ""}
        )
    vcenter.control(host={"was": "DC0_C0_H1", "name": "unlike", "ip": "10.0.0.9", by: told[by]})
    there.spec = spec(vcenter, there.folder, resourcePath="/DC0/DC0_C0", folderPath="/DC0")
    report = there.look()
    assert (report.status, whys(report)) == (Status.IN_SYNC, "")
    there.spec = spec(vcenter, there.folder, resourcePath="/DC0/DC0_H0", folderPath="/DC0")
    assert "the host is in /DC0/DC0_C0, not under /DC0/DC0_H0" in whys(there.look())
    assert any(it.argv[:1] == ("esxcfg-info",) for it in there.host.executed) == (by == "uuid")


def test_a_host_that_may_be_several_is_held(there: World, vcenter: Govmomi) -> None:
    for name in ("DC0_H0", "DC0_C0_H1"):
        vcenter.control(host={"was": name, "name": there.host.name})
    there.spec = spec(vcenter, there.folder, resourcePath="/DC0/DC0_C0", folderPath="/DC0")
    report = there.look()
    assert report.status is Status.HELD
    assert "it may be any of /DC0/DC0_C0/esx, /DC0/DC0_H0/esx" in whys(report)
