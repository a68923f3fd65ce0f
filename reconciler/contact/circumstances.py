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
from reconciler.image_facts import InUse
from reconciler.state.refusals import Refusals
from reconciler.transports.pool import Pool


def _nobody(datastore: Datastore, own: OwnUses) -> InUse | Unseen:
    """For a session that is only asked what its own host uses."""
    return Unseen("no other host was asked")


@dataclass(frozen=True)
class Circumstances:
    """`pause` waits that many seconds, `stopping` tells whether a person wants it to end, `others` who uses a volume
    besides this host, `filled` what filled a volume (by its key) up, `desk` is the host's at its vCenter, `pool` has
    the sessions that are kept between passes, `refusals` is the gate before every login."""

    pause: Callable[[float], None]
    tell: Listener
    stopping: Callable[[], bool]
    others: Others = _nobody
    filled: Callable[[str], str | None] = lambda volume: None
    desk: Desk | None = None
    pool: Pool = field(default_factory=Pool)
    refusals: Refusals = field(default_factory=Refusals)

    def waiting(self, host: str) -> Callable[[str, float], None]:
        """To be told why eyes wait, and how many seconds."""
        return lambda why, seconds: self.tell(Waiting(host, why, seconds))

    def work(self, host: str, spool: Path) -> Work:
        """What hands need for long work."""

        def carried(it: Carried) -> None:
            self.tell(Carrying(host, it.what, it.done, it.total, it.direction, it.passed))

        return Work(carried, self.stopping, self.pause, spool)
