"""The document of a host whose plan is empty, from what is seen of it, and what becomes of mistakes in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from reconciler.desired.host import DesiredHost
from reconciler.desired.mistakes import Mistake, SpecMistakes
from reconciler.desired.nodes import dotted
from reconciler.facts import BackupOwed, Facts, Identity, Unseen
from reconciler.fleet import Options, task_of
from reconciler.importing.host.drafts import Draft, begun, corrected, file_of
from reconciler.importing.host.portrait import fields_of_kinds, found, seekers, trouble
from reconciler.importing.host.reading import Beside
from reconciler.importing.host.trees import Tree, plain
from reconciler.importing.notes import CannotImport
from reconciler.kinds.model import Resource
from reconciler.records import record

OWED = "an earlier pass owes the host a backup of its configuration; the first pass by this document makes it"
See = Callable[[Sequence[Resource]], Facts]
"""Looks at all that these want to know, and tells what is known then."""


@record
class Order:
    """What to write: `base` is said of each host besides its address."""

    base: Tree
    beside: Beside
    options: Options

    def spec(self, address: str) -> Tree:
        """What is said of a host in any case."""
        return {"address": address, **self.base}

    def seed(self, name: str, address: str) -> DesiredHost:
        """The host as it is reached, of which nothing is known yet. Raises CannotImport."""
        return one(Draft(name, self.spec(address), {}, {}), self.beside)


def drafted(order: Order, seed: DesiredHost, see: See) -> Draft:
    """The document of a host: what was found, without all that it is not like. Raises CannotImport, and as `see`."""
    resources = task_of(seed, order.options).resources
    facts = see((*seekers(seed), *resources))
    under = _profile(order, seed)
    places = {dotted(place): place for place in fields_of_kinds(under)}
    places |= {it.name: it.place for it in resources}
    draft = Draft(seed.name, order.spec(seed.address), under, places, _product(facts))
    draft = begun(draft, found(seed, facts), {it.resource for it in trouble(resources, facts)})
    draft = _proved(order, draft, see)
    return replace(draft, remarks=(OWED,)) if facts.see(BackupOwed()) else draft


def _profile(order: Order, seed: DesiredHost) -> Tree:
    """What the profile says."""
    if "profile" not in order.base:
        return {}
    bare = Draft(seed.name, {"address": seed.address, "profile": order.base["profile"]}, {}, {})
    under: Tree = plain(one(bare, order.beside).root)
    return under


def _product(facts: Facts) -> str:
    product = facts.see(Identity())
    assert not isinstance(product, Unseen)
    return f"{product.name} {product.version_text}, build {product.build}"


def _proved(order: Order, draft: Draft, see: See) -> Draft:
    """The draft, without all that its host is not like. Each round takes something away, so there is an end."""
    while True:
        host, draft = valid(draft, order.beside)
        resources = task_of(host, order.options).resources
        wrong = trouble(resources, see(resources))
        if not wrong:
            return draft
        for it in wrong:
            whole = draft.places.get(it.resource) == it.place
            draft = draft.without(it.resource if whole else dotted(it.place), it.place, it.why)


def one(draft: Draft, beside: Beside) -> DesiredHost:
    """The host of a draft that has to be valid. Raises CannotImport."""
    try:
        return _host(draft, beside)
    except SpecMistakes as wrong:
        raise CannotImport(str(wrong)) from None


def _host(draft: Draft, beside: Beside) -> DesiredHost:
    """The host of a draft. Raises SpecMistakes."""
    return next(host for host in beside.drafts([draft]).hosts if host.document.file == file_of(draft))


def valid(draft: Draft, beside: Beside) -> tuple[DesiredHost, Draft]:
    """The draft without its mistakes, be it that they show in its profile. Raises CannotImport."""
    while True:
        try:
            return _host(draft, beside), draft
        except SpecMistakes as wrong:
            draft = _right(draft, wrong.mistakes[0], wrong)


def all_valid(drafts: Iterable[Draft], beside: Beside) -> list[Draft]:
    """The drafts without what does not go together in them. Raises CannotImport."""
    by_file = {file_of(draft): draft for draft in drafts}
    while True:
        try:
            beside.drafts(list(by_file.values()))
            return list(by_file.values())
        except SpecMistakes as wrong:
            for mistake in {it.file: it for it in reversed(wrong.mistakes)}.values():
                if mistake.file not in by_file:
                    raise CannotImport(str(wrong)) from None
                by_file[mistake.file] = _right(by_file[mistake.file], mistake, wrong)


def _right(draft: Draft, mistake: Mistake, wrong: SpecMistakes) -> Draft:
    """The draft without that mistake. Raises CannotImport."""
    right = corrected(draft, mistake)
    if right is None:
        raise CannotImport(str(wrong)) from None
    return right
