"""Where a path leads in an inventory, however it is spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from reconciler.placement_facts import Path, Pool, VmFolder, folded
from reconciler.records import record

NO_ESCAPE = re.compile(r"%(?![0-9a-f]{2})", re.IGNORECASE)
NOWHERE = "there is no such datacenter or cluster that the account may see, and none is ever made"

Node = TypeVar("Node", Pool, VmFolder)


@record
class Found(Generic[Node]):
    """Where a path leads: `base` is what is there of it, `missing` the names to be made below. `why`: nowhere."""

    base: Node | None = None
    missing: Path = ()
    why: str = ""


def find(path: str, nodes: Sequence[Node], hidden: Sequence[str]) -> Found[Node]:
    """Where a path leads among these places. A whole path goes before a unique end of one, letter case and `hidden`
    names aside; several that fit are no answer. What is missing at its end is to be made."""
    places, wanted = _Places(nodes, hidden), _plain(path.split("/"), hidden)
    there = places.whole(wanted) or places.ending(wanted)
    if there:
        return _only(there, wanted)
    return places.below(wanted) or places.below_end(wanted) or Found(why=NOWHERE)


class _Places(Generic[Node]):
    """Places by their paths as they are compared."""

    def __init__(self, nodes: Sequence[Node], hidden: Sequence[str]) -> None:
        self._hidden = hidden
        self._paths: list[tuple[Node, Path]] = [(node, self._folded(node.path)) for node in nodes]

    def _folded(self, path: Path) -> Path:
        return tuple(folded(part) for part in _plain(path, self._hidden))

    def whole(self, wanted: Path) -> list[Node]:
        """Places of exactly that path."""
        names = self._folded(wanted)
        return [node for node, path in self._paths if names and path == names]

    def ending(self, wanted: Path) -> list[Node]:
        """Places whose path ends so."""
        names = self._folded(wanted)
        return [node for node, path in self._paths if names and path[-len(names) :] == names]

    def below(self, wanted: Path) -> Found[Node] | None:
        """The longest beginning of a path that is a place, and what is missing below it."""
        for length in range(len(wanted), 0, -1):
            there = self.whole(wanted[:length])
            if there:
                return _only(there, wanted[:length], wanted[length:])
        return None

    def below_end(self, wanted: Path) -> Found[Node] | None:
        """The same below the end of a path, but only where that is a cluster or datacenter: never below some pool or
        folder that happens to have the name. A path that begins as the inventory does is no end of one."""
        first = self._folded(wanted[:1])
        if any(path[:1] == first for _, path in self._paths):
            return None
        for length in range(len(wanted) - 1, 0, -1):
            roots = [node for node in self.ending(wanted[:length]) if node.root]
            if len(roots) == 1:
                return self.below(_plain(roots[0].path, self._hidden) + wanted[length:])
            if roots:
                return _only(roots, wanted[:length])
        return None


def _only(there: list[Node], wanted: Path, missing: Path = ()) -> Found[Node]:
    """The one place that fits; several are no answer."""
    if len(there) > 1:
        places = ", ".join(sorted(spelled(node.path) for node in there))
        return Found(why=f"{spelled(wanted)} may be any of {places}; write the whole path")
    return Found(there[0], tuple(_written(name) for name in missing))


def _plain(path: Iterable[str], hidden: Sequence[str]) -> Path:
    """The names of a path, without those that make no difference."""
    return tuple(part for part in path if part and folded(part) not in hidden)


def _written(name: str) -> str:
    """As vCenter wants a new name: a `%` that begins no escape is escaped itself (vSphere API reference,
    Folder.CreateFolder), and a backslash, as it does by itself."""
    return NO_ESCAPE.sub("%25", name).replace("\\", "%5c")


def spelled(path: Path) -> str:
    """A whole path, as people write it."""
    return "/" + "/".join(path)
