"""Host documents that are being written: begun by what was found, and freed of what does not hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.desired.mistakes import Mistake
from reconciler.desired.nodes import Place, shown
from reconciler.importing.trees import Tree, difference, get, put, taken
from reconciler.kinds.key_lines import parse_key_line
from reconciler.kinds.model import Found
from reconciler.plan import Note


@dataclass(frozen=True)
class Draft:
    """A Host document. `under` is what the profile that it names says; `omitted` is what it does not speak of, and why.

    `places` has where each resource stands that may have to go, by its name. `product` is what the host says it is.
    """

    name: str
    spec: Tree
    under: Tree
    places: Mapping[str, tuple[str, ...]]
    product: str = ""
    omitted: tuple[Note, ...] = ()

    def without(self, resource: str, place: Place, why: str) -> Draft:
        """Nothing is said of what stands at that place."""
        return replace(self.noted(resource, why), spec=taken(self.spec, place, self.under))

    def noted(self, resource: str, why: str) -> Draft:
        """With something to be told of it."""
        note = Note(resource, why)
        return self if note in self.omitted else replace(self, omitted=(*self.omitted, note))

    def document(self) -> Tree:
        return document("Host", self.name, self.spec)


def document(kind: str, name: str, spec: Tree) -> Tree:
    """A whole document."""
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def begun(draft: Draft, found: Iterable[Found], trouble: Mapping[str, str]) -> Draft:
    """A draft with what was found on its host.

    What it says before, or its profile, is repeated only where it does not hold: for the reasons in `trouble`, by the
    resource's name.
    """
    settled = draft.places.keys() - trouble.keys()
    for it in found:
        if it.resource in settled:
            continue
        if it.why:
            draft = draft.noted(it.resource, it.why)
            continue
        over = difference(it.value, get(draft.under, it.place))
        known = {**draft.places, it.resource: it.place}
        draft = replace(draft, spec=put(draft.spec, it.place, over), places=known)
    return draft


def corrected(draft: Draft, mistake: Mistake) -> Draft | None:
    """Without what is wrong in it. None: it is wrong in something that nobody found on the host."""
    found = _place(draft, mistake)
    if found is None:
        return None
    resource, place = found
    key = parse_key_line(get(draft.spec, place)) if isinstance(place[-1], int) else None
    return draft.without(resource, place, f"{key.label} {mistake.what}" if key else mistake.what)


def _place(draft: Draft, mistake: Mistake) -> tuple[str, Place] | None:
    """The resource in which a mistake is, and its place, or that of the one item of a list which is wrong."""
    fitting = [
        (resource, place)
        for resource, whole in draft.places.items()
        for place in _parts(draft.spec, whole)
        if _within(mistake.where, shown(("spec", *place)))
    ]
    return max(fitting, key=lambda it: len(shown(it[1])), default=None)


def _parts(spec: Any, place: tuple[str, ...]) -> Iterator[Place]:
    yield place
    there = get(spec, place)
    if isinstance(there, list):
        yield from ((*place, index) for index in range(len(there)))


def _within(where: str, place: str) -> bool:
    return where == place or where.startswith((place + ".", place + "["))
