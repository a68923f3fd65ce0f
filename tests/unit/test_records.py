"""Records are frozen dataclasses from the first one on, whoever comes first."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, field, fields, replace
from threading import Barrier
from typing import Any, Generic, TypeVar

import pytest

from reconciler.records import record

T = TypeVar("T")


def test_a_record_is_a_frozen_dataclass() -> None:
    @record
    class Mount:
        name: str
        path: str = "/"
        hosts: list[str] = field(default_factory=list, compare=False)

    mount = Mount("repository", path="/images")
    assert mount == Mount("repository", "/images", ["esx"])
    assert mount != Mount("repository")
    assert hash(mount) == hash(Mount("repository", "/images"))
    assert replace(mount, name="vms") == Mount("vms", "/images")
    assert repr(mount).endswith("Mount(name='repository', path='/images', hosts=[])")
    assert [it.name for it in fields(mount)] == ["name", "path", "hosts"]
    with pytest.raises(FrozenInstanceError):
        mount.name = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Mount()  # type: ignore[call-arg]


def test_what_is_not_compared_or_shown_is_neither() -> None:
    @record
    class Key:
        name: str
        secret: str = field(repr=False)
        seen: int = field(default=0, compare=False)

    key = Key("a", "s3cret")
    assert (key, hash(key)) == (Key("a", "s3cret", seen=7), hash(Key("a", "s3cret", seen=7)))
    assert key != Key("a", "other")
    assert repr(key).endswith("Key(name='a', seen=0)")


def test_records_of_two_kinds_are_never_the_same() -> None:
    @record
    class Datastores:
        pass

    @record
    class Services:
        pass

    assert Datastores() == Datastores()
    assert Datastores().__eq__(Services()) is NotImplemented
    assert len({Datastores(), Services(), Datastores()}) == 2


def test_a_record_is_equal_to_itself_whatever_it_holds() -> None:
    @record
    class Rate:
        value: float

    rate = Rate(float("nan"))
    assert rate == replace(rate)


def test_a_record_that_holds_itself_can_be_shown() -> None:
    @record
    class Ring:
        rest: list[Any]

    ring = Ring([])
    ring.rest.append(ring)
    assert repr(ring).endswith("Ring(rest=[...])")


def test_a_field_may_have_any_name() -> None:
    @record
    class File:
        kind: str
        cls: str
        it: str = ""

    assert replace(File(kind="f", cls="x"), it="y") == File(cls="x", it="y", kind="f")


@pytest.mark.parametrize("base_first", [False, True])
def test_fields_are_inherited_whichever_comes_first(base_first: bool) -> None:
    @record
    class Unseen(Generic[T]):
        why: T

    class Between(Unseen[str]):
        def loud(self) -> str:
            return self.why.upper()

    @record
    class Away(Between):
        seconds: int = 0

    if base_first:
        assert Unseen("dark").why == "dark"
    assert Away("dark", 3).loud() == "DARK"
    assert (Away("dark"), Between("dark").why, Unseen("dark").why) == (Away("dark", 0), "dark", "dark")
    assert Unseen("dark") != Away("dark")


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_whoever_comes_while_it_is_made_waits_for_it() -> None:
    start = Barrier(8)

    def first(kind: type[Any]) -> list[int]:
        start.wait()
        return [kind(number).number for number in range(8)]

    for _ in range(100):

        @record
        class Step:
            number: int

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(first, [Step] * 8)) == [list(range(8))] * 8


def test_no_other_dataclass_inherits_from_a_record_whose_fields_it_would_miss() -> None:
    script = """
import importlib, pkgutil, reconciler
from reconciler import records
for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
def below(cls):
    return {it for each in cls.__subclasses__() for it in (each, *below(each))}
assert records._waiting
print([it for cls in records._waiting for it in below(cls) if "__dataclass_fields__" in vars(it)])
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
