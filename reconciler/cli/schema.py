"""`reconcile schema`: the JSON Schema of spec files, for editors."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import LOGS, refuse_strangers


@click.command("schema", short_help="Print the JSON Schema of specs.")
@LOGS
@click.pass_context
def command(context: click.Context, /, **_: Any) -> int:
    """Print the JSON Schema (2020-12) of spec files.

    An editor finds it through a first line such as: # yaml-language-server: $schema=reconciler.schema.json
    """
    refuse_strangers(context)
    from reconciler.cli.output import write
    from reconciler.desired.schema import schema
    from reconciler.render.json import to_json

    write(to_json(schema()) + "\n")
    return 0
