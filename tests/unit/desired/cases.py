"""Folders of spec files with what is to be said of them: `expected.txt` beside the specs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.desired import DesiredHost, SpecMistakes, explain, load

CASES = Path(__file__).parents[2] / "cases" / "desired"


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work from another folder, so that messages name files without it."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def said(folder: Path) -> str:
    """What `load` says of a folder: its mistakes and warnings, or each host's merged spec."""
    with inside(folder):
        try:
            loaded = load([Path()])
        except SpecMistakes as wrong:
            lines = [*map(str, wrong.mistakes), *(f"warning: {warning}" for warning in wrong.warnings)]
        else:
            lines = [line for host in loaded.hosts for line in _host(host)]
            lines += [f"warning: {warning}" for warning in loaded.warnings]
    return "\n".join(lines).replace(str(folder), "FOLDER") + "\n"


def _host(host: DesiredHost) -> Iterator[str]:
    yield f"{host.name} at {host.address}, {host.mode}, up to {host.allow.label}"
    yield from (f"  label {name}={value}" for name, value in host.labels.items())
    yield from (f"  {field}: {value}  {place}" for field, value, place in explain(host, None))
    yield from (f"  key file {file}: {len(text)} characters" for file, text in host.key_files.items())
    yield from (f"  problem {problem}" for problem in host.problems)
