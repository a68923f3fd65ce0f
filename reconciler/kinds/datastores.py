"""`datastore/NAME`: volumes that must be there, NFS mounts that must come from the right place, or be gone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from reconciler.facts import Datastore, Datastores, Facts, Identity, Machines, NfsSource, Question, Unseen
from reconciler.kinds.model import (
    Change,
    Difference,
    Finder,
    Found,
    Fragment,
    Kind,
    Resource,
    Risk,
    Verdict,
    Wisher,
    differences,
)
from reconciler.records import record
from reconciler.verbs import MountNfs, RemountNfs, UnmountNfs

DatastoreName = Annotated[
    str, StringConstraints(min_length=1, max_length=42, pattern=r"^[^-\x00-\x1f\x7f/\\][^\x00-\x1f\x7f/\\]*$")
]


class NfsWish(Fragment):
    """An NFS mount."""

    server: str = Field(
        min_length=1,
        pattern=r"^[^-\s\x00-\x1f\x7f][^\s\x00-\x1f\x7f]*$",
        description="the NFS server, kept letter by letter: another spelling is another datastore to ESXi",
        examples=["10.10.0.1"],
    )
    path: str = Field(
        min_length=1,
        pattern=r"^/[^\x00-\x1f\x7f]*$",
        description="the exported path on the server",
        examples=["/install/vmware_images"],
    )
    version: Literal["3", "4.1"] = Field(
        default="3", description='NFS version, "3" or "4.1" (ESXi 6.0 and later)'
    )
    read_only: bool = Field(default=False, description="mount it read-only")

    @property
    def source(self) -> NfsSource:
        return NfsSource(self.server, self.path, self.version, self.read_only)


class VmfsWish(Fragment):
    """A VMFS volume: it must exist; it is never created, formatted or removed."""


class DatastoreWish(Fragment):
    """One datastore; `{}` means that it must exist, whatever it is."""

    nfs: NfsWish | None = Field(default=None, description="an NFS mount, made when it is missing")
    vmfs: VmfsWish | None = Field(
        default=None, description="must exist as VMFS; never created, formatted or removed"
    )


class DatastoresWish(Fragment):
    """`spec.datastores`."""

    datastores: dict[DatastoreName, DatastoreWish | Literal["absent"]] | None = Field(
        default=None,
        description="datastores by the name that ESXi shows; `absent`: must not be mounted (NFS only)",
        examples=[{"repository": {"nfs": {"server": "10.10.0.1", "path": "/install/vmware_images"}}}],
    )


@record
class _Base(ABC):
    """What all wishes of a datastore share. `datastore` is the name that ESXi shows."""

    datastore: str

    @property
    def name(self) -> str:
        return f"datastore/{self.datastore}"

    @property
    def place(self) -> tuple[str, ...]:
        return ("datastores", self.datastore)

    def needs(self, facts: Facts) -> tuple[str, ...]:
        return ()

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield Datastores()

    def judge(self, facts: Facts) -> Verdict:
        seen = facts.see(Datastores())
        if isinstance(seen, Unseen):
            return Verdict(unknown=seen.why)
        found = next((it for it in seen if it.name == self.datastore), None)
        if found is not None and found.nfs is None and found.type.upper().startswith("NFS"):
            return Verdict(
                unknown="the host lists it as a volume, but not among its NFS mounts: it is just changing"
            )
        return self._compare(found, seen, facts)

    @abstractmethod
    def _compare(self, found: Datastore | None, seen: tuple[Datastore, ...], facts: Facts) -> Verdict:
        """What this wish thinks of the datastore of its name."""

    def _in_the_way(self, found: Datastore, facts: Facts) -> Verdict | None:
        """A verdict against touching the mount, while a virtual machine stands on it or can't be ruled out."""
        machines = facts.see(Machines())
        if isinstance(machines, Unseen):
            return Verdict(unknown=f"can't see whether a virtual machine stands on it: {machines.why}")
        standing = sorted(it.name for it in machines if it.datastore in {found.name, found.id})
        if standing:
            return Verdict(held=(f"it is in use: {_named(standing)} on it",))
        return None


@record
class ExistingDatastore(_Base):
    """`{}` or `vmfs: {}`: must exist."""

    vmfs: bool = False

    def _compare(self, found: Datastore | None, seen: tuple[Datastore, ...], facts: Facts) -> Verdict:
        if found is None:
            what = "a VMFS datastore is never created" if self.vmfs else "the spec does not say what it is"
            return Verdict(held=(f"there is no datastore {self.datastore!r}, and {what}",))
        if self.vmfs and not found.type.upper().startswith("VMFS"):
            return Verdict(held=(f"it is {_described(found)}, not VMFS",))
        return _accessible(found)


