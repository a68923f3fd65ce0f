"""The text of a message: a title that says it all, and a body that stays readable when a whole fleet is in trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reconciler.listeners.digest import HostNews, News
from reconciler.records import record
from reconciler.render.words import many
from reconciler.report import Status

LINES = 12
"""So many lines has a part of the body; what is more is counted."""
NAMES = 10
ITEMS = 3
LINE = 300
BODY = 8000
"""So many characters, at most."""


@record
class Message:
    """`tone` is `failure`, `warning` or `success`: the worst of what is in it."""

    title: str
    body: str
    tone: str


@record
class _Part:
    title: str
    tone: str
    more: str = ""
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        first = self.title[0].upper() + self.title[1:] + (f": {self.more}" if self.more else "")
        return "\n".join([first + (":" if self.lines and not self.more else "."), *self.lines])


def message(news: News) -> Message:
    """The news in words, the worst first."""
    parts = [*_of_guard(news), *_of_specs(news), *_of_hosts(news.hosts)]
    title = "reconciler: " + ", ".join(part.title for part in parts)
    body = "\n\n".join(part.text for part in parts)
    tones = [part.tone for part in parts]
    tone = next(it for it in ("failure", "warning", "success") if it in tones)
    return Message(title, _cut(body, BODY), tone)


def _of_guard(news: News) -> Iterator[_Part]:
    if news.guard:
        more = "no host is changed any more; a new revision or SIGHUP releases it"
        over = (f"- failed: {_names(news.failed)}",) if news.failed else ()
        yield _Part("guard tripped", "failure", more, over)
    elif news.guard is not None:
        yield _Part("guard released", "success", "hosts are changed again")


def _of_specs(news: News) -> Iterator[_Part]:
    if news.mistakes:
        more = "what was in force stays in force"
        yield _Part("specs invalid", "failure", more, _mistakes(news.mistakes))
    elif news.mistakes is not None:
        yield _Part("specs valid again", "success")


def _of_hosts(hosts: tuple[HostNews, ...]) -> Iterator[_Part]:
    changed = [it for it in hosts if it.changed]
    recovered = [it for it in changed if it.now.trouble is None]
    unreachable = [it for it in changed if it.now.trouble == Status.UNREACHABLE.value]
    failed = [it for it in changed if it.now.trouble not in (None, Status.UNREACHABLE.value)]
    drifted = [it for it in hosts if it.drift]
    held = [it for it in hosts if it.held]
    for title, tone, those, say in (
        (f"{many(len(failed), 'host')} failed", "failure", failed, _trouble),
        (f"{many(len(unreachable), 'host')} unreachable", "failure", unreachable, _trouble),
        (f"{many(len(recovered), 'host')} recovered", "success", recovered, _status),
        (f"drift on {many(len(drifted), 'host')}", "warning", drifted, _drift),
        (f"newly held on {many(len(held), 'host')}", "warning", held, _held),
    ):
        if those:
            yield _Part(title, tone, lines=_grouped(those, say))


def _trouble(it: HostNews) -> str:
    return it.now.words or str(it.now.trouble)


def _drift(it: HostNews) -> str:
    return _some(it.drift, ITEMS)


def _held(it: HostNews) -> str:
    return _some([f"{name} ({(it.now.held or {})[name]})" for name in it.held], ITEMS)


def _status(it: HostNews) -> str:
    return it.now.status


def _grouped(hosts: list[HostNews], say: Callable[[HostNews], str]) -> tuple[str, ...]:
    """A line for all hosts of which there is the same to say, the most common first, and one for the rest."""
    groups: dict[str, list[str]] = {}
    for it in hosts:
        groups.setdefault(say(it), []).append(it.name)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    lines = [_cut(f"- {_names(names)}: {text}", LINE) for text, names in ordered[:LINES]]
    left = sum(len(names) for _, names in ordered[LINES:])
    return (*lines, f"- and {many(left, 'more host')}") if left else tuple(lines)


def _mistakes(texts: tuple[str, ...]) -> tuple[str, ...]:
    lines = [_cut(f"- {text}", LINE) for text in texts[:LINES]]
    left = len(texts) - LINES
    return (*lines, f"- and {many(left, 'more mistake')}") if left > 0 else tuple(lines)


def _names(names: Sequence[str]) -> str:
    return _some(names, NAMES)


def _some(items: Sequence[str], most: int) -> str:
    left = len(items) - most
    return ", ".join(items[:most]) + (f" and {left} more" if left > 0 else "")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
