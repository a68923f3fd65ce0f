"""Master images: the virtual disk path, the repository, and each image between them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.kinds.images.absent import AbsentImage
from reconciler.kinds.images.disk import VirtualDiskResource
from reconciler.kinds.images.finding import asks, found
from reconciler.kinds.images.repository import RepositoryResource
from reconciler.kinds.images.setup import Base, Setup
from reconciler.kinds.images.wanted import WantedImage
from reconciler.kinds.images.wish import ImagesWish, RepositoryWish
from reconciler.kinds.model import Finder, Kind, Resource, Wisher
from reconciler.kinds.paths import VOLUMES, parse_datastore_path


def resources(wish: ImagesWish, wisher: Wisher) -> Iterable[Resource]:
    """The virtual disk path, the repository, and one resource an image, by name."""
    if wish.virtual_disk is None:
        return
    path = parse_datastore_path(wish.virtual_disk.path)
    disk = Base(path.absolute, path)
    repository = _repository(wish.repository) if wish.repository is not None else None
    form = wish.repository.format if wish.repository is not None else "2gbsparse"
    setup = Setup(disk, wish.virtual_disk, repository, form, wish.images or {})
    yield VirtualDiskResource(setup)
    if repository is not None:
        yield RepositoryResource(setup, repository)
    for name, it in sorted(setup.images.items()):
        yield AbsentImage(setup, name) if it == "absent" else WantedImage(setup, name)


def _repository(wish: RepositoryWish) -> Base:
    form = wish.format if wish.format in ("qcow2", "vdi") else "vmdk"
    if wish.path.startswith(("[", VOLUMES)):
        path = parse_datastore_path(wish.path)
        return Base(path.absolute, path, form)
    return Base(wish.path, None, form)


KIND = Kind("image", "", ImagesWish, resources, Finder(asks, found))
