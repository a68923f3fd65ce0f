"""`reconcile watch`: the loop."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

import click

from reconciler.cli.options import (
    HISTORY_KEEP,
    HOSTS,
    LOGS,
    ONLY,
    RISKS,
    SPECS,
    STATE,
    duration_option,
    gathered,
    option,
    refuse_strangers,
    together,
)
from reconciler.loop.bell import Bell

GIT = together(
    option("--git", metavar="URL", help="Specs come from this git repository, in place of -f."),
    option("--git-branch", default="main", metavar="NAME", help="Its branch.  [default: main]"),
    option("--git-path", default="specs", metavar="PATH", help="Where specs lie in it.  [default: specs]"),
    duration_option(
        "--git-interval", default="1m", least="1s", help="How often it is asked for news.  [default: 1m]"
    ),
    option(
        "--git-allowed-signers",
        metavar="FILE",
        help="Only commits signed by one of these come into force (OpenSSH's format).",
    ),
    option("--allow-exec", is_flag=True, help="Specs from git may take secrets from programs."),
    option(
        "--secrets-dir",
        multiple=True,
        metavar="DIR",
        help="Where specs from git may take secrets from files; repeatable.  [default: /run/secrets]",
    ),
    option(
        "--secrets-env",
        multiple=True,
        metavar="GLOB",
        help="Which variables specs from git may take secrets from; repeatable.  [default: ESXI_*]",
    ),
)
TIMES = together(
    duration_option(
        "--interval",
        default="5m",
        least="1s",
        help="From the end of a pass over a host to the start of the next, about.  [default: 5m]",
    ),
    duration_option(
        "--max-backoff",
        default="30m",
        least="1s",
        help="At most so long after failures in a row.  [default: 30m]",
    ),
    duration_option("--grace", default="30s", help="How long a stop may take.  [default: 30s]"),
)


@click.command("watch", short_help="Keep hosts as the specs say, for ever.")
@SPECS
@GIT
@HOSTS
@ONLY
@option("--dry-run", is_flag=True, help="Only look and plan, change nothing anywhere.")
@option("--allow", type=click.Choice(RISKS), help="Raise the highest risk that is done.")
@TIMES
@option(
    "--max-failures",
    default="10%",
    metavar="LIMIT",
    help="More failed hosts than this stop all changes: a share of the enforced hosts, or a number; "
    "0 switches that off.  [default: 10%]",
)
@option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=50,
    metavar="N",
    help="Look at so many hosts side by side.  [default: 50]",
)
@option(
    "--listen", metavar="ADDRESS:PORT", help="Status page, metrics and health; not given: no port is opened."
)
@option(
    "--notify", multiple=True, metavar="URL", help="Where messages go (an Apprise URL); repeatable. A secret."
)
@STATE
@HISTORY_KEEP
@LOGS
@click.pass_context
def command(context: click.Context, /, **_: Any) -> int:
    """Keep hosts as the specs say, until SIGTERM or Ctrl-C.

    It never asks: it does what `allow` and `mode` in the specs let it do. A changed spec is on its hosts at once, a
    hand edit is put right within the interval. SIGHUP: every host is looked at now. Durations: 30s, 5m, 1h30m.

    Exit status: 0 ended within the grace, 1 what was in hand had to be cut, or the loop could not begin.
    """
    refuse_strangers(context)
    options = gathered(context)
    if options["git"] and options["filename"]:
        raise click.UsageError("specs come from --git or from -f, not from both", context)
    bell = Bell()
    _heed_signals(bell)
    from reconciler.cli.the_loop import run_loop

    return run_loop(options, bell)


def _heed_signals(bell: Bell) -> None:
    """From now on, before anything heavy is loaded: a start takes a second, and a stop may come in it."""

    def stop(number: int, frame: FrameType | None) -> None:
        if bell.stop:
            os._exit(1)
        bell.stop = True
        bell.ring()

    def hurry(number: int, frame: FrameType | None) -> None:
        bell.hurry = True
        bell.ring()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, hurry)
