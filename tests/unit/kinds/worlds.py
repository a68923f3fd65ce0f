"""Cases as data: a Host's spec, what is seen of the host, and the plan that has to come out.

In every text of a case `{K}` stands for the line of that name in `keys.yaml`, and a text `@NAME` for the file
`boot_cfg/NAME`. A fact `{unseen: WHY}` could not be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic.alias_generators import to_snake

from reconciler.desired.model import HostSpec
from reconciler.facts import (
    AuthorizedKeys,
    BackupOwed,
    BootModules,
    Datastore,
    Datastores,
    Facts,
    Folder,
    Identity,
    KeysFile,
    Machine,
    Machines,
    Network,
    NetworkState,
    NfsSource,
    Persistence,
    Place,
    PortGroup,
    Product,
    Question,
    SavedState,
    SessionKey,
    ShellTimeout,
    SshService,
    SshState,
    Unseen,
)
from reconciler.kinds import KINDS
from reconciler.kinds.model import Resource, Risk, Source, Wisher
from reconciler.placement_facts import HardwareUuid, Inventory, Member, Pool, Tree, VmFolder
from reconciler.plan import Rules
from reconciler.verbs import Verb

CASES = Path(__file__).parents[2] / "cases" / "kinds"
BANK = "/vmfs/volumes/4ee1d386-5b79612c"
PLACES = {"folder": Place.FOLDER, "file": Place.OTHER, "absent": Place.ABSENT}


@lru_cache
def keys() -> dict[str, str]:
    named: dict[str, str] = yaml.safe_load((CASES / "keys.yaml").read_text())
    return named


def load_case(path: Path) -> Any:
    return filled(yaml.safe_load(path.read_text(encoding="utf-8")))


def filled(data: Any) -> Any:
    """`data` with keys and files in place of their names."""
    if isinstance(data, str):
        if data.startswith("@"):
            return (CASES / "boot_cfg" / data[1:]).read_bytes().decode("utf-8", "surrogateescape")
        return re.sub(r"\{([A-Z]+)\}", lambda match: keys()[match[1]], data)
    if isinstance(data, dict):
        return {filled(key): filled(value) for key, value in data.items()}
    return [filled(item) for item in data] if isinstance(data, list) else data


def wished(spec: Mapping[str, Any], key_files: Mapping[str, str] | None = None) -> tuple[Resource, ...]:
    """The resources of a Host's spec."""
    model: Any = HostSpec.model_validate(spec)
    vcenter = model.access.vcenter is not None and model.access.vcenter.password is not None
    wisher, found = Wisher("h1", key_files or {}, model.address or "h1", vcenter), []
    for kind in KINDS:
        part = getattr(model, to_snake(kind.place)) if kind.place else model
        found += list(kind.resources(part if part is not None else kind.fragment(), wisher))
    return tuple(found)


def rules(allow: Risk = Risk.SERVICE) -> Rules:
    return Rules(allow, lambda place: Source(".".join(place), 1))


def facts(data: Mapping[str, Any]) -> Facts:
    """Facts from their readable form."""
    answers: dict[Question[Any], Any] = {BackupOwed(): frozenset()}
    for name, value in {"product": "6.7.0", **data}.items():
        answers |= _answers(name, value)
    return Facts(answers)


def _answers(name: str, value: Any) -> dict[Question[Any], Any]:
    if name == "folders":
        return {Folder(path): _unless_unseen(place, PLACES.__getitem__) for path, place in value.items()}
    question, read = _READERS[name]
    return {question: _unless_unseen(value, read)}


def _unless_unseen(value: Any, read: Callable[[Any], Any]) -> Any:
    unseen = isinstance(value, dict) and set(value) == {"unseen"}
    return Unseen(value["unseen"]) if unseen else read(value)


def _product(version: str) -> Product:
    major, minor, patch = map(int, version.split("."))
    return Product("VMware ESXi", (major, minor, patch), "8169922")


