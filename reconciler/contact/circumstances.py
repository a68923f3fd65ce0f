"""What a contact with a host needs of those who run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.actuators.work import Carried, Work
from reconciler.contact.vcenter import Desk
from reconciler.events import Carrying, Listener, Waiting
from reconciler.eyes import Others, OwnUses
from reconciler.facts import Datastore, Unseen
from reconciler.faults import LoginRefused
from reconciler.image_facts import InUse


def _nobody(datastore: Datastore, own: OwnUses) -> InUse | Unseen:
    """For a session that is only asked what its own host uses."""
    return Unseen("no other host was asked")


@dataclass(frozen=True)
class Circumstances:
    """`pause` waits that many seconds, `stopping` tells whether a person wants it to end, `others` who uses a volume
    besides this host, `filled` what filled a volume (by its key) up, `desk` is the host's at its vCenter, `refused` are
    the logins over the SDK that were refused in this run."""

    pause: Callable[[float], None]
    tell: Listener
    stopping: Callable[[], bool]
    others: Others = _nobody
    filled: Callable[[str], str | None] = lambda volume: None
    desk: Desk | None = None
    refused: dict[tuple[object, ...], LoginRefused] = field(default_factory=dict)

    def waiting(self, host: str) -> Callable[[str, float], None]:
        """To be told why eyes wait, and how many seconds."""
        return lambda why, seconds: self.tell(Waiting(host, why, seconds))

    def work(self, host: str, spool: Path) -> Work:
        """What hands need for long work."""

        def carried(it: Carried) -> None:
            self.tell(Carrying(host, it.what, it.done, it.total, it.direction, it.passed))

        return Work(carried, self.stopping, self.pause, spool)
