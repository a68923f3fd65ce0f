"""Volumes of images as values: what a look would show of them, and what each verb would do to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.disks.chunks import BLOCK, Run, taken
from reconciler.facts import (
    BackupOwed,
    Datastore,
    Datastores,
    Facts,
    Folder,
    Identity,
    Machine,
    Machines,
    Place,
    Product,
    Question,
    Unseen,
)
from reconciler.image_facts import (
    FILE_BLOCKS,
    DiskFile,
    DiskUse,
    FileBlock,
    Filled,
    HalfCopies,
    HalfCopy,
    HereTime,
    HostTime,
    ImageFolder,
    ImageState,
    InUse,
    Library,
    ModuleLoaded,
    RoomHere,
    TopDisk,
    TopDisks,
    VolumeUse,
)
from reconciler.image_verbs import Cargo, CopyVerb, DeleteFolder, LoadModule, PutInPlace, SetAside
from reconciler.kinds import images
from reconciler.kinds.images.setup import names
from reconciler.kinds.images.wish import ImagesWish
from reconciler.kinds.model import Resource, Risk, Source, Wisher
from reconciler.plan import Plan, Rules, Step, make_plan
from reconciler.verbs import MakeFolder, Verb

MIB = 1 << 20
NOW = 1_800_000_000
DISK, REPOSITORY, HERE = "/vmfs/volumes/datastore1", "/vmfs/volumes/repository", "/srv/repository"
TRIPS = 3


def whole(size: int = 10 * MIB, form: str = "vmfs", **more: Any) -> ImageState:
    """A disk that takes `size` bytes."""
    file = DiskFile("x-flat.vmdk", size, 0o644, allocated=size)
    values: dict[str, Any] = {
        "runnable": form == "vmfs", "capacity": 100 * MIB, "data": size, "disk_file": "x.vmdk", "files": (file,),
        "modified": 1_700_000_000,
        "parts": ("x.vmdk", "x-flat.vmdk"),
    }  # fmt: skip
    return ImageState(True, "", form, **(values | more))


def broken(why: str = "the extent x is missing", size: int = MIB, **more: Any) -> ImageState:
    values: dict[str, Any] = {"whole": False, "runnable": False, "why": why}
    return replace(whole(size), **(values | more))


@dataclass
class Volumes:
    """One host's virtual disk path and its repository. `here`: the repository is on this machine; `places` tells, by
    image, in which 64 KiB of the disk something stands there. `block`: the bytes of a file block of the datastore."""

    disk: dict[str, ImageState] = field(default_factory=dict)
    repository: dict[str, ImageState] | None = field(default_factory=dict)
    here: bool = False
    reachable: bool = True
    uses: tuple[DiskUse, ...] = ()
    blind: tuple[str, ...] = ()
    free: int = 1000 * MIB
    block: int = MIB
    places: Mapping[str, frozenset[int]] = field(default_factory=dict)
    halves: tuple[HalfCopy, ...] = ()
    kept_halves: tuple[HalfCopy, ...] = ()
    version: tuple[int, int, int] = (6, 7, 0)
    loaded: bool = False
    filled: str | None = None
    room_here: int | None = None
    machines: tuple[Machine, ...] = ()
    tops: tuple[TopDisk, ...] = ()
    missing: bool = False
    unseen: Mapping[type[Any], str] = field(default_factory=dict)
    datastores: tuple[Datastore, ...] | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
    """Why the folders below a path can't be read."""
    uncopied: set[str] = field(default_factory=set)
    """What was set aside while no whole copy of it lay in a repository in reach, or beside it."""

    @property
    def base(self) -> str:
        return HERE if self.here else REPOSITORY

    def answer(self, question: Question[Any]) -> Any:
        if type(question) in self.unseen:
            return Unseen(self.unseen[type(question)])
        if isinstance(question, ImageFolder):
            return self._folder(question)
        if isinstance(question, Library):
            return self._library(question)
        if isinstance(question, HalfCopies) and question.volume == REPOSITORY:
            return self.kept_halves
        return self._fixed()[type(question)]

    def _fixed(self) -> dict[type[Any], Any]:
        stores = (
            Datastore("datastore1", "VMFS-6", True, id="vol-1", capacity=1 << 40, free=self.free),
            Datastore("repository", "NFS", self.reachable, id="vol-2", capacity=1 << 40, free=self.free),
        )
        return {
            Datastores: stores if self.datastores is None else self.datastores,
            Identity: Product("VMware ESXi", self.version, "1"),
            HalfCopies: self.halves,
            FileBlock: self.block,
            Filled: self.filled,
            RoomHere: self.room_here,
            HostTime: NOW,
            HereTime: NOW,
            VolumeUse: InUse(self.uses, self.blind),
            Machines: self.machines,
            TopDisks: self.tops,
            ModuleLoaded: self.loaded,
            BackupOwed: frozenset(),
            Folder: Place.FOLDER,
        }

    def _folder(self, question: ImageFolder) -> ImageState | Unseen | None:
        if question.base in self.hidden:
            return Unseen(self.hidden[question.base])
        if question.base == DISK:
            return self.disk.get(question.folder)
        state = (self.repository or {}).get(question.folder)
        places = self.places.get(question.folder) if self.here else None
        if state is None or not state.whole or not places:
            return state
        runs = [Run(place * BLOCK, BLOCK) for place in sorted(places)]
        return replace(
            state,
            data=BLOCK * len(places),
            spread=tuple(taken(runs, block) for block in FILE_BLOCKS),
        )

    def _library(self, question: Library) -> tuple[str, ...] | None:
        if question.base == DISK:
            return None if self.missing else tuple(sorted(self.disk))
        return None if self.repository is None else tuple(sorted(self.repository))

    def do(self, verb: Verb) -> None:
        """What the verb would do. Raises AssertionError for what a host would refuse, or what must never be done."""
        if isinstance(verb, SetAside):
            name = verb.room.folder.rpartition("/")[2]
            assert f"_delete_{name}" not in self.disk
            if not self._is_copied(name):
                self.uncopied.add(name)
            self.disk[f"_delete_{name}"] = self.disk.pop(name)
        elif isinstance(verb, DeleteFolder):
            self._delete(verb)
        elif isinstance(verb, PutInPlace):
            name = verb.room.folder.rpartition("/")[2]
            assert name not in self.disk
            self.disk[name] = self.disk.pop(verb.source.rpartition("/")[2])
        elif isinstance(verb, CopyVerb):
            self._copy(verb)
        elif isinstance(verb, MakeFolder):
            self.missing = False
        else:
            assert isinstance(verb, LoadModule)
            self.loaded = True

    def _is_copied(self, name: str) -> bool:
        there = (self.repository or {}).items() if self.here or self.reachable else ()
        beside = self.disk.get(f"{name}~")
        return any(name in names(image) and state.whole for image, state in there) or (
            beside is not None and beside.whole and beside.runnable
        )

    def _delete(self, verb: DeleteFolder) -> None:
        name = verb.room.folder.rpartition("/")[2]
        if name.startswith(".reconciler-"):
            self.halves = tuple(it for it in self.halves if it.folder != name)
            self.kept_halves = tuple(it for it in self.kept_halves if it.folder != name)
            return
        assert name.startswith("_delete_") or name.endswith(("~", "_2gbsparse")), name
        self.free += self.disk.pop(name).allocated

    def _copy(self, verb: CopyVerb) -> None:
        name, sparse = verb.room.folder.rpartition("/")[2], verb.format == "2gbsparse"
        made = whole(self._charged(verb.cargo), "twoGbMaxExtentSparse" if sparse else "vmfs")
        place = self.disk if verb.room.folder.startswith(DISK) else self.repository
        assert place is not None
        assert name not in place
        place[name] = made
        if place is self.disk:
            self.free -= made.allocated
            assert self.free >= 0, "space was overcommitted"

    def _charged(self, cargo: Cargo) -> int:
        """What a volume takes for it: every file block in which something stands."""
        places = self.places.get(cargo.image) if cargo.here else None
        if not places:
            return -(-cargo.data // self.block) * self.block
        kib = {place * BLOCK // 1024 + more for place in places for more in range(BLOCK // 1024)}
        return len({each * 1024 // self.block for each in kib}) * self.block


def wish(images_wished: Mapping[str, Any], volumes: Volumes, **disk: Any) -> list[Resource]:
    """The resources of a spec with these images."""
    spec: dict[str, Any] = {"virtualDisk": {"path": "datastore1", **disk}, "images": dict(images_wished)}
    if volumes.repository is not None:
        spec["repository"] = {"path": volumes.base}
    return list(images.resources(ImagesWish.model_validate(spec), Wisher("esx")))


def look(resources: Sequence[Resource], volumes: Volumes) -> Facts:
    """Three trips, as a pass makes them."""
    facts, asked = Facts(), set[Question[Any]]()
    for _ in range(TRIPS):
        wanted: set[Question[Any]] = {question for it in resources for question in it.asks(facts)}
        wanted |= {BackupOwed(), Identity()}
        facts = facts.with_answers({question: volumes.answer(question) for question in wanted - asked})
        asked |= wanted
    return facts


def plan_of(resources: Sequence[Resource], volumes: Volumes, allow: Risk = Risk.SERVICE) -> Plan:
    rules = Rules(allow, lambda place: Source("a.yaml", 1))
    return make_plan(resources, look(resources, volumes), rules)


def settle(
    resources: Sequence[Resource], volumes: Volumes, allow: Risk = Risk.SERVICE, verbs: int = 1000
) -> list[Verb]:
    """Plan, do the first step, look again, until nothing is left or so many verbs were done; the verbs."""
    done: list[Verb] = []
    tried: set[tuple[object, ...]] = set()
    while (step := _first(plan_of(resources, volumes, allow), tried)) is not None:
        tried.add((step.resource, step.change.key))
        for verb in step.change.actions:
            if len(done) >= verbs:
                return done
            volumes.do(verb)
            done.append(verb)
    return done


def _first(plan: Plan, tried: set[tuple[object, ...]]) -> Step | None:
    return next((it for it in plan.steps if (it.resource, it.change.key) not in tried), None)