@record
class NfsDatastore(_Base):
    """An NFS mount. `leaving` tells for each other name of the spec what it is to be: None for `absent`."""

    source: NfsSource
    leaving: Mapping[str, NfsSource | None] = field(default_factory=dict)

    def needs(self, facts: Facts) -> tuple[str, ...]:
        """Another mount of the spec that holds this export now and is to let it go."""
        seen = facts.see(Datastores())
        other = None if isinstance(seen, Unseen) else self._holder(seen)
        return () if other is None or not self._leaves(other) else (f"datastore/{other.name}",)

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield Datastores()
        yield Identity()
        seen = facts.see(Datastores())
        found = (
            None if isinstance(seen, Unseen) else next((it for it in seen if it.name == self.datastore), None)
        )
        if found is not None and found.nfs is not None and self._differs(found):
            yield Machines()

    def _compare(self, found: Datastore | None, seen: tuple[Datastore, ...], facts: Facts) -> Verdict:
        if found is not None and found.nfs is None:
            return Verdict(held=(f"the name is taken by {_described(found)}",))
        if found is not None and not (found.accessible and self._differs(found)):
            return self._as_wished(found)
        return self._impossible(seen, facts) or self._change(found, facts)

    def _as_wished(self, found: Datastore) -> Verdict:
        verdict = _accessible(found)
        if self._differs(found) and found.nfs is not None:
            finding = (
                f"it is not the mount that the spec wants either ({self.source.server}:{self.source.path})"
            )
            advice = "it is replaced once the old one can be reached; or unmount that by hand"
            return Verdict(unknown=verdict.unknown, findings=(*verdict.findings, f"{finding}; {advice}"))
        if self.source.read_only and not found.read_only_known:
            finding = "this version of ESXi does not tell whether a mount is read-only"
            return Verdict(unknown=verdict.unknown, findings=(*verdict.findings, finding))
        return verdict

    def _impossible(self, seen: tuple[Datastore, ...], facts: Facts) -> Verdict | None:
        other = self._holder(seen)
        if other is not None and not self._leaves(other):
            what = f"{self.source.server}:{self.source.path}"
            return Verdict(
                held=(f"the host has {what} mounted as {other.name!r} already; ESXi mounts an export once",)
            )
        product = facts.see(Identity())
        if isinstance(product, Unseen):
            return Verdict(unknown=product.why)
        if self.source.version == "4.1" and product.version < (6, 0, 0):
            return Verdict(held=(f"ESXi {product.version_text} has no NFS 4.1 (6.0 and later have)",))
        if self.source.read_only and product.version < (5, 0, 0):
            return Verdict(held=(f"esxcfg-nas of ESXi {product.version_text} can't mount read-only",))
        return None

    def _change(self, found: Datastore | None, facts: Facts) -> Verdict:
        before = _fields(found) if found is not None else {}
        wanted = differences(before, _of(self.source, found is None or found.read_only_known))
        if found is None or found.nfs is None:
            wanted = tuple(it for it in wanted if it.after not in (False, "3"))
            action = MountNfs(self.datastore, self.source)
            return Verdict(
                changes=(
                    Change("create", Risk.SAFE, wanted, (action,), "it is not mounted", (*self.place, "nfs")),
                )
            )
        against = self._in_the_way(found, facts)
        if against is not None:
            return against
        remount = RemountNfs(self.datastore, found.nfs, self.source)
        same = (found.nfs.server, found.nfs.path) == (self.source.server, self.source.path)
        place = "the right place, but in another way" if same else f"{found.nfs.server}:{found.nfs.path}"
        why = f"it is mounted from {place}"
        where = (*self.place, *wanted[0].field.split("."))
        return Verdict(changes=(Change("update", Risk.LINK, wanted, (remount,), why, where),))

    def _differs(self, found: Datastore) -> bool:
        return bool(differences(_fields(found), _of(self.source, found.read_only_known)))

    def _holder(self, seen: tuple[Datastore, ...]) -> Datastore | None:
        """The other mount that has this very export; ESXi compares server and path letter by letter."""
        same = (self.source.server, self.source.path)
        others = (it for it in seen if it.nfs is not None and it.name != self.datastore)
        return next((it for it in others if it.nfs and (it.nfs.server, it.nfs.path) == same), None)

    def _leaves(self, other: Datastore) -> bool:
        """Whether the spec itself takes the export away from the other name."""
        if other.name not in self.leaving or other.nfs is None:
            return False
        wished = self.leaving[other.name]
        return wished is None or (wished.server, wished.path) != (other.nfs.server, other.nfs.path)


