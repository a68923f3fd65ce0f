"""`image/NAME` with the wish `absent`: an image that must not be on the virtual disk path. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.facts import Facts, Question, Unseen
from reconciler.image_facts import ImageState, VolumeUse
from reconciler.kinds.images.common import Image, together
from reconciler.kinds.images.guard import objection
from reconciler.kinds.images.setup import out_of_reach, seek, sights
from reconciler.kinds.images.wish import image_of
from reconciler.kinds.model import Risk, Verdict


@dataclass(frozen=True)
class AbsentImage(Image):
    """An image that must not be on the virtual disk path."""

    def needs(self, facts: Facts) -> tuple[str, ...]:
        return ("virtualDisk",)

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield from self.basics(facts)
        sight = seek(self.disk, self.image, facts)
        if isinstance(sight, Unseen) or (sight.state is None and not self.leftovers(facts)):
            return
        yield VolumeUse(self.disk.volume)
        repository = self.setup.repository
        if repository is not None and repository.reachable(facts):
            yield from sights(repository, self.image)

    def judge(self, facts: Facts) -> Verdict:
        why = self.in_sight(facts)
        if why is not None:
            return Verdict(unknown=why)
        sight = seek(self.disk, self.image, facts)
        if isinstance(sight, Unseen):
            return Verdict(unknown=sight.why)
        rest = self._left(facts)
        if sight.state is None and not rest:
            return Verdict()
        risk = self._risk(facts)
        if isinstance(risk, Unseen):
            return Verdict(unknown=f"can't see whether it is the last copy: {risk.why}")
        last = "; it is the last copy" if risk is Risk.DATA else "; a whole copy is in the repository"
        why = f"it is to be absent{last}"
        if rest:
            return together(self._rest(folder, state, risk, why, facts) for folder, state in rest)
        assert sight.state is not None
        return self.removal(sight.folder, sight.state, risk, why, facts)

    def _left(self, facts: Facts) -> list[tuple[str, ImageState]]:
        """What was left behind beside it, which goes first."""
        found: list[tuple[str, ImageState]] = []
        for folder in self.leftovers(facts):
            state = facts.see(self.disk.question(folder, image_of(folder)))
            if isinstance(state, ImageState):
                found.append((folder, state))
        return found

    def _rest(self, folder: str, state: ImageState, risk: Risk, why: str, facts: Facts) -> Verdict:
        against = objection(self.disk, folder, state, facts)
        if isinstance(against, Unseen):
            return Verdict(unknown=against.why)
        if against is not None:
            return Verdict(held=(against,))
        return Verdict(changes=(self.deletion(folder, state, risk, why, facts),))

    def _risk(self, facts: Facts) -> Risk | Unseen:
        """What it costs: DATA when no whole copy is in a repository that is in reach."""
        repository = self.setup.repository
        if repository is None:
            return Risk.DATA
        if not repository.reachable(facts):
            return out_of_reach(repository, facts)
        sight = seek(repository, self.image, facts)
        if isinstance(sight, Unseen):
            return sight
        return Risk.SERVICE if sight.whole else Risk.DATA
