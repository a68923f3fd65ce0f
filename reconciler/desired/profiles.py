"""Profiles that build on profiles: each one's merged spec, rings and unknown names found."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.desired.merge import merge
from reconciler.desired.mistakes import Mistake, suggestion
from reconciler.desired.nodes import Node
from reconciler.records import record

MAX_LEVELS = 32
PLACE = ("spec", "profile")
NOTHING = Node({}, "", 1, 1, 1, 1)


@record
class Resolved:
    """A merged spec; `whole` is False when a profile that it builds on is unknown, or in a ring."""

    spec: Node
    whole: bool = True
    level: int = 0


@dataclass
class Profiles:
    """The profiles of a load by name, as they were written. Mistakes are collected in `mistakes`.

    `complete` is False when a spec file could not be read, so that an unknown name may well stand in there.
    """

    written: Mapping[str, Node]
    complete: bool = True
    mistakes: list[Mistake] = field(default_factory=list)
    _resolved: dict[str, Resolved] = field(default_factory=dict)
    _bases: dict[tuple[str, ...], Resolved] = field(default_factory=dict)
    _near: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Resolve each profile after those that it builds on, without recursion."""
        waiting = {name: self._known_bases(spec) for name, spec in self.written.items()}
        dependents: dict[str, list[str]] = {}
        for name, bases in waiting.items():
            for base in bases:
                dependents.setdefault(base, []).append(name)
        ready = [name for name, bases in waiting.items() if not bases]
        while ready:
            name = ready.pop()
            del waiting[name]
            self._resolved[name] = self.over(self.written[name])
            for dependent in dependents.get(name, ()):
                waiting[dependent].discard(name)
                if not waiting[dependent]:
                    ready.append(dependent)
        self._rings(waiting)

    def _known_bases(self, spec: Node) -> set[str]:
        return {name for name, _ in named(spec)} & self.written.keys()

    def over(self, spec: Node) -> Resolved:
        """A spec laid over the profiles that it names."""
        references = named(spec)
        if not references:
            return Resolved(spec, level=1)
        base = self._base(references)
        if base.level >= MAX_LEVELS:
            what = f"profiles build on profiles more than {MAX_LEVELS} levels deep"
            self.mistakes.append(references[0][1].mistake(PLACE, what))
            return Resolved(spec, False)
        return Resolved(merge(base.spec, spec), base.whole, base.level + 1)

    def _base(self, references: Sequence[tuple[str, Node]]) -> Resolved:
        """What a list of names stands for, the same list only once."""
        names = tuple(name for name, _ in references)
        for name, node in references:
            if name not in self.written and self.complete:
                self.mistakes.append(node.mistake(PLACE, self._unknown(name)))
        if names not in self._bases:
            self._bases[names] = self._merged(names)
        return self._bases[names]

    def _merged(self, names: Sequence[str]) -> Resolved:
        bases = [self._resolved[name] for name in names if name in self._resolved]
        spec = functools.reduce(merge, (base.spec for base in bases), NOTHING)
        whole = len(bases) == len(names) and all(base.whole for base in bases)
        return Resolved(spec, whole, max((base.level for base in bases), default=0))

    def _unknown(self, name: str) -> str:
        if name not in self._near:
            self._near[name] = f"there is no profile {name!r}" + suggestion(name, list(self.written))
        return self._near[name]

    def _rings(self, waiting: Mapping[str, set[str]]) -> None:
        """Report each ring once. Every profile that still waits is in a ring or builds on one."""
        seen: set[str] = set()
        for start in waiting:
            path: dict[str, None] = {}
            name = start
            while name not in seen:
                seen.add(name)
                path[name] = None
                name = min(waiting[name])
            if name in path:
                self._ring([*path][[*path].index(name) :])

    def _ring(self, ring: list[str]) -> None:
        node = next(node for base, node in named(self.written[ring[-1]]) if base == ring[0])
        text = " -> ".join((*ring[:8], "…") if len(ring) > 8 else (*ring, ring[0]))
        self.mistakes.append(node.mistake(PLACE, f"profiles build on each other in a ring: {text}"))


def named(spec: Node) -> list[tuple[str, Node]]:
    """The profiles that a spec names, in their order, with the places where it does."""
    node = spec.child("profile")
    if node is None:
        return []
    items = node.value if isinstance(node.value, list) else [node]
    return [(item.value, item) for item in items if isinstance(item.value, str)]
