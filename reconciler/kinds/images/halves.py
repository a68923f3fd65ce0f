"""Half copies of ours that nobody goes on with: done with, or of an image that the spec does not want. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.facts import Facts, Unseen
from reconciler.image_facts import HalfCopies, HalfCopy, ImageState, VolumeUse
from reconciler.image_verbs import DeleteFolder, Room
from reconciler.kinds.images.setup import Base, Setup
from reconciler.kinds.model import Change, Difference, Risk
from reconciler.sizes import size_text


def left(base: Base, setup: Setup, facts: Facts) -> list[HalfCopy]:
    """Those for a place below `base` that no copy of this spec needs any more."""
    seen = facts.see(HalfCopies(base.volume))
    if base.here or isinstance(seen, Unseen):
        return []
    ours = (it for it in seen if it.target == base.on_volume(it.image))
    return [it for it in ours if it.image not in setup.kept or is_whole(base, it.image, facts)]


def is_whole(base: Base, image: str, facts: Facts) -> bool:
    """Whether the image is in its place there."""
    state = facts.see(base.question(image, image))
    return isinstance(state, ImageState) and state.whole


def cleared(
    half: HalfCopy, base: Base, place: tuple[str, ...], facts: Facts, findings: list[str], *, elsewhere: bool
) -> Iterable[Change]:
    """Its deletion, when a whole copy is in its place, or `elsewhere` and no other spec may want it; else a finding."""
    use = facts.see(VolumeUse(base.volume))
    alone = not isinstance(use, Unseen) and not use.blind and not use.of(half.target)
    if not is_whole(base, half.image, facts) and not (elsewhere and alone):
        findings.append(
            f"{half.folder} is a half copy of {half.image}, which the spec does not want; it stays"
        )
        return
    gone = (Difference(half.folder, size_text(half.allocated), None),)
    verb = DeleteFolder(Room(base.volume, f"{base.volume}/{half.folder}", half.image), half.allocated)
    why = f"a half copy of {half.image} was left; a whole one is there"
    yield Change("delete", Risk.SERVICE, gone, (verb,), why, (*place, "half", half.folder), blocks=False)
