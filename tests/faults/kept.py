"""What a run has told, held against what its history keeps."""

from __future__ import annotations

import re
from collections import Counter

from reconciler.entries import Entry
from reconciler.state.database import read
from reconciler.state.folder import StateFolder
from tests.live.passes.world import World

STEP = re.compile(r"(create|update|delete) (\S+): (done|failed) after")


def steps_of(there: World) -> list[Entry]:
    """The steps in the history."""
    return [it for it in read(StateFolder(there.folder / "state").history) if it.event == "step"]


def told_is_kept(there: World, said: str) -> None:
    """Each step that a run with `--log-level debug` has told as ended is in the history, and at most one more: that of
    the moment in which it was killed."""
    told = Counter(STEP.findall(said))
    kept = Counter((it.verb, it.resource, it.outcome) for it in steps_of(there))
    assert told <= kept, said
    assert (kept - told).total() <= 1, kept
