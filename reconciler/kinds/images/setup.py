"""What a spec says of master images on one host, resolved: the places, the wishes, and what can be seen of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from reconciler.facts import Datastore, Facts, Unseen, may_be_one
from reconciler.image_facts import ImageFolder, ImageState, Library
from reconciler.image_verbs import Room
from reconciler.kinds.images.wish import ImageWish, RepositoryFormat, VirtualDiskWish
from reconciler.kinds.paths import VOLUMES, DatastorePath, datastore_of
from reconciler.records import record

Wish = ImageWish | Literal["absent"]
LONGEST_OF_VCENTER = 29


@record
class Base:
    """A folder whose folders are images. `path` is None on this machine; `form` is how disks are kept there."""

    base: str
    path: DatastorePath | None
    form: str = "vmdk"

    @property
    def here(self) -> bool:
        return self.path is None

    @property
    def volume(self) -> str:
        """The root of the volume; on this machine the base itself."""
        return self.base if self.path is None else VOLUMES + self.path.datastore

    @property
    def spelled(self) -> str:
        """For people."""
        return f"{self.base} here" if self.path is None else self.path.spelled

    def room(self, folder: str, disk: str) -> Room:
        return Room(self.volume, f"{self.base}/{folder}", disk, self.here)

    def on_volume(self, folder: str) -> str:
        """A folder relative to the volume, as uses name it."""
        return f"{self.path.relative}/{folder}" if self.path and self.path.relative else folder

    def question(self, folder: str, disk: str) -> ImageFolder:
        return ImageFolder(self.base, folder, disk, self.here, self.form)

    @property
    def library(self) -> Library:
        return Library(self.base, self.here)

    def datastore(self, facts: Facts) -> Datastore | Unseen | None:
        """The datastore that it is on; on this machine there is none."""
        return None if self.path is None else datastore_of(self.path, facts)

    def unseen(self, facts: Facts) -> str | None:
        """Why it can't be looked at now; what stands here always can."""
        if self.path is None:
            return None
        found = self.datastore(facts)
        if isinstance(found, Unseen):
            return found.why
        if found is None:
            return f"it is looked at once the datastore {self.path.datastore} is there"
        return None if found.accessible else f"the datastore {found.name} is not accessible"

    def reachable(self, facts: Facts) -> bool:
        """Whether it can be looked at now."""
        return self.unseen(facts) is None


@record
class Sight:
    """What was found of an image at a base: the folder's name, and what it holds (None: there is no such folder)."""

    folder: str
    state: ImageState | None

    @property
    def whole(self) -> bool:
        return self.state is not None and self.state.whole

    @property
    def runs(self) -> bool:
        """Whether it is whole, and ESXi can run it as it lies there."""
        return self.state is not None and self.state.whole and self.state.runnable


@record
class Whole:
    """A whole image that was found at a base."""

    base: Base
    folder: str
    state: ImageState

    @classmethod
    def at(cls, base: Base, sight: Sight) -> Whole | None:
        """What was found, if it is whole."""
        state = sight.state
        return cls(base, sight.folder, state) if state is not None and state.whole else None


@record
class Setup:
    """All that a spec says of master images on a host."""

    disk: Base
    wish: VirtualDiskWish
    repository: Base | None
    repository_format: RepositoryFormat
    images: Mapping[str, Wish]

    @property
    def wanted(self) -> Mapping[str, ImageWish]:
        """The images that must be there."""
        return {name: it for name, it in sorted(self.images.items()) if it != "absent"}

    @property
    def kept(self) -> frozenset[str]:
        """Names of folders that hold, or are to hold, a wanted image."""
        return frozenset(folder for name in self.wanted for folder in names(name))

    @property
    def dedicated(self) -> bool:
        return self.wish.mode == "dedicated"


def names(image: str) -> tuple[str, ...]:
    """The names under which an image may lie: its own, and the one to which vCenter cuts longer ones."""
    short = short_name(image)
    return (image,) if short == image else (image, short)


def short_name(image: str) -> str:
    """What vCenter makes of a name of more than 29 characters (the rule of VCL's _clean_vm_name).

    As much of the text as fits, with the image's number and revision kept; without those the first 19 and the last 10
    characters.
    """
    if len(image) <= LONGEST_OF_VCENTER:
        return image
    match = re.fullmatch(r"(.+?)-(.*?)([0-9]+-v[0-9]+)", image)
    if match is not None and (room := LONGEST_OF_VCENTER - len(match[1]) - 1 - len(match[3])) >= 0:
        return f"{match[1]}-{match[2][:room]}{match[3]}"
    return image[:19] + image[-10:]


def sights(base: Base, image: str) -> Iterator[ImageFolder]:
    """What has to be asked to find an image at a base."""
    for folder in names(image):
        yield base.question(folder, folder)


def seek(base: Base, image: str, facts: Facts) -> Sight | Unseen:
    """Where an image is at a base: the first of its names under which it is whole, else what lies under any."""
    found: Sight | None = None
    for folder in names(image):
        state = facts.see(base.question(folder, folder))
        if isinstance(state, Unseen):
            return state
        sight = Sight(folder, state)
        if sight.whole:
            return sight
        found = sight if found is None or found.state is None else found
    assert found is not None
    return found


def listed(base: Base, facts: Facts) -> tuple[str, ...]:
    """The folders of a base as far as they were seen."""
    seen = facts.see(base.library)
    return () if isinstance(seen, Unseen) or seen is None else seen


def is_one_place(one: Base, other: Base, facts: Facts) -> bool:
    """Whether two bases may be one folder, or one lies in the other: one export may be mounted under two names of its
    server, and then an image is no copy of itself."""
    first, second = one.datastore(facts), other.datastore(facts)
    if not isinstance(first, Datastore) or not isinstance(second, Datastore):
        return False
    assert one.path is not None
    assert other.path is not None
    paths = f"{one.path.relative}/".lstrip("/"), f"{other.path.relative}/".lstrip("/")
    nested = paths[0].startswith(paths[1]) or paths[1].startswith(paths[0])
    return nested and (same_volume(one, other, facts) or may_be_one(first, second))


def same_volume(first: Base, second: Base, facts: Facts) -> bool:
    """Whether two bases lie on one volume, however each is spelled."""
    if first.here or second.here:
        return False
    one, other = first.datastore(facts), second.datastore(facts)
    if isinstance(one, Datastore) and isinstance(other, Datastore):
        return one.name == other.name or (one.id is not None and one.id == other.id)
    return first.volume == second.volume


def out_of_reach(base: Base, facts: Facts) -> Unseen:
    """Why a base on a datastore can't be looked at."""
    found = base.datastore(facts)
    if isinstance(found, Unseen):
        return found
    name = base.path.datastore if base.path is not None else base.base
    return Unseen(
        f"the datastore {name} is {'not accessible' if isinstance(found, Datastore) else 'not there'}"
    )
