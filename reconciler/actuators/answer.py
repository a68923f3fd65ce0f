"""How a host answers a verb."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """`said` is what the host printed when it did not do it. `passing`: no refusal, the management agent is away for
    a moment. `next` is what a person can do, where that is known."""

    ok: bool
    said: str = ""
    passing: bool = False
    next: str = ""
