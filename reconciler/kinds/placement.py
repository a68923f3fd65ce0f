"""`placement`: where VCL creates machines in the inventory of a vCenter (VCL's Resource Path and Folder Path)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import unquote

from pydantic import AfterValidator, Field

from reconciler.facts import Facts, Question, Unseen
from reconciler.kinds.model import Change, Difference, Fragment, Kind, Resource, Risk, Verdict, Wisher
from reconciler.placement_facts import HardwareUuid, Inventory, Member, Path, Pool, Tree, VmFolder
from reconciler.verbs import CreateResourcePools, CreateVmFolders, Verb

NAME = "placement"
POOLS_HIDE, FOLDERS_HIDE = ("host", "resources"), ("vm",)
"""Folders that are in every inventory, and that make no difference in a path."""
NO_UUID = re.compile(r"0*|f*")

Node = TypeVar("Node", Pool, VmFolder)


def _path(text: str) -> str:
    parts = [part for part in text.split("/") if part]
    if not parts:
        raise ValueError("names nothing (would be right: /DatacenterA/Cluster2/ResourcePool3)")
    if any(len(part) > 255 or not part.isprintable() for part in parts):
        raise ValueError("has a name in it that no inventory can have")
    return text


InventoryPath = Annotated[str, AfterValidator(_path)]


class Wanted(Fragment):
    """The two paths; letter case, `/host/` and `/Resources` make no difference."""

    resource_path: InventoryPath | None = Field(
        default=None,
        description="VCL's Resource Path; resource pools are made when missing, datacenter, folder and cluster never",
        examples=["/DatacenterA/Folder1/Cluster2/ResourcePool3"],
    )
    folder_path: InventoryPath | None = Field(
        default=None,
        description="VCL's Folder Path; folders of VMs and Templates are made when missing, a datacenter never",
        examples=["/DatacenterA/VCL/vms"],
    )


class PlacementWish(Fragment):
    """`spec.placement`."""

    placement: Wanted | None = Field(
        default=None, description="where VCL creates machines in a vCenter's inventory"
    )


@dataclass(frozen=True)
class PlacementResource:
    """Both paths. `names` are those under which the vCenter may know the host, the likeliest first."""

    wish: Wanted
    names: tuple[str, ...]
    vcenter: bool
    name: str = NAME
    place: tuple[str, ...] = (NAME,)

    def needs(self, facts: Facts) -> tuple[str, ...]:
        return ()

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        if not self.vcenter:
            return
        yield Inventory()
        tree = facts.see(Inventory())
        if (
            self.wish.resource_path
            and not isinstance(tree, Unseen)
            and not _by_name_or_address(tree, self.names)
        ):
            yield HardwareUuid()

    def judge(self, facts: Facts) -> Verdict:
        if not self.vcenter:
            return Verdict(
                held=(
                    "it needs access.vcenter with a password: resource pools and folders are the vCenter's",
                )
            )
        tree = facts.see(Inventory())
        if isinstance(tree, Unseen):
            return Verdict(unknown=tree.why)
        changes: list[Change] = []
        held: list[str] = []
        findings: list[str] = []
        if self.wish.resource_path is not None:
            self._pool(self.wish.resource_path, tree, facts, (changes, held, findings))
        if self.wish.folder_path is not None:
            self._folder(self.wish.folder_path, tree, (changes, held))
        return Verdict(tuple(changes), tuple(held), None, tuple(findings))

    def _pool(
        self, path: str, tree: Tree, facts: Facts, out: tuple[list[Change], list[str], list[str]]
    ) -> None:
        found = find(path, tree.pools, POOLS_HIDE)
        if found.why:
            out[1].append(f"resourcePath {path}: {found.why}")
            return
        assert found.base is not None
        if found.missing:
            verb = CreateResourcePools(found.base.id, found.base.path, found.missing)
            out[0].append(self._create("resourcePath", path, verb))
        out[2].extend(self._elsewhere(found.base, tree, facts))

    def _folder(self, path: str, tree: Tree, out: tuple[list[Change], list[str]]) -> None:
        found = find(path, tree.folders, FOLDERS_HIDE)
        if found.why:
            out[1].append(f"folderPath {path}: {found.why}")
        elif found.missing:
            assert found.base is not None
            verb = CreateVmFolders(found.base.id, found.base.path, found.missing)
            out[0].append(self._create("folderPath", path, verb))

    def _create(self, field: str, path: str, verb: Verb) -> Change:
        what = "resource pool" if field == "resourcePath" else "folder"
        wanted = (Difference(field, None, path),)
        return Change("create", Risk.SAFE, wanted, (verb,), f"there is no such {what}", (NAME, field))

    def _elsewhere(self, pool: Pool, tree: Tree, facts: Facts) -> Iterable[str]:
        """What is to be said when the host's own resources are not those of the path."""
        members = _members(tree, self.names, facts)
        if not members:
            yield f"the vCenter knows no host by any of {', '.join(self.names)}, its addresses or its hardware"
        elif len({member.compute for member in members}) > 1:
            places = " and ".join(spelled(member.path) for member in members)
            yield f"the vCenter has more than one host that may be this one: {places}"
        elif members[0].compute != pool.compute:
            yield f"the host is in {spelled(members[0].path)}, not under {spelled(pool.path)}"


