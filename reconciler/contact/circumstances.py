"""What a contact with a host needs of those who run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path

from reconciler.actuators.work import Carried, Work
from reconciler.contact.vcenter import Desk
from reconciler.events import Carrying, Listener, Waiting
from reconciler.eyes import Others, OwnUses
from reconciler.facts import Datastore, Unseen
from reconciler.faults import Silent
from reconciler.image_facts import InUse
from reconciler.records import record
from reconciler.state.refusals import Refusals
from reconciler.transports.pool import Pool

HASTY_SECONDS = 4.0
"""For so long a host may say nothing in a hasty try. It is long enough for a lost packet to be sent again twice."""


class PutOff(Exception):
    """The host said nothing in a hasty try; nothing was done to it."""


def _nobody(datastore: Datastore, own: OwnUses) -> InUse | Unseen:
    """For a session that is only asked what its own host uses."""
    return Unseen("no other host was asked")


@record
class Circumstances:
    """`pause` waits that many seconds, `stopping` tells whether a person wants it to end, `others` who uses a volume
    besides this host, `filled` what filled a volume (by its key) up, `desk` is the host's at its vCenter, `pool` has
    the sessions that are kept between passes, `refusals` is the gate before every login. `hasty` tells whether whoever
    says nothing is to be put off."""

    pause: Callable[[float], None]
    tell: Listener
    stopping: Callable[[], bool]
    others: Others = _nobody
    filled: Callable[[str], str | None] = lambda volume: None
    desk: Desk | None = None
    pool: Pool = field(default_factory=Pool)
    refusals: Refusals = field(default_factory=Refusals)
    hasty: Callable[[], bool] = lambda: False

    @contextmanager
    def patience(self) -> Iterator[float | None]:
        """For how many seconds a host may say nothing while it is connected to. Raises PutOff for a longer silence in a
        hasty try."""
        hasty = self.hasty()
        try:
            yield HASTY_SECONDS if hasty else None
        except Silent as fault:
            if hasty:
                raise PutOff(fault.message) from fault
            raise

    def waiting(self, host: str) -> Callable[[str, float], None]:
        """To be told why eyes wait, and how many seconds."""
        return lambda why, seconds: self.tell(Waiting(host, why, seconds))

    def work(self, host: str, state_dir: Path) -> Work:
        """What hands need for long work."""

        def carried(it: Carried) -> None:
            self.tell(Carrying(host, it.what, it.done, it.total, it.direction, it.passed))

        return Work(carried, self.stopping, self.pause, state_dir / "spool")
