"""`image/NAME` with the wish `absent`: an image that must not be on the virtual disk path. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.facts import Datastore, Facts, Question, Unseen
from reconciler.image_facts import ImageState, VolumeUse
from reconciler.kinds.images.common import Image
from reconciler.kinds.images.guard import objection
from reconciler.kinds.images.setup import Base, seek, sights
from reconciler.kinds.images.wish import ASIDE
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
        aside = ASIDE + self.image
        left = aside in self.leftovers(facts)
        rest: Any = facts.see(self.disk.question(aside, self.image)) if left else None
        if sight.state is None and not isinstance(rest, ImageState):
            return Verdict()
        risk = self._risk(facts)
        if isinstance(risk, Unseen):
            return Verdict(unknown=f"can't see whether it is the last copy: {risk.why}")
        last = "; it is the last copy" if risk is Risk.DATA else "; a whole copy is in the repository"
        why = f"it is to be absent{last}"
        if isinstance(rest, ImageState):
            return self._rest(aside, rest, risk, why, facts)
        assert sight.state is not None
        return self.removal(sight.folder, sight.state, risk, why, facts)

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
            return _out_of_reach(repository, facts)
        sight = seek(repository, self.image, facts)
        if isinstance(sight, Unseen):
            return sight
        return Risk.SERVICE if sight.whole else Risk.DATA


def _out_of_reach(base: Base, facts: Facts) -> Unseen:
    found = base.datastore(facts)
    if isinstance(found, Unseen):
        return found
    name = base.path.datastore if base.path is not None else base.base
    return Unseen(
        f"the datastore {name} is {'not accessible' if isinstance(found, Datastore) else 'not there'}"
    )
