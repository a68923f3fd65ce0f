"""`placement`: where VCL creates machines in the inventory of a vCenter (VCL's Resource Path and Folder Path)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from reconciler.facts import Facts, Question, Unseen
from reconciler.kinds.model import Change, Difference, Fragment, Kind, Resource, Risk, Verdict, Wisher
from reconciler.kinds.placement.members import by_name_or_address, members_of
from reconciler.kinds.placement.paths import find, spelled
from reconciler.placement_facts import HardwareUuid, Inventory, Pool, Tree
from reconciler.records import record
from reconciler.verbs import CreateResourcePools, CreateVmFolders, Verb

NAME = "placement"
POOLS_HIDE, FOLDERS_HIDE = ("host", "resources"), ("vm",)
"""Folders that are in every inventory, and that make no difference in a path."""


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


@record
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
            and not by_name_or_address(tree, self.names)
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
        self._host(found.base, tree, facts, (out[1], out[2]))

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

    def _host(self, pool: Pool, tree: Tree, facts: Facts, out: tuple[list[str], list[str]]) -> None:
        """What is held or found when the host's own resources are not those of the path."""
        members = members_of(tree, self.names, facts)
        if not members:
            out[1].append(f"the vCenter knows no host by {self._known_by(facts)}")
        elif len({member.compute for member in members}) > 1:
            places = ", ".join(sorted(spelled((*member.path, member.name)) for member in members))
            out[0].append(f"whether the host is under resourcePath can't be told: it may be any of {places}")
        elif members[0].compute != pool.compute:
            out[1].append(f"the host is in {spelled(members[0].path)}, not under {spelled(pool.path)}")

    def _known_by(self, facts: Facts) -> str:
        """By what it was looked for in vain."""
        uuid, names = facts.see(HardwareUuid()), ", ".join(self.names)
        if isinstance(uuid, Unseen):
            return f"any of {names} or its addresses, and its hardware can't be compared: {uuid.why}"
        return f"any of {names}, its addresses or its hardware"


def resources(wish: PlacementWish, wisher: Wisher) -> Iterable[Resource]:
    """The placement, when the spec names a path."""
    wanted = wish.placement
    if wanted is not None and (wanted.resource_path is not None or wanted.folder_path is not None):
        names = tuple(dict.fromkeys(name for name in (wisher.address, wisher.host) if name))
        yield PlacementResource(wanted, names, wisher.vcenter)


KIND = Kind(NAME, "", PlacementWish, resources)
