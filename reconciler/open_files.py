"""How many files this process may have open: each connection, to a host or from a browser, is one."""

from __future__ import annotations

import resource
from contextlib import suppress

PLENTY = 65_536


def raise_limit() -> None:
    """Raise the soft limit as far as that is allowed: the usual one is 1,024, and meant for select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = PLENTY if hard == resource.RLIM_INFINITY else min(hard, PLENTY)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def at_most(wanted: int) -> int:
    """So many of one kind, and never more than a third of all."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, soft // 3)
