"""Nodes against a model: a validated instance, and every mistake in people's words with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.desired.mistakes import Mistake, nearest, unknown_field
from reconciler.desired.nodes import Node, Place
from reconciler.desired.shape import Shape, shape_of

M = TypeVar("M", bound=BaseModel)

_BOOLEAN_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_TYPE_ERRORS = ("_type", "literal_error", "_than_equal", "is_instance_of")
SECRET_WORDS = (
    "must be a reference to a secret, a literal secret is refused "
    "(would be right: {env: NAME}, {file: PATH} or {exec: [COMMAND, ARGUMENT]})"
)


@dataclass
class Checked(Generic[M]):
    """What came of a check. With mistakes, `value` lacks what is wrong, and is None when nothing is left of it."""

    value: M | None = None
    mistakes: list[Mistake] = field(default_factory=list)


def check(node: Node, model: type[M], where: Place, *, partial: bool = False) -> Checked[M]:
    """Validate a node. `partial`: what is missing may still come from another document, but in the items of
    lists, which don't merge."""
    shape = shape_of(model)
    checked: Checked[M] = Checked()
    data = _plain(node, shape, where, checked.mistakes)
    try:
        checked.value = model.model_validate(data)
    except ValidationError as error:
        groups = _groups(error, node)
        for place, items in groups.items():
            if not (partial and items[0]["type"] == "missing" and _merges(place)):
                checked.mistakes.append(_mistake(place, items, node, shape, where))
        checked.value = _what_is_right(data, model, groups)
    return checked


def _merges(place: Place) -> bool:
    return not any(isinstance(part, int) for part in place)


def _what_is_right(data: Any, model: type[M], wrong: Iterable[Place]) -> M | None:
    """An instance without the values that are wrong, so that the rest can be checked on."""
    for place in wrong:
        if not place:
            return None
        above = data.get(place[0]) if len(place) > 1 else data
        if isinstance(above, dict):
            above.pop(place[:2][-1], None)
        else:
            data.pop(place[0], None)
    try:
        return model.model_validate(data)
    except ValidationError:
        return None


def _plain(node: Node, shape: Shape, where: Place, mistakes: list[Mistake]) -> Any:
    """The value without nulls in maps (they only take profiles' values away) and without what the model has no field
    for, which is a mistake."""
    value = node.value
    if shape.secret and shape.fields is not None and not is_reference(value):
        mistakes.append(node.mistake(where, SECRET_WORDS))
        return {"env": "REFUSED"}
    if type(value) is dict:
        return _plain_map(value, shape, where, mistakes)
    if type(value) is list:
        inner = shape.child(0)
        return [_plain(item, inner, (*where, index), mistakes) for index, item in enumerate(value)]
    return value


def _plain_map(value: dict[str, Node], shape: Shape, where: Place, mistakes: list[Mistake]) -> dict[str, Any]:
    plain = {}
    fields = shape.fields
    for key, child in value.items():
        if fields is not None and key not in fields:
            mistakes.append(_unknown(child, key, shape, where))
        elif child.value is not None:
            inner = fields[key] if fields is not None else shape.child(key)
            child_value = child.value
            scalar = type(child_value) not in (dict, list) and not inner.secret
            plain[key] = child_value if scalar else _plain(child, inner, (*where, key), mistakes)
    return plain


def is_reference(value: Any) -> bool:
    """Whether it looks like a reference, so that its parts may be shown in messages. A part may be null, which takes a
    profile's away."""
    return type(value) is dict and bool(value) and set(value) <= {"env", "file", "exec"}


def _unknown(child: Node, key: str, shape: Shape, where: Place) -> Mistake:
    return child.mistake_at_key(where, unknown_field(key, list(shape.fields or ())))


def _groups(error: ValidationError, root: Node) -> dict[Place, list[Any]]:
    """The errors of each place. Of the members of a union only what fits the value's form is heard."""
    groups: dict[Place, list[Any]] = {}
    for item in error.errors(include_url=False, include_input=False):
        groups.setdefault(_place(item, root), []).append(item)
    above = {place[:depth] for place in groups for depth in range(len(place))}
    return {place: items for place, items in groups.items() if place not in above or _key_error(items)}


