"""What is news to one who gets messages: what is so now, against what he was told. Pure; `now` is in seconds.

The first news opens a window; what is still news when it closes makes one message. What came and went meanwhile is
none, and what was told is not told again until it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.listeners.tally import seen
from reconciler.records import record
from reconciler.render.visible import visible
from reconciler.report import HostReport, Status
from reconciler.secrets import mask

WINDOW = 30.0
MISSES = 2
"""A host is told as unreachable once so many passes in a row did not reach it."""
_BY_GUARD = "guard:"
"""What is held for the guard is no news of the host: the guard itself is."""


@record
class Host:
    """What may be told of a host. `trouble` is None, `unreachable` or `failed: KIND`, and `words` say it in full.
    `drift` and `held` map what is not as wished to why; None: not seen yet."""

    status: str
    trouble: str | None = None
    words: str = ""
    drift: Mapping[str, str] | None = None
    held: Mapping[str, str] | None = None


@record
class Known:
    """What was told of a host, and still holds."""

    trouble: str | None = None
    drift: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()


@record
class HostNews:
    """`changed`: the host's trouble is another one than was told, or over. `drift` and `held` are what is new."""

    name: str
    now: Host
    changed: bool
    drift: tuple[str, ...]
    held: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.changed or bool(self.drift or self.held)


@record
class News:
    """All that is news. `failed` are the hosts over which the guard tripped. None: nothing new of guard or specs; no
    mistakes: they are valid again."""

    hosts: tuple[HostNews, ...] = ()
    guard: bool | None = None
    failed: tuple[str, ...] = ()
    mistakes: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return bool(self.hosts) or self.guard is not None or self.mistakes is not None


@dataclass
class Told:
    """What one has been told. A host that is not named: that all is well."""

    hosts: dict[str, Known] = field(default_factory=dict)
    guard: bool = False
    mistakes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept over a restart."""
        hosts = {
            name: {"trouble": it.trouble, "drift": sorted(it.drift), "held": sorted(it.held)}
            for name, it in sorted(self.hosts.items())
            if it != Known()
        }
        return {"hosts": hosts, "guard": self.guard, "mistakes": list(self.mistakes)}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Told:
        """What was kept; nothing where it is not in that form."""
        try:
            hosts = {
                str(name): Known(it["trouble"], frozenset(it["drift"]), frozenset(it["held"]))
                for name, it in kept["hosts"].items()
            }
            return cls(hosts, bool(kept["guard"]), tuple(kept["mistakes"]))
        except (KeyError, TypeError, AttributeError):
            return cls()


class Digest:
    """Keeps what is so and what was told, and when to tell what is news."""

    def __init__(self, window: float = WINDOW) -> None:
        self.told = Told()
        self.closes: float | None = None
        """When the open window closes; None: there is no news."""
        self._window = window
        self._hosts: dict[str, Host] = {}
        self._misses: dict[str, int] = {}
        self._guard, self._failed = None, ()  # type: tuple[bool | None, tuple[str, ...]]
        self._mistakes: tuple[str, ...] | None = None

    def passed(self, report: HostReport, mode: str, now: float) -> None:
        """A pass over a host ended; drift is told of one whose mode is `observe`."""
        name = report.name
        if report.status is Status.PAUSED:
            self.forget(name)
            return
        missed = report.status is Status.UNREACHABLE
        self._misses[name] = self._misses.get(name, 0) + 1 if missed else 0
        if 0 < self._misses[name] < MISSES:
            return
        host = self._hosts[name] = _host(report, mode, self._hosts.get(name))
        known = self.told.hosts.get(name, Known())
        self.told.hosts[name] = Known(
            known.trouble, _still(known.drift, host.drift), _still(known.held, host.held)
        )
        if self._of(name):
            self._open(now)

    def guard(self, tripped: bool, failed: Iterable[str], now: float) -> None:
        """Whether the guard has tripped, and over which hosts."""
        self._guard, self._failed = tripped, tuple(sorted(failed))
        if tripped != self.told.guard:
            self._open(now)

    def specs(self, mistakes: Iterable[str], now: float) -> None:
        """What is wrong with the newest specs; nothing: they are in force."""
        self._mistakes = tuple(_said(text) for text in mistakes)
        if self._mistakes != self.told.mistakes:
            self._open(now)

    def forget(self, host: str) -> None:
        """The host left the specs, or is paused: it is no news any more."""
        for kept in (self._hosts, self._misses, self.told.hosts):
            kept.pop(host, None)

    def news(self) -> News:
        """What would be told now."""
        hosts = tuple(it for it in map(self._of, sorted(self._hosts)) if it)
        guard = self._guard if self._guard != self.told.guard else None
        mistakes = self._mistakes if self._mistakes != self.told.mistakes else None
        return News(hosts, guard, self._failed, mistakes)

    def tell(self, news: News, now: float) -> None:
        """These news were told. What is news beyond them opens the next window."""
        for it in news.hosts:
            if it.name in self._hosts:
                known = self.told.hosts[it.name]
                self.told.hosts[it.name] = Known(
                    it.now.trouble if it.changed else known.trouble,
                    known.drift.union(it.drift),
                    known.held.union(it.held),
                )
        if news.guard is not None:
            self.told.guard = news.guard
        if news.mistakes is not None:
            self.told.mistakes = news.mistakes
        self.closes = None
        if self.news():
            self._open(now)

    def _of(self, name: str) -> HostNews:
        now, known = self._hosts[name], self.told.hosts[name]
        drift = tuple(it for it in now.drift or () if it not in known.drift)
        held = tuple(it for it in now.held or () if it not in known.held)
        return HostNews(name, now, now.trouble != known.trouble, drift, held)

    def _open(self, now: float) -> None:
        if self.closes is None:
            self.closes = now + self._window


def _host(report: HostReport, mode: str, before: Host | None) -> Host:
    status, fault = report.status, report.fault
    trouble = status.value if status is Status.UNREACHABLE else None
    if status is Status.FAILED:
        trouble = f"{status.value}: {fault.kind.value}" if fault is not None else status.value
    words = (
        f"{fault.message.removeprefix(f'{report.name}: ')}. Next: {fault.next}" if fault is not None else ""
    )
    drift, held = (before.drift, before.held) if before is not None else (None, None)
    if seen(report):
        observed = report.steps if mode == "observe" else ()
        drift = {f"{step.verb} {_said(step.resource)}": _said(step.why) for step in observed}
        kept = (it for it in report.held if not it.why.startswith(_BY_GUARD))
        held = {_said(it.resource): _said(it.why) for it in kept}
    return Host(status.value, trouble, _said(words), drift, held)


def _still(known: frozenset[str], now: Mapping[str, str] | None) -> frozenset[str]:
    return known if now is None else known & now.keys()


def _said(text: str) -> str:
    return visible(mask(text))
