"""Where the program begins and ends: whatever happens becomes a message of one line and an exit status."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from reconciler.cli.messages import Problem, say, speak_json
from reconciler.cli.root import cli

COMPLETE_VARIABLE = "_RECONCILE_COMPLETE"
INTERRUPTED = 130
COLLECT_AFTER = 20_000
"""So many new objects may come before Python looks for rings of dead ones; with its own 700 that is a twelfth of the
CPU of a fleet check."""


def main() -> NoReturn:
    """The `reconcile` command: ends the process."""
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    status = run(sys.argv[1:])
    _forget_unwritten()
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; the exit status. Nothing but messages leaves here, no exception."""
    _quieten()
    speak_json(_wants_json(arguments))
    try:
        result = cli.main(
            list(arguments), prog_name="reconcile", complete_var=COMPLETE_VARIABLE, standalone_mode=False
        )
        if sys.stdout is not None:
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BaseException as error:  # noqa: BLE001 - a bug has to be told in one line, too
        return _status_of(error)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Read before all other options, since what is wrong with those has to be said as well."""
    text = "=".join(arguments)
    chosen = text.rpartition("--log-format=")[2].split("=")[0] if "--log-format=" in text else None
    return (chosen or os.environ.get("RECONCILE_LOG_FORMAT")) == "json"


def _status_of(error: BaseException) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        say("interrupted", "warning")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return 1
    say(_message(error))
    return error.status if isinstance(error, Problem) else 1


def _message(error: BaseException) -> str:
    if isinstance(error, click.UsageError):
        return f"{error.format_message()} (`{_help(error)}` lists what there is)"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError) and error.filename is None:
        return f"can't write the output: {error.strerror or error}"
    return f"this is a bug, please report it with this line: {type(error).__name__}{_place(error)}: {error}"


def _help(error: click.UsageError) -> str:
    return f"{error.ctx.command_path if error.ctx else 'reconcile'} --help"


def _place(error: BaseException) -> str:
    """Where it was raised, as ` in function (file:line)`."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f" in {code.co_name} ({Path(code.co_filename).name}:{trace.tb_lineno})"


def _quieten() -> None:
    """See to it that nothing but our own messages is ever printed, and that every sign can be."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    threading.excepthook = lambda _: None
    sys.unraisablehook = lambda _: None
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _forget_unwritten() -> None:
    """What could not be written must not be tried again by the interpreter's end, which would complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
