"""`reconcile history`: what was done, and what failed, and when."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import (
    HOST,
    LOGS,
    STATE,
    duration_option,
    gathered,
    option,
    refuse_strangers,
    state_folder,
)

if TYPE_CHECKING:
    from reconciler.entries import Entry

FORMATS = ("text", "json")


@click.command("history", short_help="Show what was done, and what failed, and when.")
@HOST
@duration_option("--since", help="Only what is not older: 30m, 24h, 7d.")
@option("-o", "--output", type=click.Choice(FORMATS), default="text", help="How it is written.")
@STATE
@LOGS
@click.pass_context
def command(context: click.Context, /, **_: Any) -> int:
    """Show what was done, what failed, which hosts changed their status, and which specs came into force; newest last.

    `reconcile watch` writes it down, in the state folder, and so does each single pass that is no dry run.
    """
    refuse_strangers(context)
    options = gathered(context)
    if options["output"] not in FORMATS:
        raise click.UsageError(f"a history is written as {' or '.join(FORMATS)}", context)
    from reconciler.cli.output import coloured, write
    from reconciler.render.entry import entries_document, entries_text
    from reconciler.render.json import to_json
    from reconciler.render.paint import Paint
    from reconciler.state.folder import StateFolder

    since = datetime.now(UTC) - options["since"] if options["since"] is not None else None
    entries = _read(StateFolder(state_folder(options["state_dir"])).history, options["host"], since)
    if options["output"] == "json":
        write(to_json(entries_document(entries)) + "\n")
    else:
        write(entries_text(entries, Paint(coloured(sys.stdout, options["no_color"]))))
    return 0


def _read(path: Path, globs: tuple[str, ...], since: datetime | None) -> list[Entry]:
    """The entries. Raises Problem when they can't be read, or for a glob that fits no host of any entry."""
    from reconciler.cli.messages import Problem
    from reconciler.state.database import hosts_in, read
    from reconciler.state.trouble import StateTrouble

    try:
        known = hosts_in(path)
        for glob in globs:
            if known and not any(fnmatchcase(host, glob) for host in known):
                raise Problem(f"--host {glob} fits no host of the history {path}")
        return read(path, globs, since)
    except StateTrouble as trouble:
        raise Problem(str(trouble)) from None
