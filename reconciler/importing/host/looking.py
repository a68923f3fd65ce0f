"""Look at live hosts, side by side, and draft their documents. Changes nothing there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal
from time import monotonic

from reconciler.contact import Circumstances, open_contact
from reconciler.engine import Look, Task
from reconciler.events import Connecting, Finished, Listener
from reconciler.facts import Facts
from reconciler.faults import Bug, Fault, FaultKind, Refused
from reconciler.fleet import Fleet, task_of
from reconciler.importing.host.drafting import Order, drafted
from reconciler.importing.host.drafts import Draft
from reconciler.importing.notes import CannotImport
from reconciler.kinds.model import Resource
from reconciler.records import record
from reconciler.report import Status


@record
class Looked:
    """What became of each host, in the order in which they were named; `faults` are by the host's name."""

    drafts: tuple[Draft, ...]
    faults: Mapping[str, Fault]


def look(order: Order, addresses: Mapping[str, str], tell: Listener, stop: Signal) -> Looked:
    """Look at hosts, given by their names; none is begun once `stop` is set. Raises CannotImport."""
    fleet = Fleet((), order.options, tell, stop)

    def work(name: str) -> Draft | Fault | None:
        return None if stop.is_set() else _outcome(order, name, addresses[name], fleet)

    try:
        with ThreadPoolExecutor(max(1, min(order.options.concurrency, len(addresses)))) as pool:
            found = dict(zip(addresses, pool.map(work, addresses), strict=True))
    finally:
        fleet.close()
    faults = {name: it for name, it in found.items() if isinstance(it, Fault)}
    return Looked(tuple(it for it in found.values() if isinstance(it, Draft)), faults)


def _outcome(order: Order, name: str, address: str, fleet: Fleet) -> Draft | Fault:
    """The host's document, or why there is none. Raises CannotImport."""
    began = monotonic()
    fleet.tell(Connecting(name, address))
    fault: Fault | None = None
    try:
        return _draft(order, name, address, fleet)
    except Fault as trouble:
        fault = trouble
    except CannotImport:
        raise
    except Exception as error:  # noqa: BLE001 - one host's bug stops no other
        fault = Bug.of(name, error)
    finally:
        fleet.tell(Finished(name, _status(fault).value, monotonic() - began))
    return fault


def _status(fault: Fault | None) -> Status:
    if fault is None:
        return Status.IN_SYNC
    return Status.UNREACHABLE if fault.kind is FaultKind.UNREACHABLE else Status.FAILED


def _draft(order: Order, name: str, address: str, fleet: Fleet) -> Draft:
    """Raises Fault, CannotImport."""

    def pause(seconds: float) -> None:
        fleet.stop.wait(seconds)

    seed = order.seed(name, address)
    if seed.problems:
        raise Refused(f"{name}: nothing was sent: {'; '.join(seed.problems)}", next="make the file readable")
    desk = fleet.vcenters.desk(seed)
    around = Circumstances(
        pause, fleet.tell, fleet.stop.is_set, desk=desk, pool=fleet.pool, refusals=fleet.refusals
    )
    contact = open_contact(seed, order.options.state_dir, around)
    task = task_of(seed, order.options)
    eyes = Look(Task(name, address, (), task.rules), contact, fleet.tell)

    def see(resources: Sequence[Resource]) -> Facts:
        """What was seen before is not asked again."""
        unasked = [it for it in resources if any(asked not in eyes.facts for asked in it.asks(eyes.facts))]
        if unasked:
            eyes.again(unasked)
        return eyes.facts

    try:
        return drafted(order, seed, see)
    finally:
        contact.close()
