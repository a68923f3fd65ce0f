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
from reconciler.importing.trees import Tree

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


def parted(drafts: Sequence[Draft]) -> tuple[Tree | None, list[Tree]]:
    """The document of the profile with what most hosts have, None where there is nothing of the kind, and theirs."""
    common = shared([draft.spec for draft in drafts])
    if not common.profile:
        return None, [draft.document() for draft in drafts]
    hosts = zip(drafts, common.hosts, strict=True)
    documents = [document("Host", draft.name, {"profile": PROFILE, **spec}) for draft, spec in hosts]
    return document("Profile", PROFILE, common.profile), documents
