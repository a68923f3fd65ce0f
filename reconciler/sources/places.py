"""Which folders have to be watched so that a change of spec files is noticed, and what files look like from outside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.desired.files import Unreadable, spec_files

MOST_LINKS = 40
Stamp = tuple[int, ...] | None


@dataclass
class Places:
    """Folders to watch, by absolute path: the names in them that matter, None when all do. `identity` tells a folder
    from another one that took its place."""

    names: dict[str, set[str] | None] = field(default_factory=dict)
    identity: dict[str, Stamp] = field(default_factory=dict)

    def add(self, folder: str, name: str | None) -> None:
        """A name in a folder matters; None: every name."""
        known = self.names.setdefault(folder, set())
        if name is None:
            self.names[folder] = None
        elif known is not None:
            known.add(name)
        status = _status(folder)
        self.identity[folder] = status and (status.st_dev, status.st_ino)

    def concerns(self, path: str) -> bool:
        """Whether it matters that something happened to `path`. Hidden files are editors' own, but for the links that
        Kubernetes swaps: `..data`."""
        folder, name = os.path.split(path)
        if path in self.names or folder not in self.names:
            return True
        wanted = self.names[folder]
        return not name.startswith(".") or name.startswith("..") if wanted is None else name in wanted


def places_of(paths: Sequence[Path], files: Iterable[str]) -> Places:
    """What to watch for specs below `paths`, and for other files that they name."""
    places = Places()
    for path in paths:
        _add_way(places, os.path.abspath(path))
        for folder in _folders(path):
            places.add(folder, None)
    for file in files:
        _add_way(places, file)
    return places


def _add_way(places: Places, path: str) -> None:
    for folder, name in _way(path):
        places.add(folder, name)


def _way(path: str) -> Iterator[tuple[str, str]]:
    """The links on the way to an absolute path, and its end, or else the first part that is not there: the names that
    lead elsewhere when they change."""
    parts, folder, links = path.split("/")[::-1], "/", 0
    while parts:
        part = parts.pop()
        here = os.path.normpath(os.path.join(folder, part))
        if os.path.islink(here) and links < MOST_LINKS:
            yield folder, part
            links += 1
            target = os.readlink(here)
            parts += target.split("/")[::-1]
            folder = "/" if target.startswith("/") else folder
        elif part and part != ".." and (not parts or not os.path.isdir(here)):
            yield folder, part
            return
        else:
            folder = here


def _folders(path: Path) -> Iterator[str]:
    """All folders in which spec files are looked for."""
    seen = set()
    for folder, folders, _ in os.walk(os.path.abspath(path), followlinks=True):
        status = _status(folder)
        identity = status and (status.st_dev, status.st_ino)
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield folder


def stamps(paths: Sequence[Path], files: Iterable[str]) -> Mapping[str, object]:
    """What changes whenever files do: which there are, and the size, times and number of each."""
    found: dict[str, object] = {}
    for path in paths:
        try:
            names, closed = spec_files(path)
        except Unreadable as error:
            found[f"given {path}"] = str(error)
            continue
        found[f"given {path}"] = closed
        found.update((os.path.abspath(name), _stamp(name)) for name in names)
    found.update((file, _stamp(file)) for file in files)
    return found


def _stamp(path: str) -> Stamp:
    status = _status(path)
    return status and (
        status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )  # fmt: skip


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None
