"""VimDump: how vim-cmd prints objects (field guide, section 1.3).

Up to 6.0 there is a blank after the comma of each property (field capture: 5.0), up to 5.5 a `dynamicType` line; from
7.0 the last property has no comma (field captures: 6.5, 8.0.1). Inferred: where exactly between those versions.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.simulator.versions import Release


@dataclass(frozen=True)
class Ref:
    """A managed object reference, in single quotes."""

    text: str


@dataclass(frozen=True)
class Null:
    """`(TYPE) null`."""

    type: str


@dataclass(frozen=True)
class Array:
    type: str
    items: tuple[Dumped, ...]


@dataclass(frozen=True)
class Object:
    type: str
    fields: tuple[tuple[str, Dumped], ...]


Dumped = str | int | bool | None | Ref | Null | Array | Object


def dump(value: Dumped, release: Release) -> str:
    """The text of an object or array, with a newline at its end. An empty array is `(TYPE) []` (field capture: 4.x)."""
    return _value(value, release, "") + "\n"


def _value(value: Dumped, release: Release, pad: str) -> str:
    if value is None:
        return "<unset>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Ref):
        return f"'{value.text}'"
    if isinstance(value, Null):
        return f"({value.type}) null"
    if isinstance(value, Array):
        if not value.items:
            return f"({value.type}) []"
        items = [f"{pad}   {_value(item, release, pad + '   ')}" for item in value.items]
        return "\n".join([f"({value.type}) [", *_ended(items, release), f"{pad}]"])
    fields = list(value.fields)
    if not release.since(6):
        fields.insert(0, ("dynamicType", None))
    lines = [f"{pad}   {name} = {_value(item, release, pad + '   ')}" for name, item in fields]
    return "\n".join([f"({value.type}) {{", *_ended(lines, release), f"{pad}}}"])


def _ended(lines: list[str], release: Release) -> list[str]:
    """Lines with their commas."""
    comma = ", " if not release.since(6, 5) else ","
    ended = [line + comma for line in lines]
    if lines and release.since(7):
        ended[-1] = lines[-1]
    return ended