@record
class AbsentDatastore(_Base):
    """`absent`: must not be mounted."""

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield Datastores()
        seen = facts.see(Datastores())
        if not isinstance(seen, Unseen) and any(it.name == self.datastore and it.nfs for it in seen):
            yield Machines()

    def _compare(self, found: Datastore | None, seen: tuple[Datastore, ...], facts: Facts) -> Verdict:
        if found is None:
            return Verdict()
        if found.nfs is None:
            return Verdict(held=(f"it is {_described(found)}; only NFS mounts can be taken away",))
        if not found.accessible:
            return _accessible(found)
        against = self._in_the_way(found, facts)
        if against is not None:
            return against
        gone = tuple(
            Difference(name, value, None) for name, value in _fields(found).items() if value is not None
        )
        action = UnmountNfs(self.datastore, found.nfs.version)
        return Verdict(
            changes=(Change("delete", Risk.SERVICE, gone, (action,), "it is to be absent", self.place),)
        )


def _accessible(found: Datastore) -> Verdict:
    if found.accessible:
        return Verdict()
    where = f" ({found.nfs.server}:{found.nfs.path})" if found.nfs else ""
    return Verdict(
        unknown="the host lists it, but can't reach it",
        findings=(f"the datastore is not accessible{where}: look at the server, the network and the export",),
    )


def _fields(found: Datastore) -> dict[str, Any]:
    return {} if found.nfs is None else _of(found.nfs, found.read_only_known)


def _of(source: NfsSource, read_only_known: bool) -> dict[str, Any]:
    """A mount field by field. A read-only flag that the host does not tell is not compared."""
    fields: dict[str, Any] = {
        "nfs.server": source.server,
        "nfs.path": source.path,
        "nfs.version": source.version,
    }
    fields["nfs.readOnly"] = source.read_only if read_only_known else None
    return fields


def _described(found: Datastore) -> str:
    if found.nfs is not None:
        return f"an NFS mount of {found.nfs.server}:{found.nfs.path}"
    return f"a {found.type} volume"


def _named(machines: list[str]) -> str:
    shown = ", ".join(repr(name) for name in machines[:3])
    more = f" and {len(machines) - 3} more" if len(machines) > 3 else ""
    return (
        f"virtual machine {shown} stands" if len(machines) == 1 else f"virtual machines {shown}{more} stand"
    )


def resources(wish: DatastoresWish, wisher: Wisher) -> Iterable[Resource]:
    """One resource a datastore, by name."""
    wished = wish.datastores or {}
    leaving = {
        name: it.nfs.source if it != "absent" and it.nfs else None
        for name, it in wished.items()
        if it == "absent" or it.nfs is not None
    }
    for name, it in sorted(wished.items()):
        if it == "absent":
            yield AbsentDatastore(name)
        elif it.nfs is not None:
            yield NfsDatastore(name, it.nfs.source, leaving)
        else:
            yield ExistingDatastore(name, vmfs=it.vmfs is not None)


SYSTEM_TYPES = ("VFAT", "VMFS-L", "VMFSL", "VMFSOS", "VFFS")
"""Volumes that ESXi keeps for itself: boot banks, scratch space, crash dumps."""


def asks(wish: DatastoresWish, facts: Facts) -> Iterable[Question[Any]]:
    """What has to be seen to tell which there are."""
    yield Datastores()


def found(wish: DatastoresWish, facts: Facts) -> Iterable[Found]:
    """Each datastore with all that a spec can say of it."""
    seen = facts.see(Datastores())
    if isinstance(seen, Unseen):
        yield Found("datastore", ("datastores",), why=seen.why)
        return
    for it in sorted(seen, key=lambda datastore: datastore.name):
        if not it.type.upper().startswith(SYSTEM_TYPES):
            yield Found(f"datastore/{it.name}", ("datastores", it.name), _said(it))


def _said(it: Datastore) -> dict[str, Any]:
    if it.nfs is None:
        return {"vmfs": {}} if it.type.upper().startswith("VMFS") else {}
    nfs: dict[str, Any] = {"server": it.nfs.server, "path": it.nfs.path, "version": it.nfs.version}
    return {"nfs": {**nfs, "readOnly": True} if it.read_only_known and it.nfs.read_only else nfs}


KIND = Kind("datastore", "", DatastoresWish, resources, Finder(asks, found))
