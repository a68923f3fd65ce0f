"""Frozen dataclasses that cost little until there is one.

Most runs need half of these classes, and `dataclass` compiles six functions for each: half a millisecond. So each is
made a dataclass when the first of its kind is made, and three of the six are not compiled: what compares, hashes and
prints is the same code for all. Together that is a quarter of the CPU of `validate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
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
                _make(it)
                _waiting.discard(it)


def _make(cls: type[Any]) -> None:
    dataclass(frozen=True, eq=False, repr=False)(cls)
    key = attrgetter(*(it.name for it in fields(cls) if it.compare), "__class__")
    shown = [it.name for it in fields(cls) if it.repr]

    def same(self: Any, other: object) -> bool:
        if other is self:
            return True
        return bool(key(self) == key(other)) if other.__class__ is self.__class__ else NotImplemented

    @recursive_repr()
    def text(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def number(self: Any) -> int:
        return hash(key(self))

    cls.__eq__, cls.__hash__, cls.__repr__ = same, number, text  # type: ignore[assignment]
