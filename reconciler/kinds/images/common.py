"""What wanted and unwanted images share: what is asked of them, and how a folder is taken away. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reconciler.facts import Datastores, Facts, Identity, Question, Unseen
from reconciler.image_facts import ImageState
from reconciler.image_verbs import Copy, DeleteFolder, PutInPlace, SetAside
from reconciler.kinds.images.guard import objection
from reconciler.kinds.images.setup import Base, Setup, listed, names, sights
from reconciler.kinds.images.wish import ASIDE, LEFTOVERS, image_of
from reconciler.kinds.model import Change, Difference, Risk, Verdict
from reconciler.records import record
from reconciler.sizes import size_text

Place = tuple[str, ...]


@record
class Gone:
    """A folder that is to go, what lies in it, and the copy on which that relies."""

    folder: str
    state: ImageState
    copy: Copy | None = None


@record
class Image:
    """What a wanted and an unwanted image share."""

    setup: Setup
    image: str

    @property
    def name(self) -> str:
        return f"image/{self.image}"

    @property
    def place(self) -> Place:
        return ("images", self.image)

    @property
    def disk(self) -> Base:
        return self.setup.disk

    def leftovers(self, facts: Facts) -> list[str]:
        """Folders beside it that VCL or we have left behind."""
        there = listed(self.disk, facts)
        every = (form.format(name) for name in names(self.image) for form in LEFTOVERS)
        return [name for name in every if name in there]

    def basics(self, facts: Facts) -> Iterable[Question[Any]]:
        """What is asked in any case: first whether the datastore can be reached, then what lies there."""
        yield Datastores()
        yield Identity()
        if self.disk.reachable(facts):
            yield self.disk.library
            yield from sights(self.disk, self.image)
            yield from (self.disk.question(folder, image_of(folder)) for folder in self.leftovers(facts))

    def removal(self, gone: Gone, risk: Risk, why: str, facts: Facts, *, repair: bool = False) -> Verdict:
        """Set a folder aside and delete it, unless something speaks against it."""
        folder, state = gone.folder, gone.state
        aside = ASIDE + folder
        against = objection(self.disk, folder, state, facts, repair=repair)
        if against is None and aside in listed(self.disk, facts):
            against = f"{why}, but {aside} is in the way of setting it aside"
        if isinstance(against, Unseen):
            return Verdict(unknown=against.why)
        if against is not None:
            return Verdict(held=(against,))
        before = "whole" if state.whole else f"incomplete: {state.why}"
        first = Change(
            "delete",
            risk,
            (Difference("datastore", before, None),),
            (SetAside(self.disk.room(folder, folder), gone.copy),),
            f"{why} ({size_text(state.allocated)})",
            (*self.place, "aside", folder),
        )
        then = self.deletion(replace(gone, folder=aside), risk, why, facts)
        return Verdict(changes=(first, replace(then, place=self.gone_with(folder), follows=first.place)))

    def gone_with(self, folder: str) -> Place:
        """The place of the step after which a folder that was set aside is deleted."""
        return (*self.place, "delete", ASIDE + folder)

    def deletion(self, gone: Gone, risk: Risk, why: str, facts: Facts, *, blocks: bool = True) -> Change:
        """Delete a leftover. Where the image stands in its place again, another one may follow under that name."""
        folder, size = gone.folder, gone.state.allocated
        verb = DeleteFolder(self.disk.room(folder, self.image), size, gone.copy)
        again = folder.removeprefix(ASIDE) in listed(self.disk, facts)
        place = (*self.place, "left" if again else "delete", folder)
        difference = Difference(folder, size_text(size), None)
        return Change("delete", risk, (difference,), (verb,), why, place, blocks=blocks)


def put_back(base: Base, folder: str, why: str, place: Place) -> Change:
    """Rename what was set aside to the name by which its users know it."""
    name = image_of(folder)
    verb = PutInPlace(base.room(name, name), f"{base.base}/{folder}")
    back = (Difference(folder, "set aside", "back in its place"),)
    return Change("update", Risk.SAFE, back, (verb,), why, (*place, "back", name), blocks=False)


def together(parts: Iterable[Verdict]) -> Verdict:
    every = list(parts)
    return Verdict(
        tuple(change for part in every for change in part.changes),
        tuple(dict.fromkeys(why for part in every for why in part.held)),
        next((part.unknown for part in every if part.unknown is not None), None),
        tuple(dict.fromkeys(why for part in every for why in part.findings)),
    )
