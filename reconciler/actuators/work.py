"""What a verb that takes long needs of the pass that it is a part of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from reconciler.records import record

Direction = Literal["to_host", "from_host"]


@record
class Carried:
    """How far a copy of `what` is: `done` of `total` bytes. `direction` is None for a clone on the host; `passed` are
    the bytes that went over the wire since the last time."""

    what: str
    done: int
    total: int
    direction: Direction | None = None
    passed: int = 0


@record
class Work:
    """`progress` hears how a copy goes, `stopping` tells whether a person wants it to end, `pause` waits that many
    seconds, `spool` is a folder on this machine for what is only passing through."""

    progress: Callable[[Carried], None]
    stopping: Callable[[], bool]
    pause: Callable[[float], None]
    spool: Path
