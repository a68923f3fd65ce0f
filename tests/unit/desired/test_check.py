"""What is said of values that a model refuses, for anything that a kind's model may ask for."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from reconciler.desired.check import check
from reconciler.desired.yaml import parse
from reconciler.kinds.model import Fragment


class Inner(Fragment):
    """A part with a rule of its own."""

    low: int = Field(default=0, ge=0, le=9, description="the lower end", examples=[1])
    high: int = Field(default=9, description="the upper end")

    @model_validator(mode="after")
    def _ordered(self) -> Inner:
        if self.low > self.high:
            raise ValueError("ends before it begins")
        return self


class Model(Fragment):
    """All sorts of fields."""

    part: Inner | None = Field(default=None, description="a part")
    parts: dict[str, Inner | Literal["none"]] = Field(default={}, description="parts")
    items: list[str | Inner] = Field(default=[], min_length=1, description="at least one")
    short: Annotated[str, Field(max_length=3)] | None = Field(default=None, description="a short one")
    share: float = Field(default=0.5, description="a share")

    @model_validator(mode="after")
    def _not_both(self) -> Model:
        if self.short and self.part:
            raise ValueError("has both a short one and a part")
        return self


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("part: {low: 3, high: 2}", ["a:1:1: spec.part: ends before it begins"]),
        ("parts: {x: {low: 3, high: 2}}", ["a:1:9: spec.parts.x: ends before it begins"]),
        (
            "parts: {x: {low: 10}}",
            ["a:1:18: spec.parts.x.low: must be a whole number from 0 to 9, not this one"],
        ),
        ("parts: {x: 1}", ["a:1:12: spec.parts.x: must be a map or 'none', not a number"]),
        ("parts: {x: other}", ["a:1:12: spec.parts.x: must be a map or 'none'"]),
        ("items: []", ["a:1:1: spec.items: must not be empty"]),
        (
            "items: [{low: 3, high: 2}, {low: x}, 1]",
            [
                "a:1:9: spec.items[0]: ends before it begins",
                "a:1:34: spec.items[1].low: must be a whole number from 0 to 9, not text",
                "a:1:38: spec.items[2]: must be text or a map, not a number (write it in quotes)",
            ],
        ),
        ("short: four", ["a:1:8: spec.short: is longer than 3 characters"]),
        ("short: x\npart: {}", ["a:1:1: spec: has both a short one and a part"]),
        ("share: x", ["a:1:8: spec.share: must be a number, not text"]),
        ("share: ~\nitems: ~", []),
    ],
)
def test_every_refusal_has_its_place_and_words(text: str, mistakes: list[str]) -> None:
    checked = check(parse(text, "a").documents[0], Model, ("spec",))
    assert [str(mistake) for mistake in checked.mistakes] == mistakes


def test_what_is_right_beside_a_mistake_is_kept() -> None:
    checked = check(
        parse("short: four\nparts: {a: {low: x}, b: {low: 1}}", "a").documents[0], Model, ("spec",)
    )
    assert len(checked.mistakes) == 2
    assert checked.value == Model(parts={"b": Inner(low=1)})


def test_nothing_is_kept_when_the_whole_is_refused() -> None:
    assert check(parse("short: x\npart: {}", "a").documents[0], Model, ("spec",)).value is None
