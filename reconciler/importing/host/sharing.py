"""What hosts have in common, as a profile, and who is not like the others. Pure.

A value goes to the profile when more than half of the hosts have it; the others say in their own documents what they
have instead, or take it back by null. Two such values have a host that has both, so that what no host's spec may bring
together does not come together in the profile.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.importing.host.trees import Tree, difference, get, put
from reconciler.kinds.key_lines import parse_key_line
from reconciler.records import record

WHOLE = 3
"""Down to this depth maps are parted; what stands there, such as an NFS mount, is shared as a whole or not at all."""
Place = tuple[str, ...]
OWN: tuple[Place, ...] = ((), ("address",))
"""What is never shared: all of a spec, and by what it is reached."""


@record
class Shared:
    """`profile` is what most hosts have ({}: nothing), `hosts` is what each says over it, in the order of the specs."""

    profile: Tree
    hosts: tuple[Tree, ...]


@record
class Outliers:
    """Hosts that are not like most. `others` has what each has at `place` instead, by name; None: nothing."""

    place: Place
    usual: Any
    most: int
    hosts: int
    others: Mapping[str, Any]

    def __str__(self) -> str:
        """`37 of 40 hosts have datastores.repository.nfs {server: 10.10.0.1, …}, these 3 do not: …`."""
        groups: dict[str, list[str]] = {}
        for name, value in self.others.items():
            groups.setdefault("nothing" if value is None else _short(value), []).append(name)
        these = "this 1 does" if len(self.others) == 1 else f"these {len(self.others)} do"
        instead = "; ".join(f"{', '.join(names)} ({value})" for value, names in groups.items())
        what = ".".join(self.place)
        return f"{self.most} of {self.hosts} hosts have {what} {_short(self.usual)}, {these} not: {instead}"


def shared(specs: Sequence[Tree]) -> Shared:
    """Part what most of these specs say from what each says alone."""
    profile: Tree = {}
    for place, value, _ in _usual(specs):
        profile = put(profile, place, value)
    return Shared(profile, tuple(difference(spec, profile) for spec in specs))


def outliers(specs: Mapping[str, Tree]) -> tuple[Outliers, ...]:
    """Where most hosts, given by name, agree and some do not."""
    found = []
    for place, value, most in _usual(list(specs.values())):
        others = {name: it for name, spec in specs.items() if (it := get(spec, place)) != value}
        if others:
            found.append(Outliers(place, value, most, len(specs), others))
    return tuple(found)


def _usual(specs: Sequence[Tree]) -> Iterable[tuple[Place, Any, int]]:
    """Each value that more than half of the specs have, with its place and how many have it."""
    count = Counter(leaf for spec in specs for leaf in _leaves(spec, ()))
    for (place, text), most in count.items():
        if 2 * most > len(specs) and place[:1] not in OWN:
            yield place, json.loads(text), most


def _leaves(value: Any, place: Place) -> Iterable[tuple[Place, str]]:
    """What can be shared, with its place; as texts, which can be counted."""
    if isinstance(value, dict) and value and len(place) < WHOLE:
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    else:
        yield place, json.dumps(value)


def _short(value: Any) -> str:
    """A value on one line, as in YAML: `{server: 10.10.0.1, path: /images}`; keys by their comments."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(it)}" for key, it in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    key = parse_key_line(value) if isinstance(value, str) else None
    if key is not None:
        return key.label
    return value if isinstance(value, str) else json.dumps(value)
