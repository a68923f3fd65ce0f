"""Every name of the vSphere API that the code uses is one that pyVmomi's own tables have, with these arguments.

The names stand in the code as literals: `call(object, "Method", argument=…)`, `make("Type", field=…)` and
`Want("Kind", ("path", …), …)`.
"""

from __future__ import annotations

import ast
import importlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import VmomiSupport

from reconciler.observers import vcenter

ROOT = Path(__file__).parents[2]
PLACES = ("transports/sdk", "observers", "actuators", "contact")
KINDS = (
    "ClusterComputeResource",
    "ComputeResource",
    "ContainerView",
    "Datacenter",
    "Datastore",
    "FileManager",
    "Folder",
    "HostDatastoreBrowser",
    "HostDatastoreSystem",
    "HostDateTimeSystem",
    "HostNetworkSystem",
    "HostServiceSystem",
    "HostStorageSystem",
    "HostSystem",
    "OptionManager",
    "PropertyCollector",
    "ResourcePool",
    "SearchIndex",
    "ServiceInstance",
    "SessionManager",
    "Task",
    "ViewManager",
    "VirtualDiskManager",
)
support: Any = VmomiSupport


def wsdl(name: str) -> Any:
    return support.GetWsdlType("urn:vim25", name)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for place in PLACES:
        for file in sorted((ROOT / "reconciler" / place).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            if "sdk" in text:
                name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                yield name, ast.parse(text)


def used(what: str) -> list[Any]:
    """Every call of something that ends in that name, with its module."""
    found = []
    for module, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
                if name == what:
                    found.append(pytest.param(module, node, id=f"{module}:{node.lineno}"))
    return found


def literal(module: str, node: ast.expr) -> Any:
    """The value of a literal, or of a constant of its module; None for what is only known when it runs."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        return tuple(literal(module, each) for each in node.elts)
    if isinstance(node, ast.Name) and node.id.isupper():
        return getattr(importlib.import_module(module), node.id)
    return None


def methods(name: str) -> list[Any]:
    """What each kind that has a method of that name takes."""
    infos = []
    for kind in map(wsdl, KINDS):
        for each in kind.__mro__:
            infos += [
                it for it in getattr(each, "_methodInfo", {}).values() if name in (it.name, it.wsdlName)
            ]
    return infos


@pytest.mark.parametrize(("module", "node"), used("call"))
def test_a_method_has_these_arguments(module: str, node: ast.Call) -> None:
    if len(node.args) < 2:
        return
    name = literal(module, node.args[1])
    given = {it.arg for it in node.keywords if it.arg is not None}
    spread = any(it.arg is None for it in node.keywords)
    assert isinstance(name, str), "write the name of the method as a literal"
    fitting = []
    for info in methods(name):
        optional = {it.name for it in info.params if it.flags & support.F_OPTIONAL}
        names = {it.name for it in info.params}
        fitting.append(given <= names and (spread or names - optional <= given))
    assert any(fitting), f"no kind has {name} with {sorted(given)}"


@pytest.mark.parametrize(("module", "node"), used("make"))
def test_a_data_object_has_these_fields(module: str, node: ast.Call) -> None:
    if not node.args:
        return
    name = literal(module, node.args[0])
    assert isinstance(name, str), "write the name of the type as a literal"
    fields = {it.name for it in wsdl(name)._GetPropertyList()}
    assert {it.arg for it in node.keywords} - {None} <= fields


@pytest.mark.parametrize(("module", "node"), used("Want"))
def test_a_kind_has_these_properties(module: str, node: ast.Call) -> None:
    kind, paths = literal(module, node.args[0]), literal(module, node.args[1])
    for path in itertools.chain(() if paths is None else paths):
        if path is not None:
            check(kind, path)


@pytest.mark.parametrize(("module", "node"), used("host_property"))
def test_a_host_has_this_property(module: str, node: ast.Call) -> None:
    check("HostSystem", literal(module, node.args[1]))


@pytest.mark.parametrize("kind", vcenter.KINDS)
def test_what_an_inventory_is_read_of_has_these_properties(kind: str) -> None:
    assert vcenter.PATHS[kind]
    for path in vcenter.PATHS[kind]:
        check(kind, path)


@pytest.mark.parametrize(("module", "node"), used("Through"))
def test_some_kind_names_others_in_this_property(module: str, node: ast.Call) -> None:
    path = literal(module, node.args[1])
    if path is not None:
        assert any(path in {it.name for it in wsdl(kind)._GetPropertyList()} for kind in KINDS), path


def check(kind: str, path: str) -> None:
    found = wsdl(kind)
    for word in path.split("."):
        found = found._GetPropertyInfo(word).type


def test_names_that_are_none_would_be_noticed() -> None:
    """The checks above, on what would be wrong."""
    assert not methods("StartServices")
    with pytest.raises(AttributeError):
        check("HostSystem", "config.networks")
    assert used("call")
    assert used("Want")
