"""`image/NAME` with the wish `absent`: an image that must not be on the virtual disk path. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reconciler.facts import Facts, Question, Unseen
from reconciler.image_facts import ImageState
from reconciler.image_verbs import Copy
from reconciler.kinds.images.common import Gone, Image, put_back, together
from reconciler.kinds.images.guard import objection, questions_of_use
from reconciler.kinds.images.moves import reliance
from reconciler.kinds.images.setup import Whole, listed, out_of_reach, seek, sights
from reconciler.kinds.images.wish import ASIDE, image_of
from reconciler.kinds.model import Risk, Verdict
from reconciler.records import record


@record
class AbsentImage(Image):
    """An image that must not be on the virtual disk path."""

    def needs(self, facts: Facts) -> tuple[str, ...]:
        return ("virtualDisk",)

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield from self.basics(facts)
        sight = seek(self.disk, self.image, facts)
        if isinstance(sight, Unseen) or (sight.state is None and not self.leftovers(facts)):
            return
        yield from questions_of_use(self.disk)
        repository = self.setup.repository
        if repository is not None and repository.reachable(facts):
            yield from sights(repository, self.image)

    def judge(self, facts: Facts) -> Verdict:
        why = self.disk.unseen(facts)
        if why is not None:
            return Verdict(unknown=why)
        sight = seek(self.disk, self.image, facts)
        if isinstance(sight, Unseen):
            return Verdict(unknown=sight.why)
        rest = self._left(facts)
        if sight.state is not None and not rest:
            return self._removed(Gone(sight.folder, sight.state), facts)
        return together(self._removed(gone, facts, left=True) for gone in rest)

    def _removed(self, gone: Gone, facts: Facts, *, left: bool = False) -> Verdict:
        copy = self._copy(gone.state, facts)
        if isinstance(copy, Unseen):
            return Verdict(unknown=f"can't see whether it is the last copy: {copy.why}")
        risk = Risk.DATA if copy is None else Risk.SERVICE
        last = "it is the last copy" if copy is None else "a whole copy is in the repository"
        why = f"it is to be absent; {last}"
        gone = replace(gone, copy=copy)
        return self._rest(gone, risk, why, facts) if left else self.removal(gone, risk, why, facts)

    def _left(self, facts: Facts) -> list[Gone]:
        """What was left behind beside it, which goes first."""
        seen: list[tuple[str, Any]] = [
            (folder, facts.see(self.disk.question(folder, image_of(folder))))
            for folder in self.leftovers(facts)
        ]
        return [Gone(folder, state) for folder, state in seen if isinstance(state, ImageState)]

    def _rest(self, gone: Gone, risk: Risk, why: str, facts: Facts) -> Verdict:
        against = objection(self.disk, gone.folder, gone.state, facts)
        if isinstance(against, Unseen):
            return Verdict(unknown=against.why)
        if against is None:
            return Verdict(changes=(self.deletion(gone, risk, why, facts),))
        name = image_of(gone.folder)
        aside = gone.folder == ASIDE + name and gone.state.whole and name not in listed(self.disk, facts)
        return Verdict(
            changes=(put_back(self.disk, gone.folder, against, self.place),) if aside else (), held=(against,)
        )

    def _copy(self, state: ImageState, facts: Facts) -> Copy | Unseen | None:
        """The whole copy in the repository; None: there is none, and this is the last one."""
        repository = self.setup.repository
        if repository is None:
            return None
        if not repository.reachable(facts):
            return out_of_reach(repository, facts)
        sight = seek(repository, self.image, facts)
        if isinstance(sight, Unseen):
            return sight
        whole = Whole.at(repository, sight)
        return None if whole is None else reliance(whole, self.disk, state, facts)