def source(value: str | dict[str, Any]) -> NfsSource:
    """`SERVER:PATH`, or a map."""
    if isinstance(value, dict):
        return NfsSource(**{to_snake(key): item for key, item in value.items()})
    server, _, path = value.partition(":/")
    return NfsSource(server, "/" + path)


def _datastores(value: dict[str, Any]) -> tuple[Datastore, ...]:
    return tuple(_datastore(name, data or {}) for name, data in value.items())


def _datastore(name: str, data: dict[str, Any]) -> Datastore:
    nfs = source(data["nfs"]) if "nfs" in data else None
    kind = data.get("type", "NFS" if nfs else "VMFS-6")
    known = data.get("readOnlyKnown", True)
    return Datastore(name, kind, data.get("accessible", True), nfs, data.get("id"), known)


def _network(value: dict[str, Any]) -> Network:
    groups = (
        PortGroup(name, it.get("vswitch", "vSwitch0"), it.get("vlan", 0), it.get("clients", 0))
        for name, it in value.get("portGroups", {}).items()
    )
    return Network(tuple(groups), tuple(value.get("switches", ["vSwitch0"])))


def raw(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _keys(value: dict[str, Any]) -> KeysFile:
    path = value.get("path", "/etc/ssh/keys-root/authorized_keys")
    marked = value.get("marked", True if path.startswith("/etc/") else None)
    return KeysFile(path, raw(value.get("content")), marked, value.get("odd"), tuple(value.get("loose", ())))


def _modules(value: dict[str, Any]) -> BootModules:
    archived = raw(value.get("archivedKeys"))
    config, other = raw(value.get("bootCfg")), raw(value.get("otherBootCfg"))
    archive = value.get("archive", False)
    return BootModules(value.get("bank", BANK), config, other, archive, value.get("whole", archive), archived)


def _saved(value: dict[str, Any]) -> SavedState:
    config, other = raw(value.get("bootCfg")), raw(value.get("otherBootCfg"))
    leftover = value.get("leftover", False)
    return SavedState(value.get("bank", BANK), raw(value.get("keys")), leftover, config, other)


def _inventory(value: dict[str, Any]) -> Tree:
    pools = (
        Pool(it.get("id", it["path"]), _inner(it["path"]), it["compute"], it.get("root", False))
        for it in value.get("pools", [])
    )
    folders = (
        VmFolder(it.get("id", it["path"]), _inner(it["path"]), it.get("root", False))
        for it in value.get("folders", [])
    )
    members = tuple(map(_member, value.get("members", [])))
    return Tree(tuple(pools), tuple(folders), members, tuple(value.get("addresses", ())))


def _member(it: dict[str, Any]) -> Member:
    name, addresses = it["name"], tuple(it.get("addresses", ()))
    return Member(name, name, _inner(it["path"]), it["compute"], addresses, it.get("uuid", ""))


def _inner(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


_READERS: dict[str, tuple[Question[Any], Callable[[Any], Any]]] = {
    "product": (Identity(), _product),
    "datastores": (Datastores(), _datastores),
    "machines": (Machines(), lambda value: tuple(Machine(**it) for it in value)),
    "network": (NetworkState(), _network),
    "ssh": (SshState(), lambda value: SshService(**value)),
    "shellTimeout": (ShellTimeout(), int),
    "keys": (AuthorizedKeys(), _keys),
    "sessionKey": (SessionKey(), lambda value: value),
    "modules": (Persistence(), _modules),
    "saved": (Persistence(), _saved),
    "owed": (BackupOwed(), frozenset),
    "inventory": (Inventory(), _inventory),
    "hardware": (HardwareUuid(), str),
}


def plain(value: Any) -> Any:
    """A verb, or what is in it, as a case writes it: `{MountNfs: {name: …}}`, without what is at its default."""
    if isinstance(value, (Verb, NfsSource)):
        pairs = {it.name: plain(getattr(value, it.name)) for it in fields(value) if _told(value, it)}
        return (
            pairs
            if isinstance(value, NfsSource)
            else {type(value).__name__: pairs}
            if pairs
            else type(value).__name__
        )
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _told(value: Any, field: Any) -> bool:
    return bool(getattr(value, field.name) != field.default)
