"""Look at many live hosts side by side, and the documents that come of it. Changes nothing there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event as Signal

from reconciler.contact import Circumstances
from reconciler.events import Listener
from reconciler.faults import Fault
from reconciler.fleet import Fleet
from reconciler.importing.drafts import Draft, document
from reconciler.importing.looking import Order, looked
from reconciler.importing.sharing import shared
from reconciler.importing.trees import Tree, put
from reconciler.importing.writing import Noted

PROFILE = "shared"


@dataclass(frozen=True)
class Looked:
    """What became of each host, in the order in which they were named. `faults` are by the host's name."""

    drafts: tuple[Draft, ...]
    faults: Mapping[str, Fault]


def look(order: Order, addresses: Mapping[str, str], tell: Listener, stop: Signal) -> Looked:
    """Look at hosts, given by their names; none is begun once `stop` is set. Raises Wrong."""
    fleet = Fleet((), order.options, tell, stop)

    def pause(seconds: float) -> None:
        stop.wait(seconds)

    def work(name: str) -> Draft | Fault | None:
        if stop.is_set():
            return None
        around = Circumstances(pause, tell, stop.is_set, pool=fleet.pool, refusals=fleet.refusals)
        try:
            return looked(order, name, addresses[name], around, fleet.vcenters.desk)
        except Fault as fault:
            return fault

    try:
        with ThreadPoolExecutor(max(1, min(order.options.concurrency, len(addresses)))) as pool:
            found = dict(zip(addresses, pool.map(work, addresses), strict=True))
    finally:
        fleet.close()
    faults = {name: it for name, it in found.items() if isinstance(it, Fault)}
    return Looked(tuple(it for it in found.values() if isinstance(it, Draft)), faults)


def whole(drafts: Sequence[Draft]) -> list[Noted]:
    """The documents of hosts as they stand, each with what its host is."""
    return [_noted(draft, draft.spec) for draft in drafts]


def parted(drafts: Sequence[Draft]) -> tuple[Noted, list[Noted]]:
    """The document of a profile with what most hosts have, and those of the hosts, which build on it."""
    common = shared([draft.spec for draft in drafts])
    both = zip(drafts, common.hosts, strict=True)
    hosts = [_noted(draft, {"profile": PROFILE, **spec}) for draft, spec in both]
    profile = document("Profile", PROFILE, common.profile)
    return Noted(
        profile, f"what most of {len(drafts)} hosts have; the others say what they have instead"
    ), hosts


def _noted(draft: Draft, spec: Tree) -> Noted:
    for place, why in draft.why_null.items():
        spec = put(spec, place, Noted(None, why))
    return Noted(document("Host", draft.name, spec), draft.product)
