"""Many hosts, one vCenter: one session, few looks, one refused login, and what goes wrong at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import yaml

from reconciler.contact.vcenter import POLLS, Desk, VCenters
from reconciler.desired import load
from reconciler.facts import Unseen
from reconciler.placement_facts import Tree
from reconciler.verbs import CreateResourcePools, CreateVmFolders
from tests.live.sdk.govmomi import Govmomi

HOSTS = 12


def desks(vcenters: VCenters, vcenter: Govmomi, folder: Path, password: str = "") -> list[Desk]:
    secret = folder / "password"
    secret.write_text(password or vcenter.password)
    way = {"port": vcenter.port, "user": vcenter.user, "password": {"file": str(secret)}}
    access = {"vcenter": way | {"address": "127.0.0.1", "thumbprint": vcenter.fingerprint}}
    file = folder / "hosts.yaml"
    made = [
        {
            "apiVersion": "reconciler/v1",
            "kind": "Host",
            "metadata": {"name": f"esx{number}"},
            "spec": {"address": f"127.0.0.{number + 1}", "access": access},
        }
        for number in range(HOSTS)
    ]
    file.write_text(yaml.safe_dump_all(made))
    found = [vcenters.desk(host) for host in load([file]).hosts]
    return [desk for desk in found if desk is not None]


def seen(desk: Desk) -> Tree:
    tree = desk.look()
    assert isinstance(tree, Tree), tree
    return tree


def test_hosts_share_a_session_and_those_that_wait_share_a_look(vcenter: Govmomi, tmp_path: Path) -> None:
    vcenters = VCenters(lambda seconds: None)
    there = desks(vcenters, vcenter, tmp_path)
    start = Barrier(HOSTS)

    def at_once(desk: Desk) -> Tree:
        start.wait()
        return seen(desk)

    with ThreadPoolExecutor(HOSTS) as pool:
        trees = list(pool.map(at_once, there))
    assert {tree.addresses for tree in trees} == {(f"127.0.0.{number + 1}",) for number in range(HOSTS)}
    assert len({(tree.pools, tree.folders, tree.members) for tree in trees}) == 1
    assert vcenter.calls.count("RetrievePropertiesEx") < HOSTS
    vcenters.close()
    assert (vcenter.logins, vcenter.calls.count("Logout")) == ([True], 1)


def test_what_one_has_made_the_next_look_shows(vcenter: Govmomi, tmp_path: Path) -> None:
    vcenters = VCenters(lambda seconds: None)
    one, other, *_ = desks(vcenters, vcenter, tmp_path)
    before = seen(one)
    cluster = next(it for it in before.pools if it.path == ("DC0", "DC0_C0"))
    root = next(it for it in before.folders if it.root)
    assert cluster.root
    pools = CreateResourcePools(cluster.id, cluster.path, ("VCL", "a%2fb"))
    folders = CreateVmFolders(root.id, root.path, ("VCL", "a%2fb"))
    assert one.do(pools).ok
    assert other.do(pools).ok, "another host has made them meanwhile"
    assert one.do(folders).ok
    assert other.do(folders).ok
    after = seen(other)
    assert {it.path for it in after.pools} - {it.path for it in before.pools} == {
        ("DC0", "DC0_C0", "VCL"),
        ("DC0", "DC0_C0", "VCL", "a%2fb"),
    }
    assert {it.path for it in after.folders} - {it.path for it in before.folders} == {
        ("DC0", "VCL"),
        ("DC0", "VCL", "a%2fb"),
    }
    vcenters.close()


def test_a_refused_login_is_tried_once_for_all_hosts(vcenter: Govmomi, tmp_path: Path) -> None:
    vcenters = VCenters(lambda seconds: None)
    there = desks(vcenters, vcenter, tmp_path, "not it")
    with ThreadPoolExecutor(HOSTS) as pool:
        answers = list(pool.map(lambda desk: desk.look(), there))
    assert all(isinstance(answer, Unseen) and "refused" in answer.why for answer in answers)
    assert not any("not it" in str(answer) for answer in answers)
    assert vcenter.logins == [False]


def test_services_that_start_are_waited_for_and_in_vain_only_once(vcenter: Govmomi, tmp_path: Path) -> None:
    pauses: list[float] = []
    vcenters = VCenters(pauses.append)
    one, other, *_ = desks(vcenters, vcenter, tmp_path)
    vcenter.trouble("HostCommunication", "CreateContainerView", 2)
    assert isinstance(one.look(), Tree)
    assert pauses == [1.0, 2.0]
    vcenter.trouble("HostCommunication", "CreateContainerView", 99)
    for desk in (one, other):
        answer = desk.look()
        assert isinstance(answer, Unseen)
        assert "the vCenter's services are not ready" in answer.why
    assert len(pauses) == 2 + POLLS - 1
    vcenter.control(calm=True)
    assert isinstance(one.look(), Tree)
    vcenters.close()


def test_a_link_that_breaks_is_left_alone_by_its_host_and_made_anew_by_the_next(
    vcenter: Govmomi, tmp_path: Path
) -> None:
    vcenters = VCenters(lambda seconds: None)
    one, other, *_ = desks(vcenters, vcenter, tmp_path)
    vcenter.trouble("hangup", "CreateContainerView", 1)
    assert isinstance(one.look(), Unseen)
    assert isinstance(other.look(), Tree)
    assert isinstance(one.look(), Unseen)
    assert vcenter.logins == [True, True]
    vcenters.close()


@pytest.mark.parametrize("fault", ["HostCommunication", "503"])
def test_what_passes_is_looked_at_again_and_not_replayed(
    vcenter: Govmomi, tmp_path: Path, fault: str
) -> None:
    vcenters = VCenters(lambda seconds: None)
    one, *_ = desks(vcenters, vcenter, tmp_path)
    cluster = next(it for it in seen(one).pools if it.path == ("DC0", "DC0_C0"))
    vcenter.trouble(fault, "CreateResourcePool", 1, after=True)
    answer = one.do(CreateResourcePools(cluster.id, cluster.path, ("VCL",)))
    assert (answer.ok, answer.passing) == (False, True)
    assert vcenter.calls.count("CreateResourcePool") == 1
    assert ("DC0", "DC0_C0", "VCL") in {it.path for it in seen(one).pools}
    vcenters.close()
