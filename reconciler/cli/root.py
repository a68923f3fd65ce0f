"""`reconcile` itself, and the list of its commands."""

from __future__ import annotations

from typing import Any

import click

from reconciler import __version__
from reconciler.cli.lazy import Lazy
from reconciler.cli.options import PASS

MODULES = {
    "watch": "watch",
    "validate": "validate",
    "schema": "schema",
    "explain": "explain",
    "history": "history",
    "import": "importing",
    "simulate": "simulate",
    "completion": "completion",
}


@click.command(
    cls=Lazy,
    modules=MODULES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@PASS
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, /, **_: Any) -> int | None:
    """Bring VMware ESX/ESXi hosts to the state that specs describe.

    Without a command: one pass. It looks at the hosts, shows the plan, asks, does it, looks again and reports.

    Each option but --yes can be given as an environment variable as well: RECONCILE_LOG_LEVEL for --log-level;
    flags take 1, true, 0 or false, repeatable ones are parted by blanks.

    Exit status: 0 done, 1 failed, 2 changes pending (with --detailed-exitcode), 3 hosts not reached,
    4 something held back or not seen, 5 specs invalid, 130 interrupted.
    """
    if context.invoked_subcommand is not None:
        return None
    from reconciler.cli.one_pass import one_pass

    return one_pass(**context.params)
