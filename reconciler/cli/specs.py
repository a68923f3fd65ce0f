"""Specs for a command: loaded, with their mistakes and warnings told, and the hosts that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from reconciler.cli.messages import Problem, tell
from reconciler.cli.options import paths
from reconciler.desired.host import DesiredHost
from reconciler.desired.load import Loaded, load
from reconciler.desired.mistakes import Mistake, SpecMistakes
from reconciler.render.visible import visible
from reconciler.render.words import many

INVALID = 5
NAMES_SHOWN = 10


def loaded(filename: tuple[str, ...], *, quiet: bool = False) -> Loaded:
    """The specs, their warnings told unless `quiet`. Raises Problem (status 5) once every mistake has been told."""
    try:
        specs = load(paths(filename))
    except SpecMistakes as wrong:
        _warn(wrong.warnings, quiet)
        for mistake in wrong.mistakes:
            tell(visible(str(mistake)), "error")
        number = many(len(wrong.mistakes), "mistake")
        raise Problem(f"the specs are invalid: {number}; nothing was done", INVALID) from None
    _warn(specs.warnings, quiet)
    return specs


def _warn(warnings: Iterable[Mistake], quiet: bool) -> None:
    for warning in () if quiet else warnings:
        tell(f"{visible(str(warning))} (warning)", "warning")


def chosen(hosts: Sequence[DesiredHost], globs: Sequence[str], selectors: Sequence[str]) -> list[DesiredHost]:
    """The hosts of such names that have all these labels. Raises Problem for what fits none."""
    if not hosts:
        raise Problem("the specs hold profiles, but no host; add a document with kind: Host")
    for glob in globs:
        if not any(fnmatchcase(host.name, glob) for host in hosts):
            raise Problem(f"--host {glob} fits no host; there are {_named(hosts)}")
    found = fitting(hosts, globs, labels(selectors))
    if not found:
        what = " ".join([*(f"--host {glob}" for glob in globs), *(f"-l {text}" for text in selectors)])
        raise Problem(f"{what} fits no host; there are {_named(hosts)}")
    return found


def labels(selectors: Sequence[str]) -> list[tuple[str, str]]:
    """Selectors as keys and values. Raises Problem for one that is none."""
    return [_label(text) for text in selectors]


def fitting(
    hosts: Sequence[DesiredHost], globs: Sequence[str], wanted: Sequence[tuple[str, str]]
) -> list[DesiredHost]:
    """The hosts whose name fits a glob, where there are any, and that have all these labels."""
    return [host for host in hosts if _fits(host, globs, wanted)]


def _fits(host: DesiredHost, globs: Sequence[str], labels: Sequence[tuple[str, str]]) -> bool:
    named = not globs or any(fnmatchcase(host.name, glob) for glob in globs)
    return named and all(host.labels.get(key) == value for key, value in labels)


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Problem(f"-l {text}: a selector is written KEY=VALUE")
    return key, value


def _named(hosts: Sequence[DesiredHost]) -> str:
    names = sorted(host.name for host in hosts)
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
