"""What does not go together in a host's master images, and between hosts that share a disk."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.host import DesiredHost, datastore_path
from reconciler.desired.mistakes import Mistake
from reconciler.kinds import images
from reconciler.kinds.images.setup import short_name
from reconciler.kinds.images.wish import ImagesWish
from reconciler.kinds.paths import VOLUMES

SPEC = ("spec",)


def image_mistakes(host: DesiredHost) -> Iterator[Mistake]:
    """Mistakes of one host."""
    wish = host.wish(images.KIND)
    named = wish.images or {}
    if named and wish.virtual_disk is None:
        what = "need virtualDisk (would be right: virtualDisk: {path: DATASTORE})"
        yield host.root.nearest(("images",)).mistake_at_key((*SPEC, "images"), what)
    yield from _without_repository(host, wish)
    yield from _overlapping(host, wish)
    yield from _colliding(host, wish)


def _without_repository(host: DesiredHost, wish: ImagesWish) -> Iterator[Mistake]:
    if wish.repository is not None:
        return
    dedicated = wish.virtual_disk is not None and wish.virtual_disk.mode == "dedicated"
    for name, it in (wish.images or {}).items():
        place = ("images", name)
        if it == "absent":
            if dedicated:
                what = (
                    "is to be absent from a dedicated disk, but there is no repository that could hold a copy"
                )
                right = "would be right: repository: {path: …}, or mode: shared"
                yield host.root.nearest(place).mistake((*SPEC, *place), f"{what} ({right})")
        elif "repository" in it.in_:
            what = "is to be in a repository, and the spec names none (would be right: repository: {path: …})"
            yield host.root.nearest((*place, "in")).mistake((*SPEC, *place, "in"), what)


def _overlapping(host: DesiredHost, wish: ImagesWish) -> Iterator[Mistake]:
    """One place for both, or one inside the other: a copy would be taken for its own source."""
    if wish.virtual_disk is None or wish.repository is None or not on_host(wish.repository.path):
        return
    disk, kept = datastore_path(wish.virtual_disk.path), datastore_path(wish.repository.path)
    one, other = f"{disk.absolute}/", f"{kept.absolute}/"
    if one.startswith(other) or other.startswith(one):
        place = ("repository", "path")
        what = "is the virtual disk path, or one of the two lies in the other (would be right: two places)"
        yield host.root.nearest(place).mistake((*SPEC, *place), what)


def _colliding(host: DesiredHost, wish: ImagesWish) -> Iterator[Mistake]:
    """Two images that vCenter would cut to one name."""
    first: dict[str, str] = {}
    for name in wish.images or {}:
        other = first.setdefault(short_name(name), name)
        if other != name:
            what = f"and {other!r} are one name to vCenter, which cuts both to {short_name(name)!r}"
            place = ("images", name)
            yield host.root.nearest(place).mistake_at_key((*SPEC, *place), f"{what} (rename one)")


def on_host(path: str) -> bool:
    """Whether a repository's path is one on the host."""
    return path.startswith(("[", VOLUMES))
