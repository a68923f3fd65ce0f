"""What a spec may hold, place by place, read off the models: names, words for people, and which texts are paths."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel

from reconciler.desired.mistakes import listed
from reconciler.desired.model import Secret
from reconciler.kinds.model import LocalFileMark, LocalPlaceMark
from reconciler.records import record

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@record
class Shape:
    """What may stand at one place. `fields`: of a map with fixed names; `each`: of a map with free ones; `item`: of
    a list. `local`: a path on this machine; `placed`: on the host or on this machine, by its form; `path`: a text in
    which `${name}` stands for the host's name. `secret`: a reference to a secret, or a part of one. `help`: what the
    field is for, with an example."""

    words: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    fields: Mapping[str, Shape] | None = None
    each: Shape | None = None
    item: Shape | None = None
    scalar: type | None = None
    local: bool = False
    placed: bool = False
    path: bool = False
    secret: bool = False
    help: str = ""

    @functools.cached_property
    def special(self) -> bool:
        """Whether a path may stand here or below."""
        inner = (self.each, self.item)
        return (
            self.path
            or bool(self.special_fields)
            or any(shape is not None and shape.special for shape in inner)
        )

    @functools.cached_property
    def special_fields(self) -> tuple[tuple[str, Shape], ...]:
        """The fields at or below which a path may stand."""
        return tuple((name, shape) for name, shape in (self.fields or {}).items() if shape.special)

    @property
    def expected(self) -> str:
        """What may stand here, in people's words."""
        return listed(self.words)

    def child(self, part: str | int) -> Shape:
        """The shape of a key's or an item's value; one that allows nothing where the models know nothing."""
        if isinstance(part, int):
            return self.item or NOTHING
        if self.fields is not None and part in self.fields:
            return self.fields[part]
        return self.each or NOTHING


NOTHING = Shape()


@functools.cache
def shape_of(model: type[BaseModel]) -> Shape:
    """The shape of a model."""
    fields = {}
    for name, info in model.model_fields.items():
        alias = info.alias or name
        shape = _of(info.annotation, tuple(info.metadata), alias)
        if model is Secret:
            shape = replace(shape, secret=True)
        example = (
            f", for example {info.examples[0]}" if info.examples and not _is_map(info.examples[0]) else ""
        )
        fields[alias] = replace(shape, help=f"{info.description}{example}")
    return Shape(words=("a map",), fields=fields, secret=model is Secret)


def _is_map(example: object) -> bool:
    return isinstance(example, (dict, list))


def _of(annotation: Any, metadata: tuple[Any, ...], alias: str) -> Shape:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of(arguments[0], (*metadata, *arguments[1:]), alias)
    if origin is Union or origin is types.UnionType:
        return _union(
            [_of(argument, metadata, alias) for argument in arguments if argument is not type(None)]
        )
    if origin is Literal:
        return Shape(words=tuple(map(repr, arguments)), choices=arguments)
    if origin is dict:
        return Shape(words=("a map",), each=_of(arguments[1], (), ""))
    if origin is list:
        return Shape(words=("a list",), item=_of(arguments[0], (), alias))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return shape_of(annotation)
    return NOTHING if annotation is Any else _scalar(annotation, metadata, alias)


def _scalar(annotation: type, metadata: tuple[Any, ...], alias: str) -> Shape:
    local = any(isinstance(mark, LocalFileMark) for mark in metadata)
    placed = any(isinstance(mark, LocalPlaceMark) for mark in metadata)
    path = local or placed or alias.lower().endswith(("path", "directory"))
    words = _WORDS[annotation] + _bounds(metadata)
    return Shape(words=(words,), scalar=annotation, local=local, placed=placed, path=path)


def _bounds(metadata: tuple[Any, ...]) -> str:
    low = next((mark.ge for mark in metadata if isinstance(mark, Ge)), None)
    high = next((mark.le for mark in metadata if isinstance(mark, Le)), None)
    return f" from {low} to {high}" if low is not None and high is not None else ""


def _union(shapes: list[Shape]) -> Shape:
    if len(shapes) == 1:
        return shapes[0]
    return Shape(
        words=tuple(dict.fromkeys(word for shape in shapes for word in shape.words)),
        choices=tuple(choice for shape in shapes for choice in shape.choices),
        fields=next((shape.fields for shape in shapes if shape.fields is not None), None),
        each=next((shape.each for shape in shapes if shape.each is not None), None),
        item=next((shape.item for shape in shapes if shape.item is not None), None),
        scalar=next((shape.scalar for shape in shapes if shape.scalar is not None), None),
        local=any(shape.local for shape in shapes),
        placed=any(shape.placed for shape in shapes),
        path=any(shape.path for shape in shapes),
        secret=any(shape.secret for shape in shapes),
    )
