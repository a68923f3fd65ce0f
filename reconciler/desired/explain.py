"""Why a host is to be as it is: each value of the merged spec with the place where it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from reconciler.desired.host import DesiredHost, readings
from reconciler.desired.mistakes import nearest, suggestion
from reconciler.desired.model import HostSpec
from reconciler.desired.nodes import Node, Place, dotted
from reconciler.desired.scalars import render
from reconciler.desired.shape import shape_of

Row = tuple[str, str, str]
DEFAULT = "default"


class NoSuchField(Exception):
    """The field is unknown, or not set; the text says which, with the nearest name.

    `doubt`: how unlikely it is that just this was meant, where a field can be read in several ways.
    """

    def __init__(self, text: str, doubt: int = 0) -> None:
        super().__init__(text)
        self.doubt = doubt


def explain(host: DesiredHost, field: str | None) -> list[Row]:
    """Rows of field, value (a YAML scalar on one line) and `FILE:LINE`, in the order of the merged spec.

    With a field, only what stands there and below. A field that nobody wrote shows what holds without it, with
    `default` in place of `FILE:LINE`. Secrets are shown as their references. Raises NoSuchField.
    """
    if field is None:
        return list(_rows(host.root, ()))
    places = list(readings(host.root, field.removeprefix("spec.")))
    node = host.root.find(places[0])
    if node is not None and node.value is not None:
        return list(_rows(node, places[0]))
    return [_unwritten(host, places)]


def _unwritten(host: DesiredHost, places: list[Place]) -> Row:
    """What holds at the first of these places that means anything."""
    wrong = []
    for place in places:
        try:
            return dotted(place), _default(host, place), DEFAULT
        except NoSuchField as error:
            wrong.append(error)
    raise min(wrong, key=lambda error: error.doubt)


def _rows(node: Node, place: Place) -> Iterator[Row]:
    value = node.value
    if value is None:
        return
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _rows(child, (*place, key))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from _rows(child, (*place, index))
    else:
        text = "{}" if value == {} else "[]" if value == [] else render(value)
        yield dotted(place), text, f"{node.file}:{node.key_line}"


def _default(host: DesiredHost, place: Place) -> str:
    """What holds at a place of which nobody wrote anything."""
    shape = shape_of(HostSpec)
    value: Any = host.spec
    names: list[str] = []
    for depth, part in enumerate(place):
        names = list(shape.fields or ()) or _names(host.root.find(place[:depth]))
        if part not in shape.fields if shape.fields is not None else not (shape.each or shape.item):
            what = f"{dotted(place)}: {part!r} is no field here{suggestion(str(part), names)}"
            raise NoSuchField(what, 1 if nearest(str(part), names) is not None else 2)
        names = [] if shape.fields is not None else names
        shape, value = shape.child(part), _attribute(value, part)
    if value is None and place == ("address",):
        return render(host.address)
    if not isinstance(value, (bool, int, float, str)):
        raise NoSuchField(f"{dotted(place)} is not set for {host.name}{suggestion(str(place[-1]), names)}")
    return render(value)


def _attribute(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if not isinstance(value, BaseModel):
        return None
    fields = type(value).model_fields
    return next((getattr(value, name) for name, info in fields.items() if info.alias == part), None)


def _names(node: Node | None) -> list[str]:
    if node is None or not isinstance(node.value, dict):
        return []
    return [key for key, child in node.value.items() if child.value is not None]
