"""What the API changes is what the shell shows, and its refusals are those of the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Farm, HostHandle, HostModel, NfsMount, PortGroup, Storage
from tests.simulator.sdk.client import Vim, Vmodl, ask, content, group, nas, read, system


def test_the_ssh_service_is_one_for_both_ways(esx: HostHandle) -> None:
    services = system(content(esx), "serviceSystem")
    services.StopService(id="TSM-SSH")
    services.UpdateServicePolicy(id="TSM-SSH", policy="off")
    assert esx.ssh == (False, False)
    (ssh,) = (it for it in services.serviceInfo.service if it.key == "TSM-SSH")
    assert (ssh.label, ssh.running, ssh.policy) == ("SSH", False, "off")
    with pytest.raises(Vim.fault.InvalidState):
        services.StopService(id="TSM-SSH")
    services.StartService(id="TSM-SSH")
    with pytest.raises(Vim.fault.InvalidState):
        services.StartService(id="TSM-SSH")
    with pytest.raises(Vim.fault.NotFound):
        services.StartService(id="sshd")
    with pytest.raises(Vmodl.fault.InvalidArgument):
        services.UpdateServicePolicy(id="TSM-SSH", policy="sometimes")
    assert services.RefreshServices() is None


# -- datastores --------------------------------------------------------------------------------------------------------


def test_nfs_3_is_mounted_and_unmounted(esx: HostHandle) -> None:
    shown = content(esx)
    stores = system(shown, "datastoreSystem")
    made = stores.CreateNasDatastore(nas("repo", accessMode="readOnly"))
    assert esx.mounts == [NfsMount("repo", "filer", "/a", "3", True)]
    summary, info, (mount,) = read(shown, made, "summary", "info", "host")
    assert (summary.name, summary.type, summary.accessible) == ("repo", "NFS", True)
    assert (info.nas.remoteHost, info.nas.remotePath, info.nas.type) == ("filer", "/a", "NFS")
    assert (mount.mountInfo.accessMode, mount.mountInfo.accessible) == ("readOnly", True)
    assert summary.url == f"ds:///vmfs/volumes/{info.url.split('/')[-2]}/"
    stores.RemoveDatastore(made)
    assert esx.mounts == []
    with pytest.raises(Vmodl.fault.ManagedObjectNotFound):
        stores.RemoveDatastore(made)
    with pytest.raises(Vmodl.fault.ManagedObjectNotFound):
        assert made.name


def test_nfs_4_1_has_several_servers(esx: HostHandle) -> None:
    esx_storage = content(esx)
    made = system(esx_storage, "datastoreSystem").CreateNasDatastore(
        nas("repo", type="NFS41", remoteHostNames=["filer", "10.0.0.2"])
    )
    assert esx.mounts == [NfsMount("repo", "filer,10.0.0.2", "/a", "4.1", False)]
    assert (made.summary.type, list(made.info.nas.remoteHostNames)) == ("NFS41", ["filer", "10.0.0.2"])


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (nas("datastore1", path="/b"), Vim.fault.DuplicateName),
        (nas("again"), Vim.fault.AlreadyExists),
        (nas("x", server="nowhere"), Vim.fault.PlatformConfigFault),
        (nas("x", path="/none"), Vim.fault.PlatformConfigFault),
        (nas("x" * 43, path="/b"), Vim.fault.InvalidName),
        (nas("x", path="/b", type="CIFS"), Vmodl.fault.InvalidArgument),
        (nas("x", path="/b", accessMode="maybe"), Vmodl.fault.InvalidArgument),
        (nas("", path="/b"), Vmodl.fault.InvalidArgument),
    ],
    ids=["name taken", "mounted already", "no server", "no export", "long name", "cifs", "mode", "no name"],
)
def test_a_mount_that_can_not_be_is_refused(esx: HostHandle, spec: Any, fault: Any) -> None:
    stores = system(content(esx), "datastoreSystem")
    stores.CreateNasDatastore(nas("repo"))
    before = esx.digest()
    with pytest.raises(fault):
        stores.CreateNasDatastore(spec)
    assert esx.digest() == before


def test_nfs_4_1_is_none_before_6_0() -> None:
    with Farm.start([HostModel(name="old", version="5.5", sdk=True)], Storage({"filer": ("/a",)})) as farm:
        with pytest.raises(Vmodl.fault.InvalidArgument):
            system(content(farm.host("old")), "datastoreSystem").CreateNasDatastore(nas("x", type="NFS41"))


def test_a_mount_in_use_and_a_vmfs_stay(esx: HostHandle) -> None:
    shown = content(esx)
    stores = system(shown, "datastoreSystem")
    made = stores.CreateNasDatastore(nas("repo"))
    esx.open_file_on("repo")
    with pytest.raises(Vim.fault.ResourceInUse):
        stores.RemoveDatastore(made)
    (vmfs,) = (it for it in system(shown).datastore if it.name == "datastore1")
    with pytest.raises(Vmodl.fault.NotSupported):
        stores.RemoveDatastore(vmfs)
    assert [it.name for it in esx.mounts] == ["repo"]


def test_free_space_is_old_until_it_is_asked_for(esx: HostHandle) -> None:
    shown = content(esx)
    (vmfs,) = system(shown).datastore
    before = vmfs.summary.freeSpace
    esx.fill("datastore1", 1 << 30)
    assert (vmfs.summary.freeSpace, vmfs.info.freeSpace) == (before, before)
    vmfs.RefreshDatastore()
    assert (vmfs.summary.freeSpace, vmfs.info.freeSpace) == (1 << 30, 1 << 30)
    vmfs.RefreshDatastoreStorageInfo()
    assert (vmfs.summary.capacity, vmfs.info.vmfs.majorVersion) == (64 << 30, 6)


def test_a_server_that_is_gone_makes_its_mount_inaccessible(farm: Farm, esx: HostHandle) -> None:
    made = system(content(esx), "datastoreSystem").CreateNasDatastore(nas("repo"))
    farm.set_server("filer", "down")
    summary = made.summary
    assert (summary.accessible, summary.capacity, summary.freeSpace) == (False, 0, 0)
    with pytest.raises(Vim.fault.HostConfigFault):
        made.RefreshDatastore()


# -- the network -------------------------------------------------------------------------------------------------------


def test_port_groups_and_switches_are_those_of_the_shell(esx: HostHandle) -> None:
    shown = content(esx)
    net = system(shown, "networkSystem")
    net.AddVirtualSwitch(vswitchName="vSwitch7", spec=Vim.host.VirtualSwitch.Specification(numPorts=64))
    net.AddPortGroup(group("Private", "vSwitch7", 10))
    assert PortGroup("Private", "vSwitch7", 10) in esx.port_groups
    net.UpdatePortGroup(pgName="Private", portgrp=group("Private", "vSwitch0", 20))
    assert PortGroup("Private", "vSwitch0", 20) in esx.port_groups
    for network in (net.networkInfo, read(shown, system(shown), "config.network")[0]):
        (seen,) = (it for it in network.portgroup if it.spec.name == "Private")
        assert (seen.spec.vlanId, seen.vswitch, list(seen.port)) == (
            20,
            "key-vim.host.VirtualSwitch-vSwitch0",
            [],
        )
        assert [(it.name, it.spec.numPorts) for it in network.vswitch] == [
            ("vSwitch0", 128),
            ("vSwitch7", 64),
        ]
    net.RemovePortGroup(pgName="Private")
    net.RemoveVirtualSwitch(vswitchName="vSwitch7")
    assert "Private" not in [it.name for it in esx.port_groups]


def test_what_uses_a_port_group_is_counted_and_keeps_it(esx: HostHandle) -> None:
    esx.add_port_group("Busy", clients=2)
    net = system(content(esx), "networkSystem")
    (seen,) = (it for it in net.networkInfo.portgroup if it.spec.name == "Busy")
    assert len(seen.port) == 2
    before = esx.digest()
    calls: tuple[Callable[[], Any], ...] = (
        lambda: net.RemovePortGroup(pgName="Busy"),
        lambda: net.RemoveVirtualSwitch(vswitchName="vSwitch0"),
    )
    for call in calls:
        with pytest.raises(Vim.fault.ResourceInUse):
            call()
    assert esx.digest() == before


@pytest.mark.parametrize(
    ("method", "words", "fault"),
    [
        ("AddPortGroup", {"portgrp": group("VM Network")}, Vim.fault.AlreadyExists),
        ("AddPortGroup", {"portgrp": group("x", "vSwitch9")}, Vim.fault.NotFound),
        ("AddPortGroup", {"portgrp": group("x", vlan=4096)}, Vmodl.fault.InvalidArgument),
        ("AddPortGroup", {"portgrp": group("")}, Vmodl.fault.InvalidArgument),
        ("UpdatePortGroup", {"pgName": "x", "portgrp": group("x")}, Vim.fault.NotFound),
        ("UpdatePortGroup", {"pgName": "VM Network", "portgrp": group("y", vlan=-1)}, Vmodl.fault.InvalidArgument),
        ("RemovePortGroup", {"pgName": "x"}, Vim.fault.NotFound),
        ("AddVirtualSwitch", {"vswitchName": "vSwitch0"}, Vim.fault.AlreadyExists),
        ("AddVirtualSwitch", {"vswitchName": "x" * 32}, Vmodl.fault.InvalidArgument),
        ("RemoveVirtualSwitch", {"vswitchName": "x"}, Vim.fault.NotFound),
    ],
)  # fmt: skip
def test_the_network_refuses(esx: HostHandle, method: str, words: dict[str, Any], fault: Any) -> None:
    net, before = system(content(esx), "networkSystem"), esx.digest()
    with pytest.raises(fault):
        getattr(net, method)(**words)
    assert esx.digest() == before


# -- small things ------------------------------------------------------------------------------------------------------


def test_options_and_the_clock(farm: Farm, esx: HostHandle) -> None:
    shown = content(esx)
    options = system(shown, "advancedOption")
    esx.set_option("/UserVars/ESXiShellTimeOut", "600")
    (option,) = options.QueryOptions(name="UserVars.ESXiShellTimeOut")
    assert (option.key, option.value) == ("UserVars.ESXiShellTimeOut", 600)
    assert {it.key for it in options.QueryOptions(name="NFS.")} >= {"NFS.MaxVolumes"}
    with pytest.raises(Vim.fault.InvalidName):
        options.QueryOptions(name="UserVars.Nothing")
    before = system(shown, "dateTimeSystem").QueryDateTime()
    farm.advance(3600)
    assert 3599 < (system(shown, "dateTimeSystem").QueryDateTime() - before).total_seconds() < 3660


def test_root_s_keys_go_over_https(esx: HostHandle) -> None:
    path = "/host/ssh_root_authorized_keys"
    inode = esx.files.stat(esx.keys_path).inode
    assert ask(esx, "GET", path) == (200, b"")
    assert ask(esx, "PUT", path, b"ssh-rsa AAAA a\n")[0] == 200
    assert ask(esx, "GET", path) == (200, b"ssh-rsa AAAA a\n")
    assert esx.files.read(esx.keys_path) == b"ssh-rsa AAAA a\n"
    assert esx.files.stat(esx.keys_path).inode == inode
    assert ask(esx, "DELETE", path)[0] == 405
    kind, key = next(line for line in esx.host_keys if line.startswith("ssh-rsa ")).split()
    assert ask(esx, "GET", "/host/ssh_host_rsa_key_pub")[1].split() == [kind.encode(), key.encode()]


def test_there_are_no_keys_over_https_before_5_1(every: Farm) -> None:
    for version, status in (("4.1", 404), ("5.0", 404), ("5.1", 200), ("8.0", 200)):
        assert ask(every.host(f"v{version}"), "GET", "/host/ssh_root_authorized_keys")[0] == status


# -- the licence -------------------------------------------------------------------------------------------------------


def test_the_free_licence_reads_and_writes_nothing(farm: Farm) -> None:
    free = farm.host("free")
    shown, before = content(free), free.digest()
    net, files = system(shown, "networkSystem"), shown.fileManager
    calls: tuple[Callable[[], Any], ...] = (
        lambda: system(shown, "serviceSystem").StopService(id="TSM-SSH"),
        lambda: system(shown, "datastoreSystem").CreateNasDatastore(nas("repo")),
        lambda: net.AddPortGroup(group("x")),
        lambda: net.AddVirtualSwitch(vswitchName="x"),
        lambda: files.MakeDirectory(name="[datastore1] x"),
        lambda: files.DeleteDatastoreFile_Task(name=""),
        lambda: shown.virtualDiskManager.CopyVirtualDisk_Task(
            sourceName="[datastore1] a.vmdk", destName="[datastore1] b.vmdk"
        ),
    )
    for call in calls:
        with pytest.raises(Vim.fault.RestrictedVersion, match="prohibits execution"):
            call()
    assert free.digest() == before
    assert system(shown).name == "free"


def test_the_probe_changes_nothing_and_is_no_change(esx: HostHandle) -> None:
    shown, before = content(esx), esx.digest()
    with pytest.raises(Vim.fault.InvalidDatastorePath):
        shown.fileManager.DeleteDatastoreFile_Task(name="")
    assert esx.digest() == before
    assert not [it for it in esx.executed if it.changing]
    assert esx.sdk_calls[-1] == "DeleteDatastoreFile_Task"
