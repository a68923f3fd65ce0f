"""Values into HTML. Whatever a template shows is masked, made visible and escaped in one place, here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler import __version__
from reconciler.board import HostState, Overview
from reconciler.entries import Entry
from reconciler.render.entry import LONGEST_REVISION, entry_line
from reconciler.render.values import map_texts
from reconciler.render.visible import lines, visible
from reconciler.render.words import many, product
from reconciler.report import Status
from reconciler.secrets import mask
from reconciler.web import host as hosts
from reconciler.web import overview as overviews
from reconciler.web import times
from reconciler.web.queries import Filter

SIGNS = {
    Status.FAILED: "✕",
    Status.UNREACHABLE: "⊘",
    Status.DRIFTED: "~",
    Status.HELD: "!",
    Status.PENDING: "…",
    Status.PAUSED: "–",
    Status.CONVERGED: "✓",
    Status.IN_SYNC: "=",
}
"""Beside the word, so that a long list is read at a glance; nothing is told by colour alone."""


class Pages:
    """The pages. All templates are read at once: one that is missing is seen at the start."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("reconciler.web"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_safe,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(times=times, signs=SIGNS, version=__version__, many=many)
        self._environment.filters.update(lines=_lines, short=_short, segment=_segment)
        names = ("hosts.html", "host.html", "unknown.html")
        self._hosts, self._host, self._unknown = map(self._environment.get_template, names)

    def hosts(self, overview: Overview, wanted: Filter) -> str:
        """The page of all hosts, or of those that are wanted."""
        return self._hosts.render(
            root="./",
            overview=overview,
            wanted=wanted,
            tabs=overviews.tabs(overview, wanted),
            rows=overviews.rows(overview, wanted),
            title=overviews.heading(overview),
        )

    def host(self, overview: Overview, state: HostState, entries: Iterable[Entry]) -> str:
        """The page of one host; `entries` are its history, newest last."""
        report = map_texts(state.report, mask)
        return self._host.render(
            root="../",
            overview=overview,
            state=state,
            report=report,
            product=product(report),
            steps=hosts.steps(report),
            plan=hosts.plan_summary(report),
            held=hosts.held(report),
            in_sync=hosts.in_sync(report),
            history=[(entry, entry_line(map_texts(entry, mask))) for entry in reversed(list(entries))],
        )

    def unknown(self, overview: Overview, name: str) -> str:
        """The page that stands where a host was, or was thought to be."""
        return self._unknown.render(root="../", overview=overview, name=name)


def _safe(value: Any) -> Any:
    """A value as it may be shown; what is markup already was made of such."""
    return visible(mask(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """A text that may have several lines, which are kept."""
    return Markup("\n").join(lines(mask(text)))


def _segment(name: str) -> str:
    """A name as a part of an address."""
    return quote(visible(mask(name)), safe="")


def _short(revision: str) -> str:
    """A commit or digest as people say it."""
    return revision[:LONGEST_REVISION]
