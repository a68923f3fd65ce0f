"""Room: what the copies of a plan need on each volume, what is free there, and what has to go for it. Pure.

Copies are granted in the order of their names. A copy that does not fit is denied, with both numbers; on a dedicated
disk the fewest unused images, among those the oldest, are evicted for it, and none when all of them would not do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from reconciler.facts import Datastore, Facts, Unseen
from reconciler.image_facts import Filled, HalfCopies, ImageState, RoomHere
from reconciler.kinds.images.eviction import Candidate, candidates, fewest
from reconciler.kinds.images.guard import standing
from reconciler.kinds.images.moves import Move, guest_size, is_one_size, to_disk, to_repository
from reconciler.kinds.images.setup import Base, Setup, Sight, same_volume, seek
from reconciler.kinds.images.wish import ASIDE
from reconciler.records import record
from reconciler.sizes import size_text


@record
class Budget:
    """`denied` tells by image and base why a copy may not be made; `evicted` what goes, and for whom."""

    denied: Mapping[tuple[str, str], str] = field(default_factory=dict)
    evicted: tuple[Candidate, ...] = ()
    claimants: tuple[str, ...] = ()

    def denial(self, move: Move) -> str | None:
        return self.denied.get((move.image, move.into.base))


def budget(setup: Setup, facts: Facts) -> Budget:
    """Weigh all copies that the spec asks for now."""
    return _Weighing(setup, facts).result()


def moves(setup: Setup, facts: Facts) -> list[Move]:
    """All copies that are wanted and possible, by name."""
    found: list[Move] = []
    for image, wish in setup.wanted.items():
        sight = seek(setup.disk, image, facts)
        if isinstance(sight, Unseen):
            continue
        if "datastore" in wish.in_ and not sight.runs and not _waits(setup, sight, image, facts):
            move = to_disk(setup, image, facts)
            found += [move] if isinstance(move, Move) and _fits(move, sight) else []
        if "repository" in wish.in_ and sight.whole and _lacks(setup, image, facts):
            capture = to_repository(setup, image, sight, facts)
            found += [capture] if capture is not None else []
    return found


def _fits(move: Move, sight: Sight) -> bool:
    """Whether the copy is of the disk that stands in its place."""
    size = 0 if sight.state is None else guest_size(sight.state)
    return is_one_size(size, move.verb.cargo.capacity)


def _waits(setup: Setup, sight: Sight, image: str, facts: Facts) -> bool:
    """Whether nothing is copied yet: the image lies whole under the name of a leftover, or what stands in its place
    must stay."""
    if sight.state is None:
        return replacement(setup, image, facts) is not None
    return standing(setup.disk, image, sight, facts) is not None


def replacement(setup: Setup, image: str, facts: Facts) -> str | None:
    """A leftover that holds the image whole, where the image itself is in no place.

    VCL converts a disk into `NAME~`, and deletes NAME only when that is done (field guide, scenarios 62 and 63). While
    NAME is there, in whatever state, `NAME~` may be half made, although it has its full size. So may it be after we
    have taken NAME away, which happens only when a whole copy is in the repository: then that one is taken.
    """
    sight = seek(setup.disk, image, facts)
    kept = None if setup.repository is None else seek(setup.repository, image, facts)
    if isinstance(sight, Unseen) or sight.state is not None:
        return None
    if isinstance(kept, Unseen) or (kept is not None and kept.whole):
        return None
    for folder in (f"{image}~", ASIDE + image):
        state = facts.see(setup.disk.question(folder, image))
        if isinstance(state, ImageState) and state.whole and state.runnable and not state.machines:
            return folder
    return None


def _lacks(setup: Setup, image: str, facts: Facts) -> bool:
    if setup.repository is None:
        return False
    sight = seek(setup.repository, image, facts)
    return not isinstance(sight, Unseen) and not sight.whole


class _Weighing:
    def __init__(self, setup: Setup, facts: Facts) -> None:
        self.setup, self.facts = setup, facts
        self.claims: dict[str, int] = {}
        self.denied: dict[tuple[str, str], str] = {}
        self.claimants: list[str] = []
        self.candidates = candidates(setup, facts)

    def result(self) -> Budget:
        for move in moves(self.setup, self.facts):
            why = self._weigh(move)
            if why is not None:
                self.denied[move.image, move.into.base] = why
        short = self._short()
        evicted = fewest(self.candidates, short) if short > 0 else ()
        return Budget(self.denied, tuple(evicted or ()), tuple(self.claimants))

    def _weigh(self, move: Move) -> str | None:
        if move.into.here:
            return self._here(move)
        filled = self.facts.see(Filled(move.into.volume))
        if isinstance(filled, str):
            return f"{_name(move.into)} filled up while {filled} was copied; nothing more is copied there in this pass"
        free = self._free(move.into)
        if free is None:
            return f"the host does not tell how much room is free on {_name(move.into)}"
        need = max(0, move.needed - self._begun(move) - self._given_back(move))
        key = self._key(move.into)
        claimed = self.claims.get(key, 0)
        gain = sum(it.size for it in self.candidates) if self._on_disk(move.into) else 0
        if need + claimed > free + gain:
            return _short_of(move, need, free, claimed, self._reserve(move.into), gain)
        self.claims[key] = claimed + need
        if need + claimed > free:
            self.claimants.append(move.image)
        return None

    def _here(self, move: Move) -> str | None:
        """The same for a repository on this machine."""
        free, key = self.facts.see(RoomHere(move.into.base)), move.into.base
        if not isinstance(free, int):
            return None
        claimed = self.claims.get(key, 0)
        if move.needed + claimed > free:
            return _short_of(move, move.needed, free, claimed, 0, 0)
        self.claims[key] = claimed + move.needed
        return None

    def _short(self) -> int:
        """How much the granted copies exceed what is free on the virtual disk path's volume."""
        free = self._free(self.setup.disk)
        return 0 if free is None else self.claims.get(self._key(self.setup.disk), 0) - free

    def _on_disk(self, base: Base) -> bool:
        return base is self.setup.disk or same_volume(base, self.setup.disk, self.facts)

    def _reserve(self, base: Base) -> int:
        return self.setup.wish.reserved if self._on_disk(base) else 0

    def _free(self, base: Base) -> int | None:
        found = base.datastore(self.facts)
        if not isinstance(found, Datastore) or found.free is None:
            return None
        return found.free - self._reserve(base)

    def _key(self, base: Base) -> str:
        found = base.datastore(self.facts)
        return (found.id or found.name) if isinstance(found, Datastore) else base.volume

    def _begun(self, move: Move) -> int:
        """What a copy of ours to the same place has taken already."""
        halves = self.facts.see(HalfCopies(move.into.volume))
        if isinstance(halves, Unseen):
            return 0
        target = move.into.on_volume(move.image)
        return sum(half.allocated for half in halves if half.target == target)

    def _given_back(self, move: Move) -> int:
        """What goes before the copy is made: the one in its place that ESXi can't run. The copy waits for that."""
        sight = seek(move.into, move.image, self.facts)
        if isinstance(sight, Unseen) or sight.state is None:
            return 0
        return sight.state.allocated


def _name(base: Base) -> str:
    return base.path.datastore if base.path is not None else base.base


def _short_of(move: Move, need: int, free: int, claimed: int, reserve: int, gain: int) -> str:
    besides = [f"reserve {size_text(reserve)}"] if reserve else []
    besides += [f"other copies of this plan {size_text(claimed)}"] if claimed else []
    besides += [f"evicting all that may go would give {size_text(gain)}"] if gain else []
    more = f" ({', '.join(besides)})" if besides else ""
    have = size_text(max(0, free + reserve))
    return f"the copy needs {size_text(need)} on {_name(move.into)}, and {have} are free there{more}"
