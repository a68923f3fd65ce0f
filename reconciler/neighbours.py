"""Who else uses a volume: every host of all loaded specs that mounts it is asked, and every spec speaks for its images.

A host that can't be asked may have anything in use. Nothing is guessed: what can't be seen is named as a reason why
more may be in use (`InUse.blind`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import Any

from reconciler.desired.host import DesiredHost
from reconciler.desired.image_lint import on_host
from reconciler.engine import Contact
from reconciler.facts import Datastore, Datastores, Facts, Question, Unseen, may_be_one, plain_export
from reconciler.faults import Bug, Fault, Unreachable
from reconciler.image_facts import DisksInUse, DiskUse, InUse
from reconciler.kinds.images.setup import names
from reconciler.kinds.paths import DatastorePath, parse_datastore_path

FRESH_SECONDS = 60.0
"""What a host said of its mounts, and that it could not be asked, holds for so long. Who uses what is always asked
afresh."""
SIDE_BY_SIDE = 16

Open = Callable[[DesiredHost], Contact]


class Neighbours:
    """All hosts of the loaded specs, as far as others want to know of them. Safe to use from any thread.

    `hold`: connections are held open until `close`, else closed after each question.
    """

    def __init__(self, hosts: Sequence[DesiredHost], open_contact: Open, *, hold: bool = True) -> None:
        self._open, self._hold = open_contact, hold
        self._known: dict[str, _Neighbour] = {}
        self.know(hosts)

    def know(self, hosts: Sequence[DesiredHost]) -> None:
        """From now on these are all hosts. What is being asked is asked to its end."""
        known = self._known
        self._known = {
            it.name: known[it.name]
            if it.name in known and known[it.name].host == it
            else _Neighbour(it, self._open, hold=self._hold)
            for it in hosts
        }

    def use(
        self, asking: DesiredHost, datastore: Datastore, own: tuple[DiskUse, ...] | Unseen
    ) -> InUse | Unseen:
        """Who uses what on a volume that `asking` mounts as `datastore`; `own` is what that host says itself."""
        if isinstance(own, Unseen):
            return own
        if datastore.id is None:
            return Unseen(f"the host does not tell which volume {datastore.name} is")
        mine = tuple(replace(it, who=f"{it.who} on {asking.name}") for it in own if _may_be_on(it, datastore))
        others = [it for name, it in self._known.items() if name != asking.name]
        private = _is_private(asking, datastore)
        with ThreadPoolExecutor(max_workers=max(1, min(SIDE_BY_SIDE, len(others)))) as pool:
            answers = list(pool.map(lambda other: other.use(datastore, private=private), others))
        uses = (*mine, *(use for answer in answers for use in answer.uses))
        return InUse(uses, tuple(why for answer in answers for why in answer.blind))

    def close(self) -> None:
        """Hang up everywhere."""
        for neighbour in self._known.values():
            neighbour.close()


class _Neighbour:
    """One host, asked by one thread at a time."""

    def __init__(self, host: DesiredHost, open_contact: Open, *, hold: bool) -> None:
        self.host, self._open, self._hold = host, open_contact, hold
        self._gate = threading.Lock()
        self._contact: Contact | None = None
        self._facts, self._looked = Facts(), 0.0
        self._trouble, self._until = "", 0.0

    def use(self, datastore: Datastore, *, private: bool) -> InUse:
        """What this host and its spec use on the volume that another host mounts as `datastore`."""
        wanted = _wanted(self.host, datastore, datastore.id)
        with self._gate:
            mounted = self._mounted(datastore)
            if isinstance(mounted, Unseen):
                known = self._may_mount(datastore, private=private)
                return InUse(wanted, (self._blind(mounted.why),) if known else ())
            if not mounted:
                return InUse(wanted)
            uses = self._ask(DisksInUse(), Facts(self._facts))
        found = (it for one in mounted for it in _wanted(self.host, one, one.name, one.id))
        wanted = tuple(dict.fromkeys((*wanted, *found)))
        if isinstance(uses, Unseen):
            return InUse(wanted, (self._blind(uses.why),))
        here = (it for it in uses if any(_may_be_on(it, one) for one in mounted))
        return InUse((*wanted, *(replace(it, who=f"{it.who} on {self.host.name}") for it in here)))

    def _blind(self, why: str) -> str:
        return f"{self.host.name} can't be asked what it uses there: {why}"

    def _mounted(self, datastore: Datastore) -> tuple[Datastore, ...] | Unseen:
        """How this host mounts that volume, as far as can be told; empty: it does not."""
        if self.host.mode == "paused":
            return Unseen("it is paused")
        if monotonic() >= self._looked + FRESH_SECONDS or not self._facts:
            seen = self._ask(Datastores(), Facts())
            if isinstance(seen, Unseen):
                return seen
            self._looked = monotonic()
        listed = self._facts.see(Datastores())
        if isinstance(listed, Unseen):
            return listed
        if any(it.id is None for it in listed):
            return Unseen("it does not tell which volumes its datastores are")
        return tuple(it for it in listed if it.id == datastore.id or may_be_one(it, datastore))

    def _ask(self, question: Question[Any], known: Facts) -> Any:
        if monotonic() < self._until:
            return Unseen(self._trouble)
        try:
            answers = self._look(question, known)
        except Exception as error:  # noqa: BLE001 - a bug there is one more reason to leave things alone here
            return self._failed(error if isinstance(error, Fault) else Bug.of(self.host.name, error))
        self._facts = self._facts.with_answers(answers)
        return self._facts.see(question)

    def _look(self, question: Question[Any], known: Facts) -> Mapping[Question[Any], Any]:
        """Ask over the connection that stands; one that broke while nobody used it is opened anew, once."""
        if self._contact is not None:
            try:
                return self._contact.eyes.look({question}, known)
            except Unreachable:
                self.close()
        self._contact = self._open(self.host)
        try:
            return self._contact.eyes.look({question}, known)
        finally:
            if not self._hold:
                self.close()

    def _failed(self, fault: Fault) -> Unseen:
        self.close()
        self._trouble = fault.message.removeprefix(f"{self.host.name}: ")
        self._until = monotonic() + FRESH_SECONDS
        return Unseen(self._trouble)

    def _may_mount(self, datastore: Datastore, *, private: bool) -> bool:
        """Whether the volume may be one of this host's, though it can't be asked. Network storage may be anybody's; a
        VMFS volume that its own spec calls dedicated is that host's alone, unless this spec names it by its id."""
        if datastore.nfs is not None or datastore.type.upper().startswith("NFS") or not private:
            return True
        path = _virtual_disk(self.host)
        return (path is not None and path.datastore == datastore.id) or self._has_mounted(datastore)

    def _has_mounted(self, datastore: Datastore) -> bool:
        """Whether it said so when it could be asked last."""
        listed = self._facts.see(Datastores())
        return not isinstance(listed, Unseen) and any(it.id == datastore.id for it in listed)

    def close(self) -> None:
        contact, self._contact = self._contact, None
        if contact is not None:
            contact.close()


