"""Specs merged key by key, and made a host's own: `${name}` replaced, paths of this machine made absolute."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.desired.mistakes import Mistake
from reconciler.desired.nodes import Node, Place
from reconciler.desired.shape import Shape
from reconciler.kinds.paths import VOLUMES

NAME_VARIABLE = "${name}"
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME_MAX = 255


def merge(lower: Node, upper: Node) -> Node:
    """`upper` over `lower`: maps merge, everything else replaces; null stays as the mark of a value taken away.

    Associative: a map that took the place of something else is marked fresh and hides what it is laid over later.
    """
    if type(upper.value) is not dict or upper.fresh:
        return upper
    if type(lower.value) is not dict:
        fresh = upper.with_value(upper.value)
        fresh.fresh = True
        return fresh
    merged = dict(lower.value)
    for key, child in upper.value.items():
        below = merged.get(key)
        merged[key] = child if below is None else merge(below, child)
    node = upper.with_value(merged)
    node.fresh = lower.fresh
    return node


@dataclass
class Localiser:
    """Makes a merged spec one host's own: in paths `${name}` is the host's name, and a relative path of this machine
    is taken from the folder of the spec file in which it stands.

    `locate` tells the absolute path of a spec file, `paths` remembers the absolute ones of a whole load. Collects
    mistakes, and in `files` the places that name a file of this machine, without those that hold secrets.
    """

    host: str
    locate: Callable[[str], str]
    paths: dict[tuple[str, str], str] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    files: list[tuple[Place, Node]] = field(default_factory=list)

    def localise(self, node: Node, shape: Shape, where: Place = ()) -> Node:
        """The spec, or a part of it, with the paths of this host; the same node when there is nothing to do."""
        value = node.value
        if type(value) is str:
            return self._text(node, shape, where) if shape.path else node
        changed: dict[str | int, Node] = {}
        for key, child, inner in _special(value, shape):
            new = self.localise(child, inner, (*where, key))
            if new is not child:
                changed[key] = new
        if not changed:
            return node
        if type(value) is dict:
            return node.with_value(value | changed)
        return node.with_value([changed.get(index, item) for index, item in enumerate(value)])

    def _text(self, node: Node, shape: Shape, where: Place) -> Node:
        text: str = node.value
        if "${" in text:
            if any(name != "name" for name in _VARIABLE.findall(text)):
                self.mistakes.append(
                    node.mistake(("spec", *where), "only ${name}, the host's name, can stand in a path")
                )
            text = text.replace(NAME_VARIABLE, self.host)
        if not shape.local and not (shape.placed and not _on_host(text)):
            return node if text is node.value else node.with_value(text)
        if not _may_be_path(text):
            self.mistakes.append(
                node.mistake(
                    ("spec", *where),
                    "is no path of a file (would be right: the path, not what the file holds)",
                )
            )
            return node
        text = self._absolute(text, node.file)
        local = node if text == node.value else node.with_value(text)
        if shape.local and not shape.secret:
            self.files.append((where, local))
        return local

    def _absolute(self, path: str, file: str) -> str:
        absolute = self.paths.get((path, file))
        if absolute is None:
            folder = os.path.dirname(self.locate(file))
            absolute = os.path.normpath(os.path.join(folder, os.path.expanduser(path)))
            self.paths[path, file] = absolute
        return absolute


def _on_host(text: str) -> bool:
    """Whether a path is written as one on the host, be it with its first slash forgotten."""
    return text.startswith(("[", VOLUMES, VOLUMES.removeprefix("/")))


def _special(value: Any, shape: Shape) -> Iterator[tuple[str | int, Node, Shape]]:
    """The children among which a path may be."""
    if type(value) is dict:
        if shape.special_fields:
            yield from ((key, value[key], inner) for key, inner in shape.special_fields if key in value)
        elif shape.each is not None and shape.each.special:
            yield from ((key, child, shape.each) for key, child in value.items())
    elif type(value) is list and shape.item is not None and shape.item.special:
        yield from ((index, child, shape.item) for index, child in enumerate(value))


@functools.lru_cache(4096)
def _may_be_path(text: str) -> bool:
    longest = max(len(part.encode()) for part in text.split("/"))
    return bool(text) and longest <= _NAME_MAX and "-----BEGIN" not in text and text.isprintable()
