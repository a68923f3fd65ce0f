"""`reconcile simulate`: simulated ESXi hosts, for trying it out and for CI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from reconciler.cli.messages import Problem, tell
from reconciler.cli.options import LOGS, gathered, option, refuse_strangers

OUT = option("--out", metavar="DIR", help="The folder for their specs and keys.")


@click.group("simulate", invoke_without_command=True, short_help="Run simulated ESXi hosts.")
@option("--hosts", type=click.IntRange(1, 1000), default=8, metavar="N", help="How many.  [default: 8]")
@option(
    "--versions",
    metavar="LIST",
    help="Which ESXi versions, parted by commas; each in turn.  [default: one of each release]",
)
@option("--images", is_flag=True, help="With master images, and specs that want them; needs qemu-img.")
@option(
    "--sdk", is_flag=True, help="They answer the vSphere SDK too; one has the free licence, one has SSH off."
)
@option(
    "--latency",
    type=click.FloatRange(0, 60_000),
    default=0.0,
    metavar="MS",
    help="Milliseconds that a round trip to them takes over SSH.  [default: 0]",
)
@OUT
@LOGS
@click.pass_context
def command(context: click.Context, /, **_: Any) -> int | None:
    """Run simulated ESXi hosts on 127.x.y.z until Ctrl-C.

    DIR gets specs and keys for them, so that `reconcile -f DIR/specs` finds something to do. From another shell,
    `reconcile simulate reboot` and `reconcile simulate fault` give them trouble.
    """
    if context.invoked_subcommand is not None:
        return None
    refuse_strangers(context)
    options = gathered(context)
    with _troubles():
        from reconciler.simulator import lab

        names = [name.strip() for name in (options["versions"] or "").split(",") if name.strip()]
        more = {"images": options["images"], "sdk": options["sdk"], "latency": options["latency"] / 1000}
        lab.run(options["hosts"], names, _folder(options), tell, **more)
    return 0


@command.command("reboot", short_help="Boot one of them again.")
@click.argument("host")
@option("--power-loss", is_flag=True, help="As after a power loss: nothing is saved before.")
@OUT
@click.pass_context
def reboot(context: click.Context, /, host: str, **_: Any) -> int:
    """Boot HOST again, and wait until it is up."""
    refuse_strangers(context)
    options = gathered(context)
    with _troubles():
        from reconciler.simulator import lab

        lab.reboot(_folder(options), host, options["power_loss"])
    return 0


@command.command("fault", short_help="Give one of them a fault.")
@click.argument("host")
@click.argument("name")
@click.argument("details", nargs=-1, metavar="[KEY=VALUE]...")
@OUT
@click.pass_context
def fault(context: click.Context, /, host: str, name: str, details: tuple[str, ...], **_: Any) -> int:
    """Give HOST the fault NAME; `reconcile simulate faults` lists them. The fault `clear` takes all away."""
    refuse_strangers(context)
    with _troubles():
        from reconciler.simulator import lab

        lab.fault(_folder(gathered(context)), host, name, **dict(map(_detail, details)))
    return 0


@command.command("faults", short_help="List the faults by name.")
@click.pass_context
def faults(context: click.Context) -> int:
    """List the faults by name."""
    refuse_strangers(context)
    with _troubles():
        from reconciler.cli.output import write
        from reconciler.simulator.lab import FAULTS

        width = max(map(len, FAULTS))
        write("".join(f"{name:<{width}}  {what}\n" for name, what in FAULTS.items()))
    return 0


@contextmanager
def _troubles() -> Iterator[None]:
    try:
        from reconciler.simulator.errors import SimulatorError

        try:
            yield
        except SimulatorError as error:
            raise Problem(str(error)) from None
    except ModuleNotFoundError as error:
        raise Problem(
            f"simulated hosts need {error.name}, which is not installed: pip install 'reconciler[simulate]'"
        ) from None


def _folder(options: dict[str, Any]) -> Path:
    if not options["out"]:
        raise Problem("--out DIR is needed: the folder for the specs and keys of the simulated hosts")
    return Path(options["out"]).expanduser()


def _detail(text: str) -> tuple[str, int | float]:
    key, _, value = text.partition("=")
    try:
        return key, float(value) if "." in value else int(value)
    except ValueError:
        raise Problem(f"{text}: a detail is written KEY=NUMBER, as in count=2") from None
