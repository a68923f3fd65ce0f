"""Hosts of which the same is to be said, so that a report of a thousand hosts can be read. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.kinds.model import Source
from reconciler.records import record
from reconciler.render.values import map_texts
from reconciler.render.words import product, quiet
from reconciler.report import HeldReport, HostReport, Status, StepReport

ALIKE = 3
"""So many hosts of which the same is to be said are shown as one; fewer each by itself."""
NAMED_QUIET_HOSTS = 5
"""More hosts than this that are all as wished are only named, so that a healthy fleet fits on a screen."""
NAME, ADDRESS = "{name}", "{address}"
"""What stands for each host's own. No shell expands it: a command that is copied with it does harm to nothing."""


@record
class Group:
    """One host, or several of which the same is to be said, sorted by name.

    `said` is that. Of several hosts it has no name, address and product, `{name}` and `{address}` stand where each
    has its own in a text, and a step's source has line 0 where each host has its own line (and no file, if it differs
    too). Of quiet hosts it is their status alone.
    """

    hosts: tuple[HostReport, ...]
    said: HostReport

    @property
    def single(self) -> bool:
        """Whether it is one host, shown by itself."""
        return len(self.hosts) == 1

    @property
    def products(self) -> list[tuple[str, int]]:
        """What the hosts are and how many of each, most first; those that could not be seen are left out."""
        numbers = Counter(filter(None, map(product, self.hosts)))
        return sorted(numbers.items(), key=lambda it: (-it[1], it[0]))

    @property
    def stand_ins(self) -> list[tuple[str, str]]:
        """What stands for each one's own in what is said of several hosts, and what that is."""
        text = repr(self.said)
        return [(sign, word) for sign, word in ((NAME, "name"), (ADDRESS, "address")) if sign in text]


def groups(hosts: Sequence[HostReport]) -> list[Group]:
    """Every host in one group: the quiet ones first, if they are many, then the others by the first name of each."""
    calm = [host for host in hosts if quiet(host)]
    gathered = calm if len(calm) > NAMED_QUIET_HOSTS else []
    alike: dict[str, list[HostReport]] = {}
    for host in hosts:
        if not (gathered and quiet(host)):
            alike.setdefault(host.name if quiet(host) else _likeness(host), []).append(host)
    found = [group for members in alike.values() for group in _grouped(members)]
    first = [Group(tuple(gathered), HostReport("", "", Status.IN_SYNC))] if gathered else []
    return first + sorted(found, key=lambda group: group.hosts[0].name)


def _grouped(hosts: list[HostReport]) -> Iterator[Group]:
    if len(hosts) < ALIKE:
        yield from (Group((host,), host) for host in hosts)
    else:
        yield Group(tuple(hosts), _in_common(hosts))


def _likeness(host: HostReport) -> str:
    """Equal for hosts that may be shown as one."""
    own = repr(_bare(host))
    taken = NAME in own or ADDRESS in own
    return f"{host.name}\n{own}" if taken else repr(_with_stand_ins(host))


def _in_common(hosts: Sequence[HostReport]) -> HostReport:
    said = _with_stand_ins(hosts[0])
    steps = [_placed(step, [host.steps[at] for host in hosts]) for at, step in enumerate(said.steps)]
    held = [_placed_within(held, [host.held[at] for host in hosts]) for at, held in enumerate(said.held)]
    return replace(said, steps=tuple(steps), held=tuple(held))


def _placed_within(held: HeldReport, own: Sequence[HeldReport]) -> HeldReport:
    if held.step is None:
        return held
    return replace(held, step=_placed(held.step, [it.step for it in own if it.step is not None]))


def _placed(step: StepReport, own: Iterable[StepReport]) -> StepReport:
    """The step with the source that the hosts' own ones have in common."""
    sources = {it.source for it in own}
    files = {source.file for source in sources}
    alone = next(iter(sources)) if len(sources) == 1 else Source(files.pop() if len(files) == 1 else "", 0)
    return replace(step, source=alone)


def _with_stand_ins(host: HostReport) -> HostReport:
    """What is said of it, with a stand-in for its name and its address where they are words of their own."""
    own = {host.address: ADDRESS, host.name: NAME}
    names = "|".join(re.escape(text) for text in sorted(own, key=len, reverse=True) if text)
    words = re.compile(rf"(?<![\w-])(?<!\w\.)(?:{names})(?![\w-]|\.\w)")

    def stand_in(text: str) -> str:
        return words.sub(lambda match: own[match[0]], text) if any(it in text for it in own if it) else text

    return map_texts(_bare(host), stand_in)


def _bare(host: HostReport) -> HostReport:
    """What is said of the host beside what it is, and where in the specs."""
    steps = tuple(map(_nowhere, host.steps))
    held = tuple(replace(it, step=_nowhere(it.step) if it.step else None) for it in host.held)
    return replace(host, name="", address="", transport=None, product=None, steps=steps, held=held)


def _nowhere(step: StepReport) -> StepReport:
    return replace(step, source=Source("", 0))
