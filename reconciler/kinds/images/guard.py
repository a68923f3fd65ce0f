"""What forbids that a folder of images is set aside or deleted. Pure."""

from __future__ import annotations

from reconciler.facts import Facts, Unseen
from reconciler.image_facts import DiskUse, ImageState, VolumeUse
from reconciler.kinds.images.setup import Base, listed
from reconciler.kinds.images.wish import ASIDE

MOST_SHOWN = 3


def objection(
    base: Base, folder: str, state: ImageState, facts: Facts, *, repair: bool = False
) -> str | Unseen | None:
    """Why the folder must stay: it is in use, or may be, or a machine lives in it. Unseen: it can't be told.

    `repair`: a whole copy takes its place, so that a spec which wants the image there is served.
    """
    if state.machines:
        return f"a virtual machine lives in it ({state.machines[0]})"
    if state.locked is not None:
        return f"it is in use: {state.locked}"
    use = facts.see(VolumeUse(base.volume))
    if isinstance(use, Unseen):
        return Unseen(f"can't see what uses it: {use.why}")
    uses = tuple(it for name in _called(base, folder, facts) for it in use.of(base.on_volume(name)))
    uses = tuple(it for it in uses if not (it.wished and repair))
    if uses:
        return f"it is in use: {_named(uses)}"
    if use.blind:
        return f"it may be in use: {use.blind[0]}{_more(len(use.blind) - 1, 'host')}"
    return None


def _called(base: Base, folder: str, facts: Facts) -> tuple[str, ...]:
    """The names by which users refer to a folder: what was set aside is still called by the name that it had."""
    name = folder.removeprefix(ASIDE)
    return (folder,) if name in listed(base, facts) else tuple({folder: None, name: None})


def written(base: Base, folder: str, state: ImageState, facts: Facts) -> str | Unseen | None:
    """Why a disk can't be captured: something writes to it. Unseen: it can't be told."""
    if state.locked is not None:
        return f"it is being written, or runs: {state.locked}"
    use = facts.see(VolumeUse(base.volume))
    if isinstance(use, Unseen):
        return Unseen(f"can't see whether it runs: {use.why}")
    writers = [it for it in use.of(base.on_volume(folder)) if it.writes and it.running]
    return f"it is being written: {_named(tuple(writers))}" if writers else None


def blind(base: Base, facts: Facts) -> str | None:
    """Why nothing on the volume can be proved unused."""
    use = facts.see(VolumeUse(base.volume))
    if isinstance(use, Unseen):
        return use.why
    return use.blind[0] if use.blind else None


def _named(uses: tuple[DiskUse, ...]) -> str:
    who = list(dict.fromkeys(use.who for use in uses))
    return ", ".join(who[:MOST_SHOWN]) + _more(len(who) - MOST_SHOWN, "user")


def _more(number: int, noun: str) -> str:
    return f" and {number} more {noun}{'s' if number > 1 else ''}" if number > 0 else ""
