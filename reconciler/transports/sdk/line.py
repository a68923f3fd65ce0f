"""What all connections of one session share: whom they go to, what is trusted, and how long they may take."""

from __future__ import annotations

import time

from reconciler.transports.sdk.certificate import Trust
from reconciler.transports.sdk.target import SdkTarget
from reconciler.transports.target import Limits


class Line:
    """The way to the other side. Opening a session is bounded as a whole (`Limits.total`), as is closing it; between,
    only silence is. `sent` counts what went out."""

    def __init__(self, target: SdkTarget, limits: Limits) -> None:
        self.target, self.limits, self.trust = target, limits, Trust(target)
        self.sent = 0
        self._until: float | None = None
        self.within(limits.total)

    def within(self, seconds: float | None) -> None:
        """Everything from now on has to be done in so many seconds; None: in any time."""
        self._until = None if seconds is None else time.monotonic() + seconds

    def seconds(self, most: float) -> float:
        """How long the next step may take. Raises TimeoutError when nothing is left."""
        if self._until is None:
            return most
        left = self._until - time.monotonic()
        if left <= 0.0:
            raise TimeoutError("no time left")
        return min(most, left)
