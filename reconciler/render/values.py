"""Values of fields as people read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

from reconciler.kinds.model import Difference
from reconciler.render.visible import visible

T = TypeVar("T")

ARROW = " → "
_CLOSED = ("verb", "risk", "transport", "event", "outcome")
"""Fields whose words are the program's own."""


def shown(value: Any) -> str:
    """A value on one line: `(none)` for what is not there, quotes where blanks at an end would not be seen."""
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(shown, value)) or "(none)"
    text = visible(str(value))
    return f'"{text}"' if not text or text != text.strip(" ") else text


def changed(difference: Difference, verb: str) -> Iterator[tuple[str, str]]:
    """A difference as marked lines: (`~`, `old → new`); (`+`, new) or (`-`, old) where the verb says that there was
    or will be nothing else, and for each item that a list gains or loses."""
    before, after = difference.before, difference.after
    whole = (verb == "create" and before is None) or (verb == "delete" and after is None)
    if not whole and not isinstance(before, (list, tuple)) and not isinstance(after, (list, tuple)):
        yield "~", f"{shown(before)}{ARROW}{shown(after)}"
        return
    old, new = _items(before), _items(after)
    yield from (("-", shown(item)) for item in old if item not in new)
    yield from (("+", shown(item)) for item in new if item not in old)


def map_texts(value: T, change: Callable[[str], str]) -> T:
    """A report with `change` done to each text in it that comes from a host or a spec; for taking secrets out."""
    return cast(T, _mapped(value, change))


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return change(value)
    if isinstance(value, (list, tuple)):
        return tuple(_mapped(item, change) for item in value)
    if isinstance(value, Mapping):
        return {_mapped(key, change): _mapped(item, change) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{name: _mapped(getattr(value, name), change) for name in _open(type(value))})
    return value


@cache
def _open(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass whose words are not the program's own."""
    return tuple(it.name for it in fields(kind) if it.name not in _CLOSED)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]
