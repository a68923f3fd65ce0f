"""Look at a live host and draft the document whose plan is empty. Changes nothing there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from reconciler.contact import Circumstances, open_contact
from reconciler.contact.vcenter import Desk
from reconciler.desired.host import DesiredHost
from reconciler.desired.mistakes import Mistake, SpecMistakes
from reconciler.desired.nodes import dotted
from reconciler.engine import Look, Task
from reconciler.events import Connecting, Finished
from reconciler.facts import BackupOwed, Product
from reconciler.faults import Bug, Fault, Refused
from reconciler.fleet import Options, task_of
from reconciler.importing.drafts import Draft, begun, corrected
from reconciler.importing.portrait import fields_of_kinds, found, seekers, trouble
from reconciler.importing.reading import Beside, file_of
from reconciler.importing.trees import Tree, plain
from reconciler.kinds.model import Resource

OWED = "an earlier pass owes the host a backup of its configuration; the first pass by this document makes it"


@dataclass(frozen=True)
class Order:
    """What to look at: `base` is what the document says of each host besides its address."""

    base: Tree
    beside: Beside
    options: Options

    def spec(self, address: str) -> Tree:
        return {"address": address, **self.base}


class Wrong(Exception):
    """What was asked for can't be written; the text says why."""


Desks = Callable[[DesiredHost], Desk | None]
"""Where a host asks for its placement."""


def looked(order: Order, name: str, address: str, around: Circumstances, desks: Desks) -> Draft:
    """The document of one host. Raises Fault, Wrong."""
    began = monotonic()
    around.tell(Connecting(name, address))
    try:
        draft = _looked(order, name, address, around, desks)
    except (Fault, Wrong):
        around.tell(Finished(name, "failed", monotonic() - began))
        raise
    except Exception as error:
        raise Bug.of(name, error) from error
    around.tell(Finished(name, "in-sync", monotonic() - began))
    return draft


def _looked(order: Order, name: str, address: str, around: Circumstances, desks: Desks) -> Draft:
    seed = one(Draft(name, order.spec(address), {}, {}), order.beside)
    if seed.problems:
        raise Refused(f"{name}: nothing was sent: {'; '.join(seed.problems)}", next="make the file readable")
    contact = open_contact(seed, order.options.state_dir, replace(around, desk=desks(seed)))
    try:
        task = task_of(seed, order.options)
        eyes = Look(Task(name, address, (*seekers(seed), *task.resources), task.rules), contact, around.tell)
        eyes.everything()
        draft = _begun(order, seed, address, task.resources, eyes)
        return _proved(order, draft, eyes)
    finally:
        contact.close()


def _begun(order: Order, seed: DesiredHost, address: str, resources: Sequence[Resource], eyes: Look) -> Draft:
    under: Tree = {}
    if "profile" in order.base:
        bare = Draft(seed.name, {"address": address, "profile": order.base["profile"]}, {}, {})
        under = plain(one(bare, order.beside).root)
    beside = {dotted(place): place for place in fields_of_kinds(under)}
    places = beside | {it.name: it.place for it in resources}
    draft = Draft(seed.name, order.spec(address), under, places, _described(eyes.product))
    unlike = {it.resource for it in trouble(resources, eyes.facts)}
    draft = begun(draft, found(seed, eyes.facts), unlike)
    return replace(draft, remarks=(OWED,)) if eyes.facts.see(BackupOwed()) else draft


def _described(product: Product) -> str:
    return f"{product.name} {product.version_text}, build {product.build}"


def _proved(order: Order, draft: Draft, eyes: Look) -> Draft:
    """The draft, without all that this host is not like. Each round takes something away, so there is an end."""
    while True:
        host, draft = valid(draft, order.beside)
        resources = task_of(host, order.options).resources
        unasked = [it for it in resources if any(asked not in eyes.facts for asked in it.asks(eyes.facts))]
        if unasked:
            eyes.again(unasked)
        wrong = trouble(resources, eyes.facts)
        if not wrong:
            return draft
        for it in wrong:
            whole = draft.places.get(it.resource) == it.place
            draft = draft.without(it.resource if whole else dotted(it.place), it.place, it.why)


def one(draft: Draft, beside: Beside) -> DesiredHost:
    """The host of a draft that has to be valid. Raises Wrong."""
    try:
        return next(host for host in beside.drafts([draft]).hosts if host.document.file == file_of(draft))
    except SpecMistakes as wrong:
        raise Wrong(str(wrong)) from None


def valid(draft: Draft, beside: Beside) -> tuple[DesiredHost, Draft]:
    """The draft without its mistakes, be it that they show in its profile. Raises Wrong."""
    while True:
        try:
            beside.drafts([draft])
            return one(draft, beside), draft
        except SpecMistakes as wrong:
            draft = _right(draft, wrong.mistakes[0], wrong)


def all_valid(drafts: Iterable[Draft], beside: Beside) -> list[Draft]:
    """The drafts without what does not go together in them. Raises Wrong."""
    by_file = {file_of(draft): draft for draft in drafts}
    while True:
        try:
            beside.drafts(list(by_file.values()))
            return list(by_file.values())
        except SpecMistakes as wrong:
            for mistake in {it.file: it for it in reversed(wrong.mistakes)}.values():
                if mistake.file not in by_file:
                    raise Wrong(str(wrong)) from None
                by_file[mistake.file] = _right(by_file[mistake.file], mistake, wrong)


def _right(draft: Draft, mistake: Mistake, wrong: SpecMistakes) -> Draft:
    """The draft without that mistake. Raises Wrong."""
    right = corrected(draft, mistake)
    if right is None:
        raise Wrong(str(wrong)) from None
    return right
