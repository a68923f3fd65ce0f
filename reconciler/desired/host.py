"""The desired state of one host: the merged spec, validated, and where each value of it was written."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from pydantic.alias_generators import to_snake

from reconciler.desired.model import Access, CommonSpec
from reconciler.desired.nodes import Node
from reconciler.kinds.model import F, Kind, Risk, Source
from reconciler.kinds.paths import parse_datastore_path
from reconciler.records import record

MOST_READINGS = 64
datastore_path = functools.lru_cache(4096)(parse_datastore_path)


@record
class DesiredHost:
    """How one host should be, and how it is reached.

    `key_files` maps each public key file that the spec names (absolute path) to its text. `problems` are reasons why
    no pass over this host may send anything, though its spec is valid: a public key file that can't be read.
    `root` is the merged spec as it was written; `document` is where the Host document begins.
    """

    name: str
    address: str
    labels: Mapping[str, str]
    spec: CommonSpec
    document: Source = field(compare=False)
    root: Node = field(compare=False, repr=False)
    key_files: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()

    @property
    def mode(self) -> Literal["enforce", "observe", "paused"]:
        return self.spec.mode

    @property
    def allow(self) -> Risk:
        """The highest risk that is done without asking."""
        return Risk[self.spec.allow.upper()]

    @property
    def access(self) -> Access:
        return self.spec.access

    def wish(self, kind: Kind[F]) -> F:
        """The kind's part of the spec; its defaults when the spec says nothing of it."""
        part: Any = getattr(self.spec, to_snake(kind.place)) if kind.place else self.spec
        return part if isinstance(part, kind.fragment) else kind.fragment()

    def source(self, field: str | Sequence[str | int]) -> Source:
        """Where a value was written, or else the nearest one above it that was.

        `field` is a place below `spec` (`("datastores", "repository", "nfs", "server")`) or the same dotted.
        """
        place = split(self.root, field) if isinstance(field, str) else tuple(field)
        if not place or self.root.child(place[0]) is None:
            return self.document
        node = self.root.nearest(place)
        return Source(node.file, node.key_line)


def split(root: Node, field: str) -> tuple[str | int, ...]:
    """A dotted field into keys, which may have dots in them: the likeliest of its readings."""
    return next(readings(root, field))


def readings(root: Node, field: str) -> Iterator[tuple[str | int, ...]]:
    """What a dotted field can mean, likeliest first: places where a value is before others, long keys before short."""
    every = list(itertools.islice(_readings(root, field), MOST_READINGS))
    yield from sorted(every, key=lambda place: (node := root.find(place)) is None or node.value is None)


def _readings(node: Node | None, text: str) -> Iterator[tuple[str | int, ...]]:
    """Every place below `node` that `text` can mean, as far as keys are there; what follows is parted at its dots."""
    if node is None or not text:
        yield tuple(_parted(text))
        return
    for key, rest in list(_steps(node, text)) or [_plain_step(text)]:
        yield from ((key, *tail) for tail in _readings(node.child(key), rest))


def _parted(text: str) -> Iterator[str | int]:
    """What stands below all that is there; it may be of any length."""
    while text:
        key, text = _index(text) or _plain_step(text)
        yield key


def _steps(node: Node, text: str) -> Iterator[tuple[str | int, str]]:
    """The keys that are there with which `text` can begin, longest first, and what follows each."""
    keys = [str(key) for key in node.value] if isinstance(node.value, dict) else []
    fitting = (key for key in keys if text == key or text.startswith((key + ".", key + "[")))
    for key in sorted(fitting, key=len, reverse=True):
        yield key, text[len(key) :].removeprefix(".")
    index = _index(text)
    if index is not None:
        yield index


def _index(text: str) -> tuple[int, str] | None:
    index, _, rest = text[1:].partition("]")
    return (int(index), rest.removeprefix(".")) if text[0] == "[" and index.isdecimal() else None


def _plain_step(text: str) -> tuple[str, str]:
    head, _, rest = text.partition(".")
    return head, rest
