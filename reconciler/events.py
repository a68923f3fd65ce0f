"""What the working code tells: one frozen record per happening. Progress and logs are listeners."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.records import record


@record
class Event:
    """Something that happened in the pass over `host`."""

    host: str


@record
class Connecting(Event):
    """A session is being opened."""

    address: str


@record
class Postponed(Event):
    """The host said nothing in a first, short try: it is tried again when the others are done."""


@record
class Looking(Event):
    """A look has begun; `questions` are asked in this round trip."""

    questions: int


@record
class Waiting(Event):
    """The pass waits; `why` is one line (hostd restarting), `seconds` how long until the next try."""

    why: str
    seconds: float


@record
class Planned(Event):
    """The plan is made."""

    steps: int
    held: int
    unknown: int


@record
class StepBegan(Event):
    """Step `number` of `total` begins."""

    resource: str
    title: str
    number: int
    total: int


@record
class Carrying(Event):
    """A copy goes on: `done` of `total` bytes of `what` (a disk's name). `direction` is `to_host`, `from_host` or None
    for a clone on the host; `passed` counts the bytes that went over the wire since the last such event."""

    what: str
    done: int
    total: int
    direction: str | None
    passed: int


@record
class Retrying(Event):
    """A step is tried again after another look; `fault` is the kind of what went wrong."""

    resource: str
    why: str
    fault: str


@record
class StepEnded(Event):
    """A step ended: `done`, `failed` or `skipped`, after `seconds`."""

    resource: str
    verb: str
    outcome: str
    seconds: float


@record
class Failed(Event):
    """The pass, or a step of it, met a fault."""

    kind: str
    message: str


@record
class Finished(Event):
    """The pass over the host ended with `status`, after `seconds`."""

    status: str
    seconds: float


Listener = Callable[[Event], None]
