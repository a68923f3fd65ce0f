"""Machines that write straight into a master: every clone of it changes under its feet. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.facts import Datastore, Datastores, Facts, Machines, Question, Unseen
from reconciler.image_facts import TopDisk, TopDisks
from reconciler.kinds.images.setup import Base
from reconciler.kinds.paths import VOLUMES, DatastorePath, parse_datastore_path


def questions(facts: Facts) -> Iterable[Question[Any]]:
    """Which disks the registered machines name as their own."""
    yield Machines()
    configs = _configs(facts)
    if configs:
        yield TopDisks(configs)


def _configs(facts: Facts) -> tuple[str, ...]:
    machines, datastores = facts.see(Machines()), facts.see(Datastores())
    if isinstance(machines, Unseen) or isinstance(datastores, Unseen):
        return ()
    there = {it.name for it in datastores if it.accessible} | {it.id for it in datastores if it.accessible}
    paths = {f"{VOLUMES}{it.datastore}/{it.path}" for it in machines if it.datastore in there}
    return tuple(sorted(paths))


def findings(base: Base, folder: str, facts: Facts) -> tuple[str, ...]:
    """The machines that write straight into the disk in that folder."""
    seen = facts.see(TopDisks(_configs(facts)))
    if isinstance(seen, Unseen):
        return ()
    masters = [it for it in seen if it.persistent and _folder(base, it, facts) == folder]
    what = "every clone of it changes under its feet; take the machine away, or give it a snapshot"
    return tuple(f"virtual machine {it.machine!r} writes straight into this master: {what}" for it in masters)


def written_folders(base: Base, facts: Facts) -> frozenset[str]:
    """The image folders into whose disks a machine writes straight."""
    seen = facts.see(TopDisks(_configs(facts)))
    if isinstance(seen, Unseen):
        return frozenset()
    return frozenset(name for it in seen if it.persistent and (name := _folder(base, it, facts)) is not None)


def _folder(base: Base, disk: TopDisk, facts: Facts) -> str | None:
    """The image's folder below the base whose own disk this is: `NAME/NAME.vmdk`."""
    if base.path is None or not disk.file.startswith(VOLUMES):
        return None
    try:
        path = parse_datastore_path(disk.file)
    except ValueError:
        return None
    if not _same_datastore(base.path, path, facts):
        return None
    above, _, file = path.relative.rpartition("/")
    parent, _, folder = above.rpartition("/")
    return folder if parent == base.path.relative and file == f"{folder}.vmdk" else None


def _same_datastore(one: DatastorePath, other: DatastorePath, facts: Facts) -> bool:
    seen = facts.see(Datastores())
    if isinstance(seen, Unseen):
        return False
    return any(_is(it, one.datastore) and _is(it, other.datastore) for it in seen)


def _is(datastore: Datastore, spelled: str) -> bool:
    return spelled in (datastore.name, datastore.id)
