"""The datastores of one look, and the questions that are about what lies on them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

from reconciler.facts import Datastore, Datastores, Folder, Place, Question
from reconciler.image_facts import DisksInUse, FileBlock, HalfCopies, ImageFolder, Library, TopDisks
from reconciler.observers.sdk import images, shown
from reconciler.observers.sdk.browser import Browser
from reconciler.observers.sdk.shown import Unclear, parsed
from reconciler.transports.sdk import Row, SdkSession

NFS_BLOCK = 4096


class Stores:
    """The datastores of one look. `reached` are those that are accessible, by id."""

    def __init__(self, session: SdkSession, rows: list[Row], stale: Collection[str] = ()) -> None:
        """`stale` are the ids of the objects whose free space the host would not find out afresh."""
        self._session, self.rows, self._stale = session, rows, stale

    @cached_property
    def all(self) -> tuple[Datastore, ...]:
        """Raises Unclear."""
        return tuple(shown.datastore(row, fresh=row.object._moId not in self._stale) for row in self.rows)

    @cached_property
    def reached(self) -> dict[str, Browser]:
        """Raises Unclear."""
        found = {}
        for row, it in zip(self.rows, self.all, strict=True):
            if it.accessible and it.id is None:
                raise Unclear(f"the datastore {it.name} does not tell where it is")
            if it.accessible and it.id is not None:
                found[it.id] = Browser(self._session, it, row.values.get("browser"))
        return found

    @property
    def names(self) -> dict[str, str]:
        """The names of all datastores by their ids, of those as well that can't be reached. Raises Unclear."""
        return {it.id: it.name for it in self.all if it.id is not None}

    @property
    def named(self) -> dict[str, Browser]:
        """Those that are accessible, by id and by name. Raises Unclear."""
        return {**self.reached, **{it.datastore.name: it for it in self.reached.values()}}

    def at(self, path: str) -> Browser:
        """The one on which an absolute path lies. Raises Unclear when it is not there, or not accessible."""
        wanted = parsed(path).datastore
        found = self.named.get(wanted)
        if found is None:
            there = [it for it in self.all if wanted in (it.name, it.id)]
            why = "is not accessible" if there else "is not there"
            raise Unclear(f"the datastore {wanted} {why}")
        return found


def _place(question: Folder, stores: Stores) -> Place:
    """What stands at a path. Raises Unclear, MethodFault."""
    return _standing(stores.at(question.path), parsed(question.path).relative)


def _standing(browser: Browser, relative: str) -> Place:
    """What stands there, or in the way above it: a search below a file finds as little as one below nothing."""
    if not relative:
        return Place.FOLDER
    above, _, name = relative.rpartition("/")
    listed = browser.folder(above)
    if listed is None:
        return Place.OTHER if _standing(browser, above) is Place.OTHER else Place.ABSENT
    found = listed.get(name)
    if found is None:
        return Place.ABSENT
    return Place.FOLDER if found.folder else Place.OTHER


def _block(question: FileBlock, stores: Stores) -> int:
    """The size of file blocks, which the API tells of VMFS; on NFS ESXi counts in 4096 bytes (vmkfstools -P)."""
    datastore = stores.at(question.volume).datastore
    if datastore.nfs is not None:
        return NFS_BLOCK
    for row, it in zip(stores.rows, stores.all, strict=True):
        vmfs = getattr(row.values.get("info"), "vmfs", None)
        if it.id == datastore.id and vmfs is not None:
            return int(vmfs.blockSizeMb) << 20
    raise Unclear(f"the SDK does not tell the size of file blocks on {datastore.name}")


STORE_READERS: dict[type[Question[Any]], Callable[[Any, Stores], Any]] = {
    Datastores: lambda question, stores: stores.all,
    Folder: _place,
    FileBlock: _block,
    ImageFolder: lambda question, stores: images.state(question, stores.at(question.base)),
    Library: lambda question, stores: images.library(question, stores.at(question.base)),
    HalfCopies: lambda question, stores: images.half_copies(question, stores.at(question.volume)),
    TopDisks: lambda question, stores: images.top_disks(question, stores.named),
}
ON_DATASTORES = {*STORE_READERS, DisksInUse}
