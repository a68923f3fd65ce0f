"""Host documents that are being written: begun by what was found, and freed of what does not hold. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from reconciler.desired.mistakes import Mistake
from reconciler.desired.nodes import Place, shown
from reconciler.importing.host.trees import Tree, difference, get, is_null, put, taken
from reconciler.importing.writing import line_numbers
from reconciler.kinds.key_lines import parse_key_line
from reconciler.kinds.model import Found
from reconciler.plan import Note
from reconciler.records import record


@record
class Draft:
    """A Host document. `under` is what the profile that it names says; `omitted` is what it does not speak of, and why.

    `places` has where each resource stands that may have to go, by its name. `product` is what the host says it is,
    `remarks` what people should know beside.
    """

    name: str
    spec: Tree
    under: Tree
    places: Mapping[str, tuple[str, ...]]
    product: str = ""
    omitted: tuple[Note, ...] = ()
    remarks: tuple[str, ...] = ()

    def without(self, resource: str, place: Place, why: str) -> Draft:
        """Nothing is said of what stands at that place."""
        return replace(self.noted(resource, why), spec=taken(self.spec, place, self.under))

    def noted(self, resource: str, why: str) -> Draft:
        """With something to be told of it."""
        note = Note(resource, why)
        return self if note in self.omitted else replace(self, omitted=(*self.omitted, note))

    def document(self) -> Tree:
        """The document."""
        return document("Host", self.name, self.spec)

    @property
    def why_null(self) -> dict[tuple[str, ...], str]:
        """Where something is taken back from the profile, and why."""
        why = {it.resource: it.why for it in self.omitted}
        gone = {resource: place for resource, place in self.places.items() if is_null(self.spec, place)}
        return {place: why[resource] for resource, place in gone.items() if resource in why}


def file_of(draft: Draft) -> str:
    """What messages name in place of its file."""
    return f"the document of {draft.name}"


def document(kind: str, name: str, spec: Tree) -> Tree:
    """A whole document."""
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def begun(draft: Draft, found: Iterable[Found], unlike: Collection[str]) -> Draft:
    """A draft with what was found on its host. What its profile says is repeated only where the host is `unlike` that:
    these are names of resources."""
    settled = draft.places.keys() - unlike
    for it in found:
        if it.resource in settled:
            continue
        if it.why:
            draft = draft.noted(it.resource, it.why)
            continue
        if not _is_text((it.place, it.value)):
            draft = draft.noted(it.resource, "it is no text in UTF-8")
            continue
        over = difference(it.value, get(draft.under, it.place))
        known = {**draft.places, it.resource: it.place}
        draft = replace(draft, spec=put(draft.spec, it.place, over), places=known)
    return draft


def _is_text(value: Any) -> bool:
    """Whether a file can carry it: bytes that were no UTF-8 are half a surrogate pair each."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def corrected(draft: Draft, mistake: Mistake) -> Draft | None:
    """Without what is wrong in it. None: it is wrong in something that nobody found on the host."""
    found = _place(draft, mistake)
    if found is None:
        return None
    resource, place = found
    key = parse_key_line(get(draft.spec, place)) if isinstance(place[-1], int) else None
    return draft.without(resource, place, f"{key.label} {mistake.what}" if key else mistake.what)


def _place(draft: Draft, mistake: Mistake) -> tuple[str, Place] | None:
    """The resource in which a mistake is, and its place, or that of the one item of a list which is wrong.

    Several may be meant by what a message shows of a place; where the mistake is in the document, its line tells.
    """
    lines = line_numbers([draft.document()]) if mistake.file == file_of(draft) else {}

    def nearest(it: tuple[str, Place]) -> tuple[int, int]:
        line = lines.get((0, "spec", *it[1]), 0)
        return line if line <= mistake.line else -1, len(it[1])

    fitting = [
        (resource, place)
        for resource, whole in draft.places.items()
        for place in _parts(draft.spec, whole)
        if _within(mistake.where, shown(("spec", *place)))
    ]
    return max(fitting, key=nearest, default=None)


def _parts(spec: Any, place: tuple[str, ...]) -> Iterator[Place]:
    yield place
    there = get(spec, place)
    if isinstance(there, list):
        for index in range(len(there)):
            yield *place, index


def _within(where: str, place: str) -> bool:
    return where == place or where.startswith((place + ".", place + "["))
