"""`virtualDisk`: the folder of master images, room in it, and what was left behind there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.facts import Datastores, Facts, Identity, Question, Unseen
from reconciler.image_facts import HalfCopies, ImageState
from reconciler.image_verbs import Copy, DeleteFolder, Room, SetAside
from reconciler.kinds.images import halves, moves, writers
from reconciler.kinds.images.common import put_back
from reconciler.kinds.images.eviction import Candidate, considered
from reconciler.kinds.images.guard import blind, objection, questions_of_use
from reconciler.kinds.images.setup import Base, Setup, Sight, Whole, listed, names, seek
from reconciler.kinds.images.space import Budget, budget
from reconciler.kinds.images.wish import ASIDE
from reconciler.kinds.model import Change, Difference, Risk, Verdict
from reconciler.records import record
from reconciler.sizes import size_text
from reconciler.verbs import MakeFolder


@record
class VirtualDiskResource:
    """The virtual disk path. Evictions are its changes, since no spec speaks of what goes."""

    setup: Setup
    name: str = "virtualDisk"
    place: tuple[str, ...] = ("virtualDisk",)

    @property
    def _base(self) -> Base:
        return self.setup.disk

    def needs(self, facts: Facts) -> tuple[str, ...]:
        assert self._base.path is not None
        found = self._base.datastore(facts)
        name = self._base.path.datastore if found is None or isinstance(found, Unseen) else found.name
        return (f"datastore/{name}",)

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield Datastores()
        yield Identity()
        yield from writers.questions(facts)
        if not self._base.reachable(facts):
            return
        yield self._base.library
        yield HalfCopies(self._base.volume)
        if self._asides(facts) or halves.left(self._base, self.setup, facts) or self._lacks(facts):
            yield from questions_of_use(self._base)
            yield from self._both(self._folders(facts), facts)

    def _folders(self, facts: Facts) -> list[tuple[str, str]]:
        """Folders to be looked at with the disk that should be in each."""
        folders = [(name, name.removeprefix(ASIDE)) for name in self._asides(facts)]
        if self._lacks(facts):
            folders += [(name, name) for name in considered(self.setup, facts)]
        return folders + [(it.image, it.image) for it in halves.left(self._base, self.setup, facts)]

    def _both(self, folders: Iterable[tuple[str, str]], facts: Facts) -> Iterable[Question[Any]]:
        repository = self.setup.repository
        for folder, disk in folders:
            yield self._base.question(folder, disk)
            if repository is not None and repository.reachable(facts):
                yield repository.question(disk, disk)

    def _lacks(self, facts: Facts) -> bool:
        """Whether an image that has to be here is not."""
        sights = [
            seek(self._base, name, facts) for name, it in self.setup.wanted.items() if "datastore" in it.in_
        ]
        return any(isinstance(it, Sight) and not it.whole for it in sights)

    def _asides(self, facts: Facts) -> list[str]:
        """Folders set aside that no image of the spec answers for."""
        there = (name for name in listed(self._base, facts) if name.startswith(ASIDE))
        answered = {folder for image in self.setup.images for folder in names(image)}
        return [name for name in there if name.removeprefix(ASIDE) not in answered]

    def judge(self, facts: Facts) -> Verdict:
        why = self._base.unseen(facts)
        if why is not None:
            return Verdict(unknown=why)
        there = facts.see(self._base.library)
        if isinstance(there, Unseen):
            return Verdict(unknown=there.why)
        return self._reached(facts, missing=there is None)

    def _reached(self, facts: Facts, *, missing: bool) -> Verdict:
        changes: list[Change] = [self._folder()] if missing else []
        findings = list(self._findings(facts))
        weighed = budget(self.setup, facts)
        changes += self._begun(weighed, facts, findings)
        changes += [change for it in weighed.evicted for change in self._eviction(it, weighed)]
        for half in halves.left(self._base, self.setup, facts):
            elsewhere = self._kept(half.image, facts) is not None
            changes += halves.cleared(half, self._base, self.place, facts, findings, elsewhere=elsewhere)
        return Verdict(tuple(changes), findings=tuple(dict.fromkeys(findings)))

    def _folder(self) -> Change:
        wanted = (Difference("path", None, self._base.spelled),)
        return Change(
            "create", Risk.SAFE, wanted, (MakeFolder(self._base.base),), "there is no such folder", self.place
        )

    def _findings(self, facts: Facts) -> Iterable[str]:
        if self.setup.dedicated and self.setup.repository is None:
            yield "dedicated, but without a repository: nothing is ever evicted, any image here may be the only copy"
        for folder in sorted(writers.written_folders(self._base, facts) - self.setup.kept):
            for finding in writers.findings(self._base, folder, facts):
                yield f"{folder}: {finding}"
        why = blind(self._base, facts)
        if self.setup.dedicated and self._lacks(facts) and why is not None and considered(self.setup, facts):
            yield f"nothing can be evicted, since it may be in use: {why}"

    # -- making room -----------------------------------------------------------------------------------------

    def _eviction(self, it: Candidate, weighed: Budget) -> Iterable[Change]:
        """Rename, look again, delete."""
        for_whom = ", ".join(f"image/{name}" for name in weighed.claimants)
        why = f"unused, among the oldest, and whole in the repository; makes room ({size_text(it.size)}) for {for_whom}"
        place = (*self.place, "evict", it.folder)
        gone = (Difference(f"images.{it.folder}", size_text(it.size), None),)
        yield Change("delete", Risk.SERVICE, gone, (SetAside(self._room(it.folder), it.copy),), why, place)
        yield self._deletion(ASIDE + it.folder, it.folder, it.size, why, it.copy, follows=place)

    def _room(self, folder: str) -> Room:
        return self._base.room(folder, folder)

    def _deletion(
        self,
        folder: str,
        image: str,
        size: int,
        why: str,
        copy: Copy | None,
        *,
        follows: tuple[str, ...] | None = None,
        blocks: bool = True,
    ) -> Change:
        gone = (Difference(folder, size_text(size), None),)
        verb = DeleteFolder(self._base.room(folder, image), size, copy)
        place = (*self.place, "delete", image)
        return Change("delete", Risk.SERVICE, gone, (verb,), why, place, follows=follows, blocks=blocks)

    def _begun(self, weighed: Budget, facts: Facts, findings: list[str]) -> Iterable[Change]:
        """Go on with what was set aside: delete it, or put it back when it turns out to be in use."""
        for folder in self._asides(facts):
            image = folder.removeprefix(ASIDE)
            state = facts.see(self._base.question(folder, image))
            if not isinstance(state, ImageState):
                continue
            against = objection(self._base, folder, state, facts)
            copy = self._copy_of(image, state, facts)
            if against is None and copy is not None:
                why = "it was set aside, is unused, and whole in the repository"
                blocks = bool(weighed.claimants)
                yield self._deletion(folder, image, state.allocated, why, copy, blocks=blocks)
            elif isinstance(against, str) and state.whole and image not in listed(self._base, facts):
                yield put_back(self._base, folder, against, self.place)
            else:
                said = against.why if isinstance(against, Unseen) else against or "no whole copy is elsewhere"
                findings.append(f"{folder} stays as it is: {said}")

    def _copy_of(self, image: str, there: ImageState, facts: Facts) -> Copy | None:
        """The whole copy of that disk in the repository."""
        kept = self._kept(image, facts)
        return None if kept is None else moves.reliance(kept, self._base, there, facts)

    def _kept(self, image: str, facts: Facts) -> Whole | None:
        """The whole image in the repository."""
        repository = self.setup.repository
        if repository is None or not repository.reachable(facts):
            return None
        state = facts.see(repository.question(image, image))
        return None if isinstance(state, Unseen) else Whole.at(repository, Sight(image, state))
