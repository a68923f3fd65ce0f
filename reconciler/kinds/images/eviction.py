"""Which images may go from a dedicated disk to make room, and which do. Pure.

None that a spec wants, that anything uses, that has no whole copy in a repository in reach, or in whose folder a
virtual machine lives; and no folder that is no image.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from reconciler.facts import Facts
from reconciler.image_facts import ImageState
from reconciler.image_verbs import Copy
from reconciler.kinds.images.guard import objection
from reconciler.kinds.images.moves import reliance
from reconciler.kinds.images.setup import Setup, Whole, listed
from reconciler.kinds.images.wish import ASIDE
from reconciler.records import record

EXACT = 12
"""Up to so many candidates all combinations are looked at."""


@record
class Candidate:
    """An image that may go. `age` sorts the oldest first; of some it is not known, they count as young."""

    folder: str
    size: int
    modified: int | None
    copy: Copy | None = None

    @property
    def age(self) -> tuple[bool, int, str]:
        return self.modified is None, self.modified or 0, self.folder


def considered(setup: Setup, facts: Facts) -> tuple[str, ...]:
    """The folders that have to be looked at, here and in the repository, before anything is evicted."""
    if not setup.dedicated or setup.repository is None:
        return ()
    leftovers = ("~", "_2gbsparse")
    return tuple(
        folder
        for folder in listed(setup.disk, facts)
        if folder not in setup.kept and not folder.startswith(ASIDE) and not folder.endswith(leftovers)
    )


def candidates(setup: Setup, facts: Facts) -> tuple[Candidate, ...]:
    """What may go, the oldest first."""
    found = [
        it for folder in considered(setup, facts) if (it := _candidate(setup, folder, facts)) is not None
    ]
    return tuple(sorted(found, key=lambda it: it.age))


def _candidate(setup: Setup, folder: str, facts: Facts) -> Candidate | None:
    assert setup.repository is not None
    state = facts.see(setup.disk.question(folder, folder))
    copy = facts.see(setup.repository.question(folder, folder))
    if not isinstance(state, ImageState) or not state.whole or setup.images.get(folder) == "absent":
        return None
    if not isinstance(copy, ImageState) or not copy.whole:
        return None
    if ASIDE + folder in listed(setup.disk, facts):
        return None
    if not setup.repository.reachable(facts) or objection(setup.disk, folder, state, facts) is not None:
        return None
    relied = reliance(Whole(setup.repository, folder, copy), setup.disk, state, facts)
    return None if relied is None else Candidate(folder, state.allocated, state.modified, relied)


def fewest(every: Sequence[Candidate], room: int) -> tuple[Candidate, ...] | None:
    """The fewest that together give `room` bytes, among those the oldest; None when all of them do not."""
    count = _how_many(every, room)
    if count is None:
        return None
    if len(every) <= EXACT:
        fitting = (some for some in combinations(every, count) if sum(it.size for it in some) >= room)
        return next(fitting)
    return _greedy(every, room, count)


def _how_many(every: Sequence[Candidate], room: int) -> int | None:
    largest, total = sorted((it.size for it in every), reverse=True), 0
    for count, size in enumerate([0, *largest]):
        total += size
        if total >= room:
            return count
    return None


def _greedy(every: Sequence[Candidate], room: int, count: int) -> tuple[Candidate, ...]:
    """The oldest that still leaves a way to enough room with what may follow it, again and again."""
    chosen: list[Candidate] = []
    for number, it in enumerate(every):
        left = count - len(chosen) - 1
        rest = sorted((other.size for other in every[number + 1 :]), reverse=True)[:left]
        if left >= 0 and it.size + sum(rest) >= room and len(rest) == left:
            chosen.append(it)
            room -= it.size
    return tuple(chosen)
