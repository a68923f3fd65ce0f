"""Options of the loop: what deploy/ sets exists, and the reference tells of each."""

from __future__ import annotations

import re
from pathlib import Path

import click

from reconciler.cli.watch import command

ROOT = Path(__file__).parents[3]
NO_OPTION = {"RECONCILE_PORT"}
"""Named only to say that Kubernetes would make it up."""


def options() -> list[click.Option]:
    return [it for it in command.params if isinstance(it, click.Option)]


def test_deploy_names_only_twins_that_exist() -> None:
    twins = {str(it.envvar) for it in options() if it.envvar}
    files = (it for it in (ROOT / "deploy").rglob("*") if it.is_file() and it.parent.name != "__pycache__")
    named = {name for path in files for name in re.findall(r"RECONCILE_[A-Z_]*[A-Z]\b", path.read_text())}
    assert named - NO_OPTION <= twins


def test_the_reference_names_each_option() -> None:
    pages = [ROOT / "docs/reference/watch.md", ROOT / "docs/how-to/specs-from-git.md"]
    text = "\n".join(page.read_text() for page in pages)
    assert [it.opts[-1] for it in options() if it.opts[-1] not in text] == []