def _key_error(items: list[Any]) -> Any | None:
    """The error that is about the name, not the value."""
    return next((item for item in items if "[key]" in item["loc"]), None)


def _place(item: Any, root: Node) -> Place:
    """The document's part of an error's place, which also names members of unions."""
    node, place = root, list[str | int]()
    for part in item["loc"]:
        child = node.child(part)
        if child is not None:
            place.append(part)
            node = child
    # a null stands there, and is missing all the same
    if item["type"] == "missing" and child is None:
        place.append(item["loc"][-1])
    return tuple(place)


def _mistake(place: Place, items: list[Any], root: Node, shape: Shape, where: Place) -> Mistake:
    inner, right = shape, ""
    for depth, part in enumerate(place, 1):
        inner = inner.child(part)
        right = inner.help or right
        if inner.secret:
            return root.nearest(place[:depth]).mistake((*where, *place[:depth]), SECRET_WORDS)
    node, where = root.nearest(place), (*where, *place)
    named = _key_error(items)
    if named is not None:
        return node.mistake_at_key(where, _wrong_name(named))
    if any(item["type"] == "missing" for item in items):
        return node.mistake_at_key(where, f"is missing ({right})")
    own = next((item for item in items if not item["type"].endswith(_TYPE_ERRORS)), None)
    if own is None or not _fits(node.value, inner):
        return node.mistake(where, _wrong_type(node.value, inner))
    return node.mistake(where, _wrong_value(own, right))


def _fits(value: Any, shape: Shape) -> bool:
    """Whether a value is of a type that may stand here, so that only its content is wrong."""
    if isinstance(value, dict):
        return shape.fields is not None or shape.each is not None
    if isinstance(value, list):
        return shape.item is not None
    return shape.scalar is None or type(value) is shape.scalar


def _wrong_type(value: Any, shape: Shape) -> str:
    """Values are never quoted, since any of them may be a secret in the wrong place; well-known words are."""
    if isinstance(value, str) and shape.scalar is bool and value.lower() in _BOOLEAN_WORDS:
        return f"must be true or false, not the text {value!r} (write {_BOOLEAN_WORDS[value.lower()]})"
    if isinstance(value, str) and shape.choices and len(shape.words) > 1:
        near = nearest(value, shape.choices)
        return f"must be {shape.expected}" + (f" (did you mean {near!r}?)" if near else "")
    return f"must be {shape.expected}, not {_described(value, shape)}{_quoting(value, shape)}"


def _described(value: Any, shape: Shape) -> str:
    """What a value is, without showing it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if type(value) is shape.scalar or (isinstance(value, str) and shape.choices):
        return "this one" if isinstance(value, (int, float)) else "this text"
    return {dict: "a map", list: "a list", int: "a number", float: "a number", str: "text"}[type(value)]


def _quoting(value: Any, shape: Shape) -> str:
    if isinstance(value, (int, float)) and str(value) in shape.choices:
        return f' (write "{value}", with the quotes)'
    if isinstance(value, (int, float)) and shape.scalar is str:
        return " (write it in quotes)"
    if isinstance(value, str) and shape.scalar is int and value.isdecimal():
        return " (write it without quotes)"
    return ""


def _wrong_name(item: Any) -> str:
    if item["type"] == "value_error":
        return f"the name {item['ctx']['error']}"
    if item["type"] == "string_too_short":
        return "the name must not be empty"
    if item["type"] == "string_too_long":
        return f"the name is longer than {item['ctx']['max_length']} characters"
    return "the name has a character in it that is not allowed there"


def _wrong_value(item: Any, right: str) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    if item["type"] in ("string_too_short", "too_short"):
        return "must not be empty"
    if item["type"] == "string_too_long":
        return f"is longer than {item['ctx']['max_length']} characters"
    return f"has a form that is not allowed (would be right: {right})"
