"""Options that commands share, each with its environment twin, given before or after the command."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from reconciler.durations import duration

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]

RISKS = ("safe", "service", "link", "outage", "data")
FORMATS = ("text", "json", "jsonl", "yaml", "markdown")
LEVELS = ("debug", "info", "warning", "error")
EVERYWHERE = {"state_dir", "log_level", "log_format", "no_color"}
"""Options about the program itself: no command minds them."""


def option(*names: str, twin: bool = True, **attributes: Any) -> Decorator[Any]:
    """An option; with `twin` it can be given as RECONCILE_<ITS_LONG_NAME> as well."""
    long = next(name for name in names if name.startswith("--"))
    variable = "RECONCILE_" + long.split("/")[0].removeprefix("--").upper().replace("-", "_")
    return click.option(*names, envvar=variable if twin else None, **attributes)


def together(*decorators: Decorator[Any]) -> Decorator[Any]:
    """Several options as one decorator, shown in this order."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def duration_option(*names: str, least: str = "0s", **attributes: Any) -> Decorator[Any]:
    """An option that is a duration as in `durations`, as a timedelta; None where it was not given."""

    def read(context: click.Context, parameter: click.Parameter, value: str | None) -> timedelta | None:
        try:
            given = duration(value) if value is not None else None
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from None
        if given is not None and given < duration(least):
            what = f"{value!r} is too short (would be right: at least {least})"
            raise click.BadParameter(what, context, parameter)
        return given

    return option(*names, metavar="DURATION", callback=read, **attributes)


SPECS = option(
    "-f",
    "--filename",
    multiple=True,
    metavar="PATH",
    help="A spec file, or a folder of them; repeatable.  [default: specs]",
)
LOGS = together(
    option("--log-level", type=click.Choice(LEVELS), help="What to log on standard error, at least."),
    option(
        "--log-format",
        type=click.Choice(("text", "json")),
        default="text",
        help="json: each line on standard error is an object, and there is no progress.",
    ),
    option("--no-color", is_flag=True, help="No colour (NO_COLOR does the same)."),
)
QUIET = option("-q", "--quiet", is_flag=True, help="The summary only, and no progress.")
HOST = option("--host", multiple=True, metavar="GLOB", help="Only hosts of such a name; repeatable.")
HOSTS = together(
    HOST,
    option(
        "-l",
        "--selector",
        multiple=True,
        metavar="KEY=VALUE",
        help="Only hosts with this label; repeatable, all must fit.",
    ),
)
ONLY = option(
    "--only",
    multiple=True,
    metavar="GLOB",
    help="Only resources of such a name, and what they need; repeatable.",
)
STATE = option(
    "--state-dir", metavar="DIR", help="Where state is kept.  [default: $XDG_STATE_HOME/reconciler]"
)
HISTORY_KEEP = duration_option(
    "--history-keep",
    default="90d",
    help="Entries of the history stay so long.  [default: 90d]",
)
PASS = together(
    SPECS,
    HOSTS,
    ONLY,
    option("--dry-run", is_flag=True, help="Show the plan, change nothing anywhere."),
    option("-y", "--yes", is_flag=True, twin=False, help="Do not ask."),
    option("--allow", type=click.Choice(RISKS), help="Raise the highest risk that may be done."),
    option(
        "--concurrency",
        type=click.IntRange(min=1),
        default=50,
        metavar="N",
        help="So many hosts side by side.  [default: 50]",
    ),
    option(
        "-o", "--output", type=click.Choice(FORMATS), default="text", help="How plan and report are written."
    ),
    QUIET,
    option("--detailed-exitcode", is_flag=True, help="Exit status 2 when changes are pending."),
    STATE,
    HISTORY_KEEP,
    LOGS,
)


def gathered(context: click.Context) -> dict[str, Any]:
    """The options given before and after the command: what was typed last wins, what is repeatable adds up."""
    result: dict[str, Any] = {}
    typed: set[str] = set()
    for level in _levels(context):
        for name, value in level.params.items():
            here = level.get_parameter_source(name) is ParameterSource.COMMANDLINE
            if name in typed and here and isinstance(value, tuple):
                result[name] += value
            elif here or name not in result:
                result[name] = value
            typed |= {name} if here else set()
    return result


def refuse_strangers(context: click.Context) -> None:
    """An option that was typed before a command which has no use for it is a mistake, not a wish to be ignored."""
    *before, command = _levels(context)
    known = EVERYWHERE | {parameter.name for parameter in command.command.params}
    for level in before:
        for parameter in level.command.params:
            source = level.get_parameter_source(parameter.name or "")
            if source is ParameterSource.COMMANDLINE and parameter.name not in known:
                raise click.UsageError(
                    f"{parameter.opts[-1]} means nothing to {command.command_path}", command
                )


def state_folder(given: str | None) -> Path:
    """The state folder: as given, else of the service, else of the user (XDG Base Directory Specification)."""
    # systemd parts several folders by colons
    service = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given or service:
        return Path(given or service).expanduser()
    home = os.environ.get("XDG_STATE_HOME", "")
    # the specification: a relative path is to be ignored
    return (Path(home) if home.startswith("/") else Path("~/.local/state").expanduser()) / "reconciler"


def paths(given: tuple[str, ...]) -> list[Path]:
    """Where the specs are."""
    return [Path(path) for path in given or ("specs",)]


def _levels(context: click.Context) -> list[click.Context]:
    levels = [context]
    while levels[0].parent is not None:
        levels.insert(0, levels[0].parent)
    return levels
