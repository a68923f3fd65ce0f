"""`reconcile explain`: the merged spec of a host, and where each value was written."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.options import LOGS, SPECS, gathered, refuse_strangers


@click.command("explain", short_help="Show a host's merged spec, and where each value comes from.")
@click.argument("host")
@click.argument("field", required=False)
@SPECS
@LOGS
@click.pass_context
def command(context: click.Context, /, host: str, field: str | None, **_: Any) -> int:
    """Show the merged spec of HOST, a line for each value: `field: value  FILE:LINE`.

    With FIELD, dotted like datastores.repository.nfs.server, only that and what stands below it.
    """
    refuse_strangers(context)
    from reconciler.cli.messages import Problem
    from reconciler.cli.output import write
    from reconciler.cli.specs import loaded
    from reconciler.desired.explain import NoSuchField, explain
    from reconciler.desired.mistakes import suggestion
    from reconciler.render.visible import visible

    hosts = {it.name: it for it in loaded(gathered(context)["filename"]).hosts}
    if host not in hosts:
        raise Problem(f"no spec is for a host {host!r}{suggestion(host, list(hosts))}")
    try:
        rows = explain(hosts[host], field)
    except NoSuchField as error:
        raise Problem(str(error)) from None
    write("".join(f"{visible(name)}: {visible(value)}  {visible(place)}\n" for name, value, place in rows))
    return 0
