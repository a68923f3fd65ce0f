"""`reconcile import`: first specs from what is there already."""

from __future__ import annotations

import click

from reconciler.cli.lazy import Lazy

NOT_REACHED = 3
"""The exit status when what is to be read could not be reached."""
MODULES = {"vcl": "import_vcl", "host": "import_host"}


@click.group(
    "import",
    cls=Lazy,
    modules=MODULES,
    no_args_is_help=False,
    short_help="Write specs from what is there already.",
)
def command() -> None:
    """Write specs from what is there already.

    No file is written unless all went well, and none is written over without --force.
    """