def _may_be_on(use: DiskUse, datastore: Datastore) -> bool:
    return use.volume is None or use.volume in (datastore.id, datastore.name)


def _virtual_disk(host: DesiredHost) -> DatastorePath | None:
    wish: Any = getattr(host.spec, "virtual_disk", None)
    return parse_datastore_path(wish.path) if wish is not None else None


def _is_private(host: DesiredHost, datastore: Datastore) -> bool:
    wish: Any = getattr(host.spec, "virtual_disk", None)
    path = _virtual_disk(host)
    named = path is not None and path.datastore in (datastore.name, datastore.id)
    return named and wish.mode == "dedicated"


def _wanted(host: DesiredHost, volume: Datastore, *called: str | None) -> tuple[DiskUse, ...]:
    """The images that this spec wants on the volume, mounted or not, as if something used them: on its virtual disk
    path, or in its repository. `called` is how the host may name the volume."""
    images: Any = getattr(host.spec, "images", None) or {}
    who = f"the spec of {host.name}, which wants it"
    return tuple(
        DiskUse(volume.id, f"{path.relative}/{name}/{image}.vmdk".lstrip("/"), who, wished=True)
        for path in _places(host)
        if path.datastore in called or _is_to_be(host, path, volume)
        for image, wish in images.items()
        if wish != "absent"
        for name in names(image)
    )


def _places(host: DesiredHost) -> Iterator[DatastorePath]:
    """Where this spec keeps images on the host."""
    disk = _virtual_disk(host)
    if disk is not None:
        yield disk
    repository: Any = getattr(host.spec, "repository", None)
    if repository is not None and on_host(repository.path):
        yield parse_datastore_path(repository.path)


def _is_to_be(host: DesiredHost, path: DatastorePath, volume: Datastore) -> bool:
    """Whether the spec wants that export mounted under the name on which it keeps its images."""
    stores: Any = getattr(host.spec, "datastores", None) or {}
    source = getattr(stores.get(path.datastore), "nfs", None)
    return (
        source is not None
        and volume.nfs is not None
        and plain_export(source.path) == plain_export(volume.nfs.path)
    )
