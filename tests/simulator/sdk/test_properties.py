"""Property calls: many objects in one, page by page; machines with their whole chains of disks."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.simulator import Farm, HostHandle, HostModel, Machine
from tests.simulator.sdk.client import Vim, Vmodl, content, read, retrieve, system

Collector: Any = Vmodl.query.PropertyCollector


def through(shown: Any, path: str, kind: Any, *paths: str) -> Any:
    step = Collector.TraversalSpec(name=path, type=Vim.HostSystem, path=path, skip=False)
    objects = [Collector.ObjectSpec(obj=system(shown), skip=True, selectSet=[step])]
    return Collector.FilterSpec(
        propSet=[Collector.PropertySpec(type=kind, pathSet=list(paths))], objectSet=objects
    )


def test_one_call_shows_many_objects(esx: HostHandle) -> None:
    shown = content(esx)
    specs = [
        through(shown, "datastore", Vim.Datastore, "name"),
        through(shown, "vm", Vim.VirtualMachine, "name", "runtime.powerState"),
    ]
    esx.forget()
    answer = shown.propertyCollector.RetrievePropertiesEx(specs, Collector.RetrieveOptions())
    assert [[it.val for it in one.propSet] for one in answer.objects] == [
        ["datastore1"],
        ["guest", "poweredOff"],
    ]
    old = shown.propertyCollector.RetrieveProperties(specs)
    assert [it.obj for it in old] == [it.obj for it in answer.objects]


def test_what_is_much_comes_in_pages() -> None:
    machines = tuple(Machine(it, f"m{it:03d}", "datastore1", f"m{it}/m.vmx") for it in range(1, 131))
    with Farm.start([HostModel(name="big", sdk=True, machines=machines)]) as farm:
        shown = content(farm.host("big"))
        spec = through(shown, "vm", Vim.VirtualMachine, "name")
        page = shown.propertyCollector.RetrievePropertiesEx([spec], Collector.RetrieveOptions())
        names = [it.propSet[0].val for it in page.objects]
        assert (len(names), bool(page.token)) == (100, True)
        last = shown.propertyCollector.ContinueRetrievePropertiesEx(page.token)
        names += [it.propSet[0].val for it in last.objects]
        assert (last.token, names) == (None, [it.name for it in machines])
        with pytest.raises(Vmodl.fault.InvalidArgument):
            shown.propertyCollector.ContinueRetrievePropertiesEx(page.token)
        few = retrieve(shown, system(shown), "name", most=1)
        assert (len(few.objects), few.token) == (1, None)


def test_a_machine_shows_its_chain_of_disks(esx: HostHandle) -> None:
    shown = content(esx)
    (machine,) = system(shown).vm
    files, layout, devices = read(shown, machine, "config.files", "layoutEx", "config.hardware.device")
    names = {it.key: it.name for it in layout.file}
    chain = [names[unit.fileKey[0]] for unit in layout.disk[0].chain]
    assert chain == ["[datastore1] img/img.vmdk", "[datastore1] vm/vm-000001.vmdk"]
    assert [[names[unit.fileKey[0]] for unit in it.disk[0].chain] for it in layout.snapshot] == [chain[:1]]
    assert files.vmPathName == "[datastore1] vm/vm.vmx"
    assert [it.backing.fileName for it in devices] == chain[1:]
    esx.power_vm(1, on=False)
    esx.break_vm(1)
    name, state, layout = read(shown, machine, "name", "runtime.connectionState", "layoutEx")
    assert (state, layout) == ("invalid", None)
    assert name == "[datastore1] vm/vm.vmx"
    esx.unregister_vm(1)
    assert list(system(shown).vm) == []


def test_what_is_not_there_is_said(esx: HostHandle) -> None:
    shown = content(esx)
    gone = Vim.Datastore("nosuch", shown.sessionManager._stub)
    with pytest.raises(Vmodl.fault.ManagedObjectNotFound):
        retrieve(shown, gone, "name")
    assert retrieve(shown, gone, "name", reportMissingObjectsInResults=True) is None
    with pytest.raises(Vmodl.query.InvalidProperty):
        retrieve(shown, system(shown), "nosuch")
    with pytest.raises(Vmodl.fault.ManagedObjectNotFound):
        Vim.host.ServiceSystem("nosuch", shown.sessionManager._stub).StopService(id="TSM-SSH")
    with pytest.raises(Vmodl.fault.ManagedObjectNotFound):
        Vim.Task("nosuch", shown.sessionManager._stub).CancelTask()


def test_what_is_not_simulated_is_no_silent_nothing(esx: HostHandle) -> None:
    shown = content(esx)
    (row,) = retrieve(shown, system(shown), "name", "summary.hardware").objects
    assert [it.name for it in row.propSet] == ["name"]
    assert [it.path for it in row.missingSet] == ["summary.hardware"]
    with pytest.raises(Vmodl.fault.NotSupported):
        assert system(shown).summary
    with pytest.raises(Vmodl.fault.NotSupported):
        system(shown).EnterMaintenanceMode_Task(timeout=0)
