"""What is said on standard error."""

from __future__ import annotations

import sys
import time

import click

from reconciler.render.visible import lines


class Problem(click.ClickException):
    """The command can't be carried out; the text says why and what to do next."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class _Form:
    """How messages look: as text, or each as a JSON object."""

    json = False


def speak_json(wanted: bool) -> None:
    """Whether each message is a JSON object on a line from now on."""
    _Form.json = wanted


def say(text: str, level: str = "error") -> None:
    """A message of the program about itself."""
    tell(text if _Form.json else f"reconcile: {text}", level)


def tell(text: str, level: str = "info") -> None:
    """A text on standard error, without secrets and without signs that a terminal would obey."""
    if _Form.json:
        from reconciler.listeners.logs import line

        write_line(line(level, text, {}, at=time.time()))
    else:
        write_line("\n".join(lines(_masked(text))))


def write_line(text: str) -> None:
    """A line that is fit to be shown, on standard error."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        # nobody listens any more: the exit status still tells
        return


def _masked(text: str) -> str:
    # what nobody has resolved can't be in a text; so `--help` need not load the module
    secrets = sys.modules.get("reconciler.secrets")
    return str(secrets.mask(text)) if secrets is not None else text
