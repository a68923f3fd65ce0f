"""`image/NAME`: a master image that must be where the spec wants it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reconciler.facts import Facts, Question, Unseen
from reconciler.image_facts import (
    FileBlock,
    Filled,
    HalfCopies,
    ImageState,
    ModuleLoaded,
    RoomHere,
)
from reconciler.image_verbs import PutInPlace
from reconciler.kinds.images import moves, writers
from reconciler.kinds.images.common import Gone, Image, Place, together
from reconciler.kinds.images.guard import busy, objection, questions_of_use, reliable, standing, written
from reconciler.kinds.images.moves import Move
from reconciler.kinds.images.setup import Base, Sight, Whole, out_of_reach, seek, sights
from reconciler.kinds.images.space import budget, replacement
from reconciler.kinds.images.wish import ImageWish, image_of
from reconciler.kinds.model import Change, Difference, Risk, Verdict
from reconciler.records import record


@record
class WantedImage(Image):
    """An image that must be on the virtual disk path, in the repository, or in both."""

    def needs(self, facts: Facts) -> tuple[str, ...]:
        """The repository only when this image has to do with it now: one that is in its place needs none."""
        sight = seek(self.disk, self.image, facts)
        there = isinstance(sight, Sight) and sight.runs and "repository" not in self._wish.in_
        return ("virtualDisk",) if there or self.setup.repository is None else ("virtualDisk", "repository")

    @property
    def _wish(self) -> ImageWish:
        return self.setup.wanted[self.image]

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield from self.basics(facts)
        repository = self.setup.repository
        sight = seek(self.disk, self.image, facts)
        if isinstance(sight, Unseen):
            return
        busy = not sight.runs or bool(self.leftovers(facts))
        if (
            repository is not None
            and repository.reachable(facts)
            and (busy or "repository" in self._wish.in_)
        ):
            yield from sights(repository, self.image)
            busy = busy or not self._copied(facts)
        if busy and (sight.state is not None or self.leftovers(facts)):
            # something may have to go, or to be read: only then all who mount the volume are asked
            yield from questions_of_use(self.disk)
        if busy:
            yield from self._for_work(repository)

    def _for_work(self, repository: Base | None) -> Iterable[Question[Any]]:
        yield ModuleLoaded(moves.MULTIEXTENT)
        for base in (self.disk, repository):
            if base is not None and not base.here:
                yield FileBlock(base.volume)
                yield HalfCopies(base.volume)
                yield Filled(base.volume)
            elif base is not None:
                yield RoomHere(base.base)

    def _copied(self, facts: Facts) -> bool:
        assert self.setup.repository is not None
        sight = seek(self.setup.repository, self.image, facts)
        return isinstance(sight, Sight) and sight.whole

    def judge(self, facts: Facts) -> Verdict:
        why = self.disk.unseen(facts)
        if why is not None:
            return Verdict(unknown=why)
        sight = seek(self.disk, self.image, facts)
        if isinstance(sight, Unseen):
            return Verdict(unknown=sight.why)
        parts = [self._leftovers(sight, facts)]
        if "datastore" in self._wish.in_:
            parts.append(self._on_disk(sight, facts))
        if "repository" in self._wish.in_:
            parts.append(self._in_repository(sight, facts))
        findings = writers.findings(self.disk, sight.folder, facts)
        return together([*parts, Verdict(findings=findings)])

    # -- on the virtual disk path ----------------------------------------------------------------------------

    def _on_disk(self, sight: Sight, facts: Facts) -> Verdict:
        if sight.runs:
            return Verdict()
        if sight.state is not None:
            return self._broken(sight, sight.state, facts)
        found = replacement(self.setup, self.image, facts)
        if found is not None:
            return self._put_in_place(found, facts)
        return self._copy(facts)

    def _put_in_place(self, folder: str, facts: Facts) -> Verdict:
        state = facts.see(self.disk.question(folder, self.image))
        assert isinstance(state, ImageState)
        # who uses the image by its own name is served by the rename
        against = busy(self.disk, folder, state, facts, (folder,))
        if isinstance(against, Unseen):
            return Verdict(unknown=against.why)
        if against is not None:
            return Verdict(held=(f"it lies whole in {folder}, which can't be renamed: {against}",))
        room = self.disk.room(self.image, self.image)
        verb = PutInPlace(room, f"{self.disk.base}/{folder}")
        wanted = (Difference("datastore", f"under the name {folder}", "whole"),)
        why = f"it lies whole in {folder}, where something that was cut off left it"
        return Verdict(changes=(Change("update", Risk.SAFE, wanted, (verb,), why, self.place),))

    def _copy(self, facts: Facts, follows: Place | None = None) -> Verdict:
        move = moves.to_disk(self.setup, self.image, facts)
        if isinstance(move, Unseen):
            return Verdict(unknown=self._out_of_sight(move, facts))
        if move is None:
            return Verdict(held=(self._nowhere(facts),))
        return self._made(move, "datastore", self.place, facts, follows)

    def _made(
        self, move: Move, field: str, place: Place, facts: Facts, follows: Place | None = None
    ) -> Verdict:
        weighed = budget(self.setup, facts)
        denial = weighed.denial(move)
        if denial is not None:
            return Verdict(held=(denial,))
        where = move.verb.cargo.folder + (" here" if move.verb.cargo.here else "")
        why = f"it is not there; {move.verb.bytes} come from {where}"
        if self.image in weighed.claimants and field == "datastore":
            why += f", once {', '.join(it.folder for it in weighed.evicted)} made room"
        wanted = (Difference(field, None, "whole"),)
        done = moves.actions(move, facts)
        return Verdict(changes=(Change("create", Risk.SAFE, wanted, done, why, place, follows=follows),))

    def _out_of_sight(self, unseen: Unseen, facts: Facts) -> str:
        """Why nothing can be said of the repository's copy; one that is out of reach was not even asked for."""
        repository = self.setup.repository
        assert repository is not None
        why = unseen if repository.reachable(facts) else out_of_reach(repository, facts)
        return f"the repository can't be seen: {why.why}"

    def _nowhere(self, facts: Facts) -> str:
        """Why there is nothing to copy from."""
        repository = self.setup.repository
        if repository is None:
            return f"it is not on {self.disk.spelled}, and the spec names no repository to copy it from"
        sight = seek(repository, self.image, facts)
        if isinstance(sight, Sight) and sight.state is not None:
            return f"its copy in {repository.spelled} can't be used: {sight.state.why}"
        return f"it is neither on {self.disk.spelled} nor in {repository.spelled}"

    def _broken(self, sight: Sight, state: ImageState, facts: Facts) -> Verdict:
        """What is there is no image that ESXi can run: replaced when a whole copy lies elsewhere, else left alone."""
        what = state.why or f"it has the form {state.form}, which ESXi can't run"
        move = moves.to_disk(self.setup, self.image, facts)
        if isinstance(move, Unseen):
            return Verdict(unknown=f"on {self.disk.spelled} {what}; {self._out_of_sight(move, facts)}")
        copy = self._repository_copy(facts)
        if move is None or copy is None:
            # one reason for both: a capture of this very pass is fresh, and no new trouble
            why = "there is no whole copy elsewhere that can be relied on yet, so nothing is touched"
            return Verdict(held=(f"on {self.disk.spelled} {what}; {why}",))
        if not moves.is_one_disk(copy.state, state):
            why = f"on {self.disk.spelled} {what}; the copy in the repository is a disk of another size"
            return Verdict(held=(f"{why}, so nothing is touched",))
        against = standing(self.disk, self.image, sight, facts)
        if isinstance(against, Unseen):
            return Verdict(unknown=against.why)
        if against is not None:
            return Verdict(held=(against,))
        instead = self._copy(facts, follows=self.gone_with(sight.folder))
        gone = Gone(sight.folder, state, moves.relied(copy))
        return self._replaced(gone, f"{what}; a whole copy is in the repository", instead, facts)

    def _repository_copy(self, facts: Facts) -> Whole | None:
        """The whole copy in the repository."""
        repository = self.setup.repository
        if repository is None:
            return None
        sight = seek(repository, self.image, facts)
        whole = Whole.at(repository, sight) if isinstance(sight, Sight) else None
        return whole if whole is not None and reliable(whole, self.disk, facts) else None

    def _replaced(self, gone: Gone, why: str, instead: Verdict, facts: Facts) -> Verdict:
        """Taken away for what comes instead, and only if that comes."""
        if not instead.changes:
            return replace(
                instead, held=tuple(f"on {self.disk.spelled} {why}, but {it}" for it in instead.held)
            )
        removed = self.removal(gone, Risk.SERVICE, why, facts, repair=True)
        return together([removed, instead]) if removed.changes else removed

    # -- in the repository -----------------------------------------------------------------------------------

    def _in_repository(self, sight: Sight, facts: Facts) -> Verdict:
        repository = self.setup.repository
        if repository is None:
            return Verdict(held=("it is to be in a repository, and the spec names none",))
        copy = seek(repository, self.image, facts)
        if isinstance(copy, Unseen):
            return Verdict(unknown=self._out_of_sight(copy, facts))
        if copy.whole:
            return Verdict()
        if sight.state is None or not sight.state.whole:
            here = "datastore" in self._wish.in_
            return Verdict() if here else Verdict(held=(self._nowhere(facts),))
        return self._capture(repository, copy, sight, sight.state, facts)

    def _capture(
        self, repository: Base, copy: Sight, sight: Sight, state: ImageState, facts: Facts
    ) -> Verdict:
        against = written(self.disk, sight.folder, state, facts)
        if isinstance(against, Unseen):
            return Verdict(unknown=against.why)
        if against is not None:
            return Verdict(held=(f"it can't be captured: {against}",))
        if copy.state is not None:
            what = f"its copy in {repository.spelled} is no whole one ({copy.state.why})"
            return Verdict(held=(f"{what}; somebody may be at it, so it is not touched: move it away",))
        move = moves.to_repository(self.setup, self.image, sight, facts)
        assert move is not None
        return self._made(move, "repository", (*self.place, "in"), facts)

    # -- leftovers -------------------------------------------------------------------------------------------

    def _leftovers(self, sight: Sight, facts: Facts) -> Verdict:
        """Folders that a crash left beside the image go when a whole copy is elsewhere, and nothing uses them."""
        kept = replacement(self.setup, self.image, facts)
        whole = Whole.at(self.disk, sight) if sight.runs else self._repository_copy(facts)
        parts = [self._leftover(it, whole, facts) for it in self.leftovers(facts) if it != kept]
        return together(parts)

    def _leftover(self, folder: str, whole: Whole | None, facts: Facts) -> Verdict:
        state = facts.see(self.disk.question(folder, image_of(folder)))
        if not isinstance(state, ImageState):
            return Verdict()
        if whole is None or not moves.is_one_disk(whole.state, state):
            return Verdict(findings=(f"{folder} lies beside it and stays: no whole copy is elsewhere",))
        against = objection(self.disk, folder, state, facts, repair=True)
        if against is not None:
            said = against.why if isinstance(against, Unseen) else against
            return Verdict(findings=(f"{folder} lies beside it and stays: {said}",))
        why = f"{folder} was left behind, and a whole copy is elsewhere"
        gone = Gone(folder, state, moves.relied(whole))
        return Verdict(changes=(self.deletion(gone, Risk.SERVICE, why, facts, blocks=False),))
