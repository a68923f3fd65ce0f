"""The master images that lie on a virtual disk path. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.facts import Datastores, Facts, Question, Unseen
from reconciler.image_facts import ImageState
from reconciler.kinds.images.setup import Base, listed
from reconciler.kinds.images.wish import ImagesWish, image_of
from reconciler.kinds.model import Found
from reconciler.kinds.paths import parse_datastore_path


def asks(wish: ImagesWish, facts: Facts) -> Iterable[Question[Any]]:
    """Which folders there are, and what each holds."""
    base = _base(wish)
    if base is None:
        return
    yield Datastores()
    if base.reachable(facts):
        yield base.library
        for name in _names(base, facts):
            yield base.question(name, name)


def found(wish: ImagesWish, facts: Facts) -> Iterable[Found]:
    """Each whole image that ESXi can run, and why others are none; folders without a disk are no news."""
    base = _base(wish)
    if base is None:
        return
    why = base.unseen(facts)
    there = facts.see(base.library)
    if why is not None or isinstance(there, Unseen):
        yield Found("image", ("images",), why=why or (there.why if isinstance(there, Unseen) else ""))
        return
    for name in _names(base, facts):
        state = facts.see(base.question(name, name))
        if isinstance(state, Unseen):
            yield Found(f"image/{name}", ("images", name), why=state.why)
        elif state is not None and state.disk_file:
            against = _against(state)
            yield Found(f"image/{name}", ("images", name), None if against else {}, against)


def _base(wish: ImagesWish) -> Base | None:
    if wish.virtual_disk is None:
        return None
    path = parse_datastore_path(wish.virtual_disk.path)
    return Base(path.absolute, path)


def _names(base: Base, facts: Facts) -> list[str]:
    """Folders that may be images: what was left behind beside one is none."""
    return sorted(name for name in listed(base, facts) if image_of(name) == name)


def _against(state: ImageState) -> str:
    if state.machines:
        return f"a virtual machine lives in its folder ({state.machines[0]}), so it may be no master image"
    if not state.whole:
        return state.why
    return "" if state.runnable else f"it has the form {state.form}, which ESXi can't run"
