"""What the API's objects say, with pyVmomi's own types: the same facts as over SSH, or why they can't be told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyVmomi import VmomiSupport

from reconciler.facts import Datastore, Machine, Network, NfsSource, PortGroup, Product, SshService
from reconciler.faults import Unsupported
from reconciler.observers.sdk import shown
from reconciler.observers.sdk.shown import Unclear
from reconciler.transports.sdk import Row

support: Any = VmomiSupport
URL = "ds:///vmfs/volumes/95e3-1/"


def data(name: str, /, **fields: Any) -> Any:
    """A data object of the library, which checks names and types."""
    return support.GetWsdlType("urn:vim25", name)(**fields)


def row(missing: dict[str, str] | None = None, **values: Any) -> Row:
    """Properties; two underscores stand for a dot."""
    told = {name.replace("__", "."): value for name, value in values.items() if value is not None}
    return Row(SimpleNamespace(_moId="1"), told, missing or {})


@pytest.mark.parametrize(
    ("version", "read"),
    [("6.7.0", (6, 7, 0)), ("5.5", (5, 5, 0)), ("8.0.3.1", (8, 0, 3))],
)
def test_products(version: str, read: tuple[int, int, int]) -> None:
    assert shown.product("VMware ESXi", version, "1") == Product("VMware ESXi", read, "1")


@pytest.mark.parametrize("version", ["", "6", "six.seven", "1.2.3.4.5", "6..7"])
def test_a_version_that_is_none(version: str) -> None:
    with pytest.raises(Unsupported, match="can't be read"):
        shown.product("VMware ESXi", version, "1")


@pytest.mark.parametrize(
    ("name", "version"),
    [("VMware ESXi", "4.0.0"), ("VMware ESX", "4.1.0"), ("VMware ESXi", "10.0.0"), ("Linux", "6.1")],
)
def test_what_is_not_managed_over_ssh_is_not_managed_over_the_sdk(name: str, version: str) -> None:
    with pytest.raises(Unsupported, match="the SDK says"):
        shown.product(name, version, "1")


# -- datastores ------------------------------------------------------------------------------------------------


def summary(kind: str = "NFS", *, accessible: bool = True, url: str | None = URL) -> Any:
    return data(
        "DatastoreSummary", name="images", url=url, accessible=accessible, type=kind, capacity=100, freeSpace=40,
    )  # fmt: skip


def nas(kind: str = "NFS", host: str = "FS.lab", **more: Any) -> Any:
    volume = data("HostNasVolume", type=kind, name="images", remoteHost=host, remotePath="/Images", **more)
    return data("NasDatastoreInfo", nas=volume)


def mounted(mode: str = "readWrite", *, accessible: bool | None = True) -> Any:
    return [
        data("DatastoreHostMount", mountInfo=data("HostMountInfo", accessMode=mode, accessible=accessible))
    ]


def store(info: Any = None, mounts: Any = None, said: Any = None, *, fresh: bool = True) -> Datastore:
    seen = row(summary=said or summary(), info=info or nas(), host=mounted() if mounts is None else mounts)
    return shown.datastore(seen, fresh=fresh)


def test_an_nfs_mount_is_told_letter_by_letter() -> None:
    source = NfsSource("FS.lab", "/Images")
    assert store() == Datastore("images", "NFS", True, source, "95e3-1", capacity=100, free=40)


@pytest.mark.parametrize(
    ("more", "server"),
    [({"remoteHostNames": ["10.0.0.1", "10.0.0.2"]}, "10.0.0.1,10.0.0.2"), ({}, "FS.lab")],
)
def test_nfs_4_1_names_all_its_servers(more: dict[str, Any], server: str) -> None:
    assert store(nas("NFS41", **more)).nfs == NfsSource(server, "/Images", "4.1")


def test_only_this_hosts_mount_tells_what_is_read_only() -> None:
    seen = store(mounts=mounted("readOnly")).nfs
    assert seen is not None
    assert seen.read_only


def test_cifs_is_no_nfs() -> None:
    assert store(nas("CIFS"), said=summary("CIFS")).nfs is None


@pytest.mark.parametrize(
    ("said", "mounts"),
    [(summary(accessible=False), mounted()), (summary(), mounted(accessible=False))],
)
def test_what_can_not_be_reached_tells_no_space(said: Any, mounts: Any) -> None:
    seen = store(said=said, mounts=mounts)
    assert (seen.accessible, seen.capacity, seen.free) == (False, None, None)


def test_4_1_does_not_tell_whether_a_mount_is_accessible() -> None:
    assert store(mounts=mounted(accessible=None)).accessible


def test_what_was_not_refreshed_does_not_tell_what_is_free() -> None:
    seen = store(fresh=False)
    assert (seen.accessible, seen.capacity, seen.free) == (True, 100, None)


@pytest.mark.parametrize(
    ("url", "told"),
    [("/vmfs/volumes/a-1", "a-1"), (URL, "95e3-1"), ("", None), ("ds:///other/", None)],
)
def test_the_folder_below_volumes(url: str, told: str | None) -> None:
    assert store(said=summary(url=url)).id == told


def test_vmfs_tells_its_version() -> None:
    info = data("VmfsDatastoreInfo", vmfs=data("HostVmfsVolume", majorVersion=6, blockSizeMb=1))
    assert store(info, said=summary("VMFS")).type == "VMFS-6"


@pytest.mark.parametrize("lost", ["summary", "info", "host"])
def test_a_datastore_that_does_not_tell_all_is_unclear(lost: str) -> None:
    values = {"summary": summary(), "info": nas(), "host": mounted(), lost: None}
    with pytest.raises(Unclear, match=f"{lost} over the SDK: no right"):
        shown.datastore(row({lost: "no right"}, **values))


# -- machines --------------------------------------------------------------------------------------------------


def vm(path: str = "[ds 1] a/a.vmx", state: str = "poweredOff", connected: str = "connected") -> Row:
    return row(
        name="a", config__files__vmPathName=path, runtime__powerState=state, runtime__connectionState=connected
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("[ds 1] a/a.vmx", ("ds 1", "a/a.vmx")),
        ("/vmfs/volumes/95e3/a/a.vmx", ("95e3", "a/a.vmx")),
        ("[] /vmfs/volumes/95e3/a/a.vmx", ("95e3", "a/a.vmx")),
        ("/var/run/a/a.vmx", ("", "/var/run/a/a.vmx")),
    ],
)
def test_where_a_machine_stands(path: str, where: tuple[str, str]) -> None:
    assert shown.machines(vm(path)) == (Machine("a", *where),)


@pytest.mark.parametrize("state", ["poweredOn", "suspended"])
def test_a_machine_that_is_not_off_counts_as_running(state: str) -> None:
    (seen,) = shown.machines(vm(state=state))
    assert seen.running


def test_a_machine_without_configuration_is_found_by_its_summary() -> None:
    seen = row(name="a", summary__config__vmPathName="[ds] a/a.vmx", runtime__powerState="poweredOff")
    assert shown.machines(seen) == (Machine("a", "ds", "a/a.vmx"),)


def test_a_machine_that_may_stand_in_two_places_stands_in_both() -> None:
    where = [("a", "b] c/a.vmx"), ("a] b", "c/a.vmx")]
    assert shown.machines(vm("[a] b] c/a.vmx")) == tuple(Machine("a", *it) for it in where)


@pytest.mark.parametrize(
    "seen",
    [
        vm(connected="invalid"),
        vm(connected="inaccessible"),
        vm(connected="orphaned"),
        vm("a/a.vmx"),
        vm("[ds]"),
        row(name="a"),
        row(name="a", summary__config__vmPathName="[ds] a/a.vmx"),
    ],
)
def test_a_machine_that_can_not_be_read_may_stand_on_anything(seen: Row) -> None:
    with pytest.raises(Unclear):
        shown.machines(seen)


@pytest.mark.parametrize("path", ["/tmp/x", "/vmfs/volumes/ds/../x", "/vmfs/volumes/ds/a\nb"])
def test_a_path_that_the_api_has_no_way_to_look_at(path: str) -> None:
    with pytest.raises(Unclear, match="can't be looked at over the SDK"):
        shown.parsed(path)


def test_a_path_on_a_datastore() -> None:
    assert shown.parsed("/vmfs/volumes/ds 1/a/b").relative == "a/b"


# -- network, services, hardware -------------------------------------------------------------------------------


def test_switches_port_groups_and_their_clients() -> None:
    port = data("HostPortGroupPort", type="virtualMachine")
    spec = data("HostPortGroupSpec", name="Lab", vlanId=7, vswitchName="vSwitch0")
    group = data("HostPortGroup", spec=spec, port=[port, port])
    shut = data("HostPortGroup", spec=data("HostPortGroupSpec", name="x", vlanId=0, vswitchName="vSwitch1"))
    switches = [data("HostVirtualSwitch", name=name) for name in ("vSwitch0", "vSwitch1")]
    seen = row(config__network=data("HostNetworkInfo", portgroup=[group, shut], vswitch=switches))
    groups = (PortGroup("Lab", "vSwitch0", 7, 2), PortGroup("x", "vSwitch1", 0, 0))
    assert shown.network(seen) == Network(groups, ("vSwitch0", "vSwitch1"))


def services(policy: str, *, running: bool, key: str = "TSM-SSH") -> Row:
    service = data("HostService", key=key, running=running, policy=policy)
    return row(config__service=data("HostServiceInfo", service=[data("HostService", key="ntpd"), service]))


@pytest.mark.parametrize(("policy", "on"), [("on", True), ("off", False), ("automatic", None)])
def test_only_a_service_that_is_on_is_sure_to_start(policy: str, on: bool | None) -> None:
    assert shown.ssh(services(policy, running=True)) == SshService(True, on)
    assert shown.ssh(services(policy, running=False)) == SshService(False, on)


def test_a_host_without_the_service() -> None:
    with pytest.raises(Unclear, match="TSM-SSH"):
        shown.ssh(services("on", running=True, key="TSM"))
    with pytest.raises(Unclear):
        shown.ssh(row())


def test_the_hardware() -> None:
    seen = row(hardware__systemInfo=data("HostSystemInfo", uuid="4C4C4544-1"))
    assert shown.hardware(seen) == "4C4C4544-1"
