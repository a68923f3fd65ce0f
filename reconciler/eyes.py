"""All that a pass over one host can look at: the host's shell, this machine, and what other hosts say of a volume."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from reconciler.facts import Datastore, Datastores, Facts, Question, Unseen, may_be_one
from reconciler.image_facts import (
    DisksInUse,
    DiskUse,
    Filled,
    HereTime,
    ImageFolder,
    InUse,
    Library,
    RoomHere,
    VolumeUse,
)
from reconciler.placement_facts import Inventory, Tree

Answers: TypeAlias = "Mapping[Question[Any], Any]"
OwnUses: TypeAlias = "tuple[DiskUse, ...] | Unseen"
Others: TypeAlias = "Callable[[Datastore, OwnUses], InUse | Unseen]"
VOLUMES = "/vmfs/volumes/"


class Shell(Protocol):
    """Eyes on a host."""

    def look(self, questions: Collection[Question[Any]], known: Facts) -> Answers:
        """Ask in one round trip. Raises faults.Unreachable, faults.Unsupported."""


class Here(Protocol):
    """Eyes on this machine."""

    def look(self, questions: Collection[Question[Any]]) -> Answers:
        """Answers to what is asked of this machine; never raises."""


class PassEyes:
    """Sends each question to those who can answer it. `others` tells who uses a volume besides this host; `filled`
    what was being copied when a volume (by its key) filled up in this run, `inventory` what its vCenter shows."""

    def __init__(
        self,
        shell: Shell,
        here: Here,
        others: Others,
        filled: Callable[[str], str | None],
        inventory: Callable[[], Tree | Unseen] = lambda: Unseen("there is no vCenter"),
    ) -> None:
        self._shell, self._here = shell, here
        self._others, self._filled, self._inventory = others, filled, inventory

    def look(self, questions: Collection[Question[Any]], known: Facts) -> Answers:
        """The answers. One round trip to the host; what other hosts are asked for is theirs."""
        here = {question for question in questions if _is_here(question)}
        shared = {question for question in questions if isinstance(question, VolumeUse | Filled)}
        asked = set(questions) - here - shared - {Inventory()}
        if any(isinstance(question, VolumeUse) for question in shared):
            asked.add(DisksInUse())
        answers = dict(self._shell.look(asked, known)) if asked else {}
        facts = known.with_answers(answers)
        answers.update(self._here.look(here) if here else {})
        if Inventory() in questions:
            answers[Inventory()] = self._inventory()
        answers.update({question: self._of_volume(question, facts) for question in shared})
        return answers

    def _of_volume(self, question: VolumeUse | Filled, facts: Facts) -> object:
        datastore = datastore_at(question.volume, facts)
        if isinstance(datastore, Unseen):
            return datastore
        if isinstance(question, Filled):
            return self._filled(volume_key(datastore))
        own: OwnUses = facts.see(DisksInUse())
        return self._others(datastore, _told_of_all(own, datastore, facts))


def _told_of_all(own: OwnUses, datastore: Datastore, facts: Facts) -> OwnUses:
    """What this host uses, with its other mounts of what may be the same export called by this one's id."""
    seen = facts.see(Datastores())
    if isinstance(own, Unseen) or isinstance(seen, Unseen):
        return own
    same = {name for it in seen if may_be_one(it, datastore) for name in (it.id, it.name)}
    return tuple(replace(use, volume=datastore.id) if use.volume in same else use for use in own)


def _is_here(question: Question[Any]) -> bool:
    return isinstance(question, RoomHere | HereTime) or (
        isinstance(question, ImageFolder | Library) and question.here
    )


def datastore_at(volume: str, facts: Facts) -> Datastore | Unseen:
    """The datastore whose root is `volume` (`/vmfs/volumes/datastore1`, or with the id in place of the name)."""
    seen = facts.see(Datastores())
    if isinstance(seen, Unseen):
        return seen
    spelled = volume.removeprefix(VOLUMES)
    fitting = [it for it in seen if it.name == spelled] or [it for it in seen if it.id == spelled]
    return fitting[0] if fitting else Unseen(f"there is no datastore {spelled!r}")


def volume_key(datastore: Datastore) -> str:
    """What tells a volume from others, on whatever host: its id, and its name where the host tells none."""
    return datastore.id or datastore.name
