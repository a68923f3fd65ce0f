"""`reconcile validate`: check the specs; no network, no secret."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import LOGS, QUIET, SPECS, gathered, refuse_strangers


@click.command("validate", short_help="Check the specs.")
@SPECS
@QUIET
@LOGS
@click.pass_context
def command(context: click.Context, /, **_: Any) -> int:
    """Check the specs and tell every mistake, each as FILE:LINE:COLUMN.

    Opens no connection, resolves no secret, needs no private key. Exit status: 0 valid, 5 invalid.
    """
    refuse_strangers(context)
    options = gathered(context)
    from reconciler.cli.output import write
    from reconciler.cli.specs import loaded
    from reconciler.render.words import many

    hosts = loaded(options["filename"]).hosts
    if not options["quiet"]:
        write(f"the specs are valid: {many(len(hosts), 'host')}\n")
    return 0
