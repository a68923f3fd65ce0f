"""Where govmomi's simulator knows a call too, both answer alike: the same types, the same faults.

That one leaves fields out which ours has, and the other way round; what both have must be of one type. Not compared,
since it is looser there than the API reference says: a property that there is not, and a folder that is made a second
time with the folders above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reconciler.simulator import HostHandle
from tests.live.sdk import client as theirs
from tests.live.sdk.govmomi import Govmomi
from tests.simulator.sdk import client as ours
from tests.simulator.sdk.client import Vim, Vmodl, done, group, nas, system

Call = Callable[[Any], Any]


@pytest.fixture
def govmomi() -> Iterator[Govmomi]:
    with Govmomi() as it:
        yield it
    theirs.hang_up()


def outcome(call: Call, shown: Any) -> Any:
    """What came back, or the type of the fault."""
    try:
        return call(shown)
    except (Vmodl.MethodFault, Vmodl.RuntimeFault) as fault:
        return type(fault)


def alike(one: Any, other: Any, where: str = "answer") -> None:
    """Assert that both are of one type, and all below that both have."""
    if isinstance(one, type) or isinstance(other, type):
        assert one == other, where
        return
    assert type(one) is type(other), f"{where}: {type(one)}, {type(other)}"
    if isinstance(one, Vmodl.DynamicData):
        for info in one._GetPropertyList():
            here, there = getattr(one, info.name), getattr(other, info.name)
            if here is not None and there is not None:
                alike(here, there, f"{where}.{info.name}")
    elif isinstance(one, list) and one and other and isinstance(one[0], Vmodl.DynamicData):
        pairs = {type(it): it for it in other}
        for it in one:
            if type(it) in pairs:
                alike(it, pairs[type(it)], f"{where}[]")


def store(shown: Any) -> Any:
    return system(shown).datastore[0]


def path(shown: Any, inside: str) -> str:
    return f"[{store(shown).name}] {inside}".rstrip()


def moved(shown: Any) -> Any:
    """Add, change and remove a port group."""
    net = system(shown, "networkSystem")
    net.AddVirtualSwitch(vswitchName="vSwitch7", spec=None)
    net.AddPortGroup(group("Private", "vSwitch7", 10))
    net.UpdatePortGroup(pgName="Private", portgrp=group("Private", "vSwitch0", 20))
    (seen,) = (it for it in net.networkInfo.portgroup if it.spec.name == "Private")
    net.RemovePortGroup(pgName="Private")
    net.RemoveVirtualSwitch(vswitchName="vSwitch7")
    return (seen.spec.vlanId, seen.spec.vswitchName).__repr__()


def mounted(shown: Any) -> Any:
    made = system(shown, "datastoreSystem").CreateNasDatastore(nas("repo", accessMode="readOnly"))
    (mount,) = made.host
    made.RefreshDatastore()
    found = (
        made.summary.type,
        made.info.nas.remoteHost,
        made.info.nas.remotePath,
        mount.mountInfo.accessMode,
    )
    return repr(found)


def search(shown: Any) -> Any:
    shown.fileManager.MakeDirectory(name=path(shown, "a/b"), createParentDirectories=True)
    flags = Vim.host.DatastoreBrowser.FileInfo.Details(
        fileType=True, fileSize=True, modification=True, fileOwner=False
    )
    spec = Vim.host.DatastoreBrowser.SearchSpec(details=flags, matchPattern=["*"])
    return done(store(shown).browser.SearchDatastore_Task(datastorePath=path(shown, "a"), searchSpec=spec))


def again(shown: Any) -> Any:
    for _ in range(2):
        shown.fileManager.MakeDirectory(name=path(shown, "twice"))


def mounted_twice(shown: Any, name: str, export: str) -> Any:
    system(shown, "datastoreSystem").CreateNasDatastore(nas("repo"))
    system(shown, "datastoreSystem").CreateNasDatastore(nas(name, path=export))


CALLS: dict[str, Call] = {
    "about": lambda shown: shown.about,
    "product": lambda shown: ours.read(shown, system(shown), "config.product")[0],
    "hardware": lambda shown: ours.read(shown, system(shown), "hardware.systemInfo")[0],
    "services": lambda shown: system(shown, "serviceSystem").serviceInfo,
    "network": lambda shown: ours.read(shown, system(shown), "config.network")[0],
    "managers": lambda shown: ours.read(shown, system(shown), "configManager")[0],
    "runtime": lambda shown: ours.read(shown, system(shown), "runtime")[0],
    "datastore": lambda shown: ours.read(shown, store(shown), "summary")[0],
    "vmfs": lambda shown: ours.read(shown, store(shown), "info")[0],
    "datastore's hosts": lambda shown: ours.read(shown, store(shown), "host")[0],
    "machine's files": lambda shown: ours.read(shown, system(shown).vm[0], "config.files")[0],
    "machine's layout": lambda shown: ours.read(shown, system(shown).vm[0], "layoutEx")[0],
    "machine's devices": lambda shown: ours.read(shown, system(shown).vm[0], "config.hardware.device")[0],
    "machine's runtime": lambda shown: ours.read(shown, system(shown).vm[0], "runtime")[0],
    "clock": lambda shown: system(shown, "dateTimeSystem").QueryDateTime(),
    "option": lambda shown: system(shown, "advancedOption").QueryOptions(name="UserVars.ESXiShellTimeOut"),
    "port groups": moved,
    "mount": mounted,
    "search": search,
    "refresh": lambda shown: store(shown).RefreshDatastoreStorageInfo(),
    "a login again": lambda shown: type(shown.sessionManager.Login("root", "wrong")),
    "no object": lambda shown: ours.retrieve(
        shown, Vim.Datastore("nosuch", shown.sessionManager._stub), "name"
    ),
    "no service": lambda shown: system(shown, "serviceSystem").StartService(id="sshd"),
    "no policy": lambda shown: system(shown, "serviceSystem").UpdateServicePolicy(id="TSM-SSH", policy="x"),
    "no switch": lambda shown: system(shown, "networkSystem").AddPortGroup(group("x", "vSwitch9")),
    "no group": lambda shown: system(shown, "networkSystem").RemovePortGroup(pgName="x"),
    "a switch twice": lambda shown: system(shown, "networkSystem").AddVirtualSwitch(vswitchName="vSwitch0"),
    "a group twice": lambda shown: system(shown, "networkSystem").AddPortGroup(group("VM Network")),
    "an export twice": lambda shown: mounted_twice(shown, "again", "/a"),
    "a name twice": lambda shown: mounted_twice(shown, "repo", "/b"),
    "a folder twice": again,
    "no folder": lambda shown: done(
        store(shown).browser.SearchDatastore_Task(
            datastorePath=path(shown, "none"),
            searchSpec=Vim.host.DatastoreBrowser.SearchSpec(matchPattern=["*"]),
        )
    ),
    "the probe": lambda shown: done(shown.fileManager.DeleteDatastoreFile_Task(name="")),
    "nothing to delete": lambda shown: done(
        shown.fileManager.DeleteDatastoreFile_Task(name=path(shown, "none"))
    ),
    "nothing to move": lambda shown: done(
        shown.fileManager.MoveDatastoreFile_Task(
            sourceName=path(shown, "none"), destinationName=path(shown, "else")
        )
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_both_answer_alike(esx: HostHandle, govmomi: Govmomi, call: Call) -> None:
    alike(outcome(call, ours.content(esx)), outcome(call, theirs.content(govmomi)))


RESTRICTED: dict[str, Call] = {
    "the probe": lambda shown: shown.fileManager.DeleteDatastoreFile_Task(name=""),
    "service": lambda shown: system(shown, "serviceSystem").StopService(id="TSM-SSH"),
    "mount": lambda shown: system(shown, "datastoreSystem").CreateNasDatastore(nas("repo")),
    "port group": lambda shown: system(shown, "networkSystem").AddPortGroup(group("x")),
    "folder": lambda shown: shown.fileManager.MakeDirectory(name=path(shown, "a")),
}


@pytest.mark.parametrize("call", RESTRICTED.values(), ids=RESTRICTED)
def test_the_free_licence_refuses_alike(farm: Any, govmomi: Govmomi, call: Call) -> None:
    govmomi.control(restricted=True)
    answers = [outcome(call, ours.content(farm.host("free"))), outcome(call, theirs.content(govmomi))]
    assert answers == [Vim.fault.RestrictedVersion] * 2


@pytest.mark.parametrize("call", [CALLS["services"], CALLS["product"]])
def test_without_a_session_both_refuse_alike(esx: HostHandle, govmomi: Govmomi, call: Call) -> None:
    shown = [ours.content(esx), theirs.content(govmomi)]
    for it in shown:
        it.sessionManager.Logout()
    assert [outcome(call, it) for it in shown] == [Vim.fault.NotAuthenticated] * 2
