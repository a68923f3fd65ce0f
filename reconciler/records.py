"""Frozen dataclasses for the catalogues of what can be asked, seen, done and told.

Most runs need a third of these classes, and `dataclass` compiles six functions for each, half a millisecond. So each is
made a dataclass when the first of its kind is made: a seventh of the CPU of `validate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_gate = RLock()
_waiting: set[type[Any]] = set()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """As `dataclass(frozen=True)`, without options; of a class that has no `__new__`, and whose subclasses are records
    too."""

    def new(kind: type[T], /, *given: Any, **named: Any) -> T:
        if cls in _waiting:
            _make_ready(cls)
        return object.__new__(kind)

    # of the two steps in which an object is made the first: by the second, `__init__` has to be there for any thread
    setattr(cls, "__new__", new)  # noqa: B010 - a type checker would take it for a method of T
    _waiting.add(cls)
    return cls


def _make_ready(cls: type[Any]) -> None:
    """Make it a dataclass, and before it those that it inherits fields from."""
    with _gate:
        for it in reversed(cls.__mro__):
            if it in _waiting:
                dataclass(frozen=True)(it)
                _waiting.discard(it)
