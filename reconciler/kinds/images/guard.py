"""What forbids that a folder of images is set aside or deleted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from reconciler.facts import Facts, Question, Unseen
from reconciler.image_facts import DiskUse, HereTime, HostTime, ImageState, RefusedCopies, VolumeUse
from reconciler.kinds.images.setup import Base, Sight, Whole, is_one_place, listed
from reconciler.kinds.images.wish import ASIDE, image_of

MOST_SHOWN = 3
QUIET_SECONDS = 300
"""What was written later than that may be a copy that goes on."""
_LOG = re.compile(r"vmware(-[0-9]+)?\.log")
_OF_IMAGE = re.compile(
    r"(-flat|-ctk|-[sf][0-9]+)?\.vmdk|\.qcow2|\.vdi|\.vmx\.reference|\.nvram|\.vmsd|\.vmxf"
)
"""The rest of a file's name behind the image's. Another disk (`NAME-000001.vmdk`) is none of these."""


def questions_of_use(base: Base) -> Iterable[Question[Any]]:
    """What has to be asked before it is said that something is unused, or a copy not being written."""
    yield VolumeUse(base.volume)
    yield HostTime()
    yield HereTime()


def objection(
    base: Base, folder: str, state: ImageState, facts: Facts, *, repair: bool = False
) -> str | Unseen | None:
    """Why the folder must stay: it holds more than the image, or is in use, or may be. Unseen: it can't be told.

    `repair`: a whole copy takes its place, so that a spec which wants the image there is served.
    """
    if not state.folder:
        return f"{folder} is no folder, and stays"
    more = strangers(folder, state)
    if more and not state.machines:
        return f"it holds more than the image: {more[0]}{_more(len(more) - 1, 'file')}"
    return busy(base, folder, state, facts, _called(base, folder, facts), repair=repair)


def standing(base: Base, image: str, sight: Sight, facts: Facts) -> str | Unseen | None:
    """Why what stands in an image's place, and is none, must not give way to a copy. Unseen: it can't be told.

    VCL converts a disk by reading NAME and writing `NAME~` (field guide, section 4.6): while that goes on, both stay.
    """
    assert sight.state is not None
    against = objection(base, sight.folder, sight.state, facts, repair=True)
    into = f"{image}~"
    state = facts.see(base.question(into, image))
    if against is None and into in listed(base, facts) and isinstance(state, ImageState):
        against = busy(base, into, state, facts, (into,))
        if isinstance(against, str):
            return f"it may be being converted into {into}: {against}"
    return against


def reliable(copy: Whole, disk: Base, facts: Facts) -> bool:
    """Whether a deletion from `disk` may rely on a copy: it is another one, nobody may be writing it, and a look to its
    ground did not refuse it. One here was looked at so already."""
    if copy.base.here:
        return just_written(copy.state, facts, HereTime()) is None
    refused = facts.see(RefusedCopies())
    if not isinstance(refused, Unseen) and f"{copy.base.base}/{copy.folder}" in refused:
        return False
    written = copy.state.locked is not None or just_written(copy.state, facts) is not None
    return not written and not is_one_place(copy.base, disk, facts)


def busy(
    base: Base, folder: str, state: ImageState, facts: Facts, called: tuple[str, ...], *, repair: bool = False
) -> str | Unseen | None:
    """Who uses the folder, or may, by one of the names that it is `called`. Unseen: it can't be told."""
    if state.machines:
        return f"a virtual machine lives in it ({state.machines[0]})"
    if state.locked is not None:
        return f"it is in use: {state.locked}"
    use = facts.see(VolumeUse(base.volume))
    if isinstance(use, Unseen):
        return Unseen(f"can't see what uses it: {use.why}")
    uses = tuple(it for name in called for it in use.of(base.on_volume(name)))
    uses = tuple(it for it in uses if not (it.wished and repair))
    if uses:
        return f"it is in use: {_named(uses)}"
    if use.blind:
        return f"it may be in use: {use.blind[0]}{_more(len(use.blind) - 1, 'host')}"
    return just_written(state, facts)


def just_written(state: ImageState, facts: Facts, clock: Question[int] | None = None) -> str | Unseen | None:
    """Whether somebody may be writing it this minute: VCL copies images without a lock. Unseen: it can't be told.

    `clock` tells the time where the files are, the host's where nothing else is said.
    """
    if state.modified is None:
        return None
    now = facts.see(clock or HostTime())
    if isinstance(now, Unseen):
        return Unseen(f"can't see how old it is: {now.why}")
    age = now - state.modified
    if age < -QUIET_SECONDS:
        return f"it is dated {-age} s ahead of the host's clock, so that nobody can tell whether somebody is at it"
    return f"it was written {max(0, age)} s ago, somebody may be at it" if age < QUIET_SECONDS else None


def strangers(folder: str, state: ImageState) -> tuple[str, ...]:
    """What lies in an image's folder and is neither its disk nor what VMware and VCL put beside one."""
    stems = {folder, image_of(folder), state.disk_file.rpartition(".")[0]} - {""}
    return tuple(
        sorted(
            file.name
            for file in state.files
            if not file.name.startswith(".lck-")
            and not (file.kind == "-" and (file.name in state.parts or _is_beside(file.name, stems)))
        )
    )


def _is_beside(name: str, stems: set[str]) -> bool:
    if _LOG.fullmatch(name):
        return True
    return any(name.startswith(stem) and _OF_IMAGE.fullmatch(name[len(stem) :]) for stem in stems)


def _called(base: Base, folder: str, facts: Facts) -> tuple[str, ...]:
    """The names by which users refer to a folder: what was set aside is still called by the name that it had."""
    name = folder.removeprefix(ASIDE)
    return (folder,) if name in listed(base, facts) else tuple({folder: None, name: None})


def written(base: Base, folder: str, state: ImageState, facts: Facts) -> str | Unseen | None:
    """Why a disk can't be captured: something writes to it. Unseen: it can't be told."""
    if state.locked is not None:
        return f"it is being written, or runs: {state.locked}"
    use = facts.see(VolumeUse(base.volume))
    if isinstance(use, Unseen):
        return Unseen(f"can't see whether it runs: {use.why}")
    if use.blind:
        return f"it may be being written: {use.blind[0]}{_more(len(use.blind) - 1, 'host')}"
    writers = [it for it in use.of(base.on_volume(folder)) if it.writes and it.running]
    return f"it is being written: {_named(tuple(writers))}" if writers else just_written(state, facts)


def blind(base: Base, facts: Facts) -> str | None:
    """Why nothing on the volume can be proved unused."""
    use = facts.see(VolumeUse(base.volume))
    if isinstance(use, Unseen):
        return use.why
    return use.blind[0] if use.blind else None


def _named(uses: tuple[DiskUse, ...]) -> str:
    who = list(dict.fromkeys(use.who for use in uses))
    return ", ".join(who[:MOST_SHOWN]) + _more(len(who) - MOST_SHOWN, "user")


def _more(number: int, noun: str) -> str:
    return f" and {number} more {noun}{'s' if number > 1 else ''}" if number > 0 else ""
