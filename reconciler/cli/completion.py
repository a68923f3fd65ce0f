"""`reconcile completion`: what a shell needs to complete our command lines."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reconciler.cli.options import refuse_strangers

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print a script that completes commands and options.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the completion script of a SHELL.

    bash: source <(reconcile completion bash); zsh: the same; fish: reconcile completion fish | source
    """
    refuse_strangers(context)
    from reconciler.cli.main import COMPLETE_VARIABLE
    from reconciler.cli.output import write

    root = context.find_root().command
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} is not known here", context)
    write(kind(root, {}, "reconcile", COMPLETE_VARIABLE).source() + "\n")
    return 0
