"""`repository`: where the copies of master images are kept, on the host or on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.facts import Datastore, Datastores, Facts, Question, Unseen
from reconciler.image_facts import HalfCopies, HalfCopy, ImageState, RefusedCopies
from reconciler.kinds.images import halves
from reconciler.kinds.images.setup import Base, Setup, names
from reconciler.kinds.model import Verdict
from reconciler.records import record

MOST_SHOWN = 3


@record
class RepositoryResource:
    """The repository's folder. It is never made: a typing error would make an empty repository."""

    setup: Setup
    base: Base
    name: str = "repository"
    place: tuple[str, ...] = ("repository",)

    def needs(self, facts: Facts) -> tuple[str, ...]:
        if self.base.path is None:
            return ()
        found = self.base.datastore(facts)
        return (f"datastore/{found.name if isinstance(found, Datastore) else self.base.path.datastore}",)

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        if not self.base.here:
            yield Datastores()
        if self.base.reachable(facts):
            yield self.base.library
            if not self.base.here:
                yield HalfCopies(self.base.volume)
            yield from (self.base.question(it.image, it.image) for it in self._left(facts))

    def judge(self, facts: Facts) -> Verdict:
        why = self.base.unseen(facts)
        if why is not None:
            return Verdict(unknown=why)
        there = facts.see(self.base.library)
        if isinstance(there, Unseen):
            return Verdict(unknown=there.why)
        if there is None:
            what = "it is not made, since a typing error would make an empty repository"
            return Verdict(held=(f"there is no folder {self.base.spelled}; {what}",))
        findings = [*self._findings(facts), *self._refused(facts)]
        changes = [
            change
            for half in self._left(facts)
            for change in halves.cleared(half, self.base, self.place, facts, findings, elsewhere=False)
        ]
        return Verdict(tuple(changes), findings=tuple(findings))

    def _left(self, facts: Facts) -> list[HalfCopy]:
        return halves.left(self.base, self.setup, facts)

    def _refused(self, facts: Facts) -> Iterable[str]:
        """Copies that were no whole ones when something was to rely on them."""
        refused = facts.see(RefusedCopies())
        if not isinstance(refused, Unseen):
            yield from (why for folder, why in refused.items() if folder.startswith(f"{self.base.base}/"))

    def _findings(self, facts: Facts) -> Iterable[str]:
        """Files that others can't read: other management nodes could not fetch them. Modes are never changed."""
        for image in self.setup.images:
            for folder in names(image):
                state = facts.see(self.base.question(folder, folder))
                if isinstance(state, ImageState) and state.unreadable:
                    shut = ", ".join(
                        "the folder" if it == "." else it for it in state.unreadable[:MOST_SHOWN]
                    )
                    advice = f"chmod -R a+rX {self.base.base}/{folder}"
                    yield f"{folder} can't be read by others than its owner ({shut}); would be right: {advice}"
