"""What a copy over the SDK is worth: its descriptor, the full size of its flat file, and what its source was."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.actuators.sdk.images.files import VolumeFiles
from reconciler.actuators.sdk.session import Stumbled
from reconciler.disks.descriptors import BadDisk, parse
from reconciler.image_verbs import CloneDisk
from reconciler.kinds.paths import parse_datastore_path
from reconciler.records import record


@record
class Place:
    """A folder of a datastore, relative to its root."""

    files: VolumeFiles
    folder: str

    @classmethod
    def of(cls, files: VolumeFiles, absolute: str) -> Place:
        """From the path that the host's shell knows."""
        return cls(files, parse_datastore_path(absolute).relative)

    def within(self, name: str) -> str:
        return f"{self.folder}/{name}" if self.folder else name

    def name(self, name: str) -> str:
        """A file in it as vSphere writes it."""
        return self.files.path(self.within(name))


def state_of(place: Place, names: Iterable[str]) -> str:
    """What tells one state of a disk from another: size and time of each of its files. Raises Stumbled when one is not
    there."""
    there = place.files.list(place.folder) or {}
    missing = [name for name in names if name not in there]
    if missing:
        raise Stumbled(f"{place.name(missing[0])} is not there any more")
    return "\n".join(f"{name} {there[name].size} {there[name].modified}" for name in names)


def prove(place: Place, verb: CloneDisk) -> str | None:
    """Why the copy is no whole one; None when it is."""
    text = place.files.get(place.within(f"{verb.room.disk}.vmdk"))
    if text is None:
        return "the copy is not whole: it has no descriptor"
    try:
        found = parse(text)
    except BadDisk as bad:
        return f"the copy is not whole: {bad}"
    flat = f"{verb.room.disk}-flat.vmdk"
    if found.parent is not None or [extent.file for extent in found.extents] != [flat]:
        return f"the copy is not what was asked for: its descriptor names no {flat} alone"
    if found.capacity != verb.cargo.capacity:
        return f"the copy has {found.capacity} bytes for a guest, its source {verb.cargo.capacity}"
    if found.adapter != verb.cargo.adapter:
        return f"the copy has the adapter {found.adapter!r}, its source {verb.cargo.adapter!r}"
    if not place.files.is_of_size(place.within(flat), verb.cargo.capacity):
        return "the copy is not whole: its flat file is not of the full size"
    return None