@dataclass(frozen=True)
class Found(Generic[Node]):
    """Where a path leads: `base` is what is there of it, `missing` the names to be made below. `why`: nowhere."""

    base: Node | None = None
    missing: Path = ()
    why: str = ""


def find(path: str, nodes: Sequence[Node], hidden: Sequence[str]) -> Found[Node]:
    """Where a path leads among these places. A whole path goes before a unique end of one, letter case and `hidden`
    names aside; several that fit are no answer. What is missing at its end is to be made."""
    wanted = tuple(part for part in path.split("/") if part and part.casefold() not in hidden)
    for length in range(len(wanted), 0, -1):
        fitting = _fitting(folded(wanted[:length], hidden), nodes, hidden, base=length < len(wanted))
        if len(fitting) > 1:
            places = ", ".join(sorted(spelled(node.path) for node in fitting))
            return Found(why=f"{spelled(wanted[:length])} may be any of {places}; write the whole path")
        if fitting:
            return Found(fitting[0], wanted[length:])
    return Found(why="there is no such datacenter or cluster, and none is ever made")


def _fitting(wanted: Path, nodes: Sequence[Node], hidden: Sequence[str], *, base: bool) -> list[Node]:
    """Places of that whole path, or else with that end. What is missing is made below a whole path, or below the end of
    one that is a cluster's or datacenter's (`base`): never below some pool or folder that happens to have the name."""
    paths = [(node, folded(node.path, hidden)) for node in nodes]
    exact = [node for node, path in paths if path == wanted]
    ends = [node for node, path in paths if path[-len(wanted) :] == wanted and (node.root or not base)]
    return exact or ends


def folded(path: Path, hidden: Sequence[str]) -> Path:
    """For comparing: letter case aside, and however a name's special characters are written."""
    names = (unquote(part).casefold() for part in path)
    return tuple(name for name in names if name not in hidden)


def spelled(path: Path) -> str:
    return "/" + "/".join(path)


def _by_name_or_address(tree: Tree, names: Iterable[str]) -> tuple[Member, ...]:
    for name in names:
        found = tuple(member for member in tree.members if member.name.casefold() == name.casefold())
        if found:
            return found
    return tuple(member for member in tree.members if set(member.addresses) & set(tree.addresses))


def _members(tree: Tree, names: Iterable[str], facts: Facts) -> tuple[Member, ...]:
    """The hosts of the inventory that may be this one: by name, by address, last by hardware."""
    found = _by_name_or_address(tree, names)
    uuid = facts.see(HardwareUuid())
    if found or isinstance(uuid, Unseen):
        return found
    return tuple(member for member in tree.members if _same_hardware(member.uuid, uuid))


def _same_hardware(one: str, other: str) -> bool:
    """Whether two UUIDs are one: of the first three groups, makers write the bytes in either order (SMBIOS 2.6). Some
    boards have none."""
    left, right = (re.sub(r"[^0-9a-f]", "", text.lower()) for text in (one, other))
    if len(left) != 32 or len(right) != 32 or NO_UUID.fullmatch(left):
        return False
    swapped = (
        left[6:8] + left[4:6] + left[2:4] + left[:2] + left[10:12] + left[8:10] + left[14:16] + left[12:14]
    )
    return right in (left, swapped + left[16:])


def resources(wish: PlacementWish, wisher: Wisher) -> Iterable[Resource]:
    """The placement, when the spec names a path."""
    wanted = wish.placement
    if wanted is not None and (wanted.resource_path is not None or wanted.folder_path is not None):
        names = tuple(dict.fromkeys(name for name in (wisher.address, wisher.host) if name))
        yield PlacementResource(wanted, names, wisher.vcenter)


KIND = Kind(NAME, "", PlacementWish, resources)
