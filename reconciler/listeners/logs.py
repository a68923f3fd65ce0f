"""Logs on standard error: events as records, each on one line, without secrets and without tracebacks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from reconciler.events import Carrying, Event, Finished
from reconciler.listeners.chatter import Chatter
from reconciler.listeners.pace import Pace
from reconciler.listeners.sentences import level, sentence
from reconciler.render.json import to_line
from reconciler.render.visible import visible
from reconciler.render.words import many
from reconciler.secrets import MaskingFormatter, mask

_LIBRARIES = ("paramiko", "asyncssh", "asyncio", "concurrent", "urllib3")
"""What they log is tracebacks in pieces, and what a session said; our own faults tell it better."""

_LOG = logging.getLogger("reconciler")
_PACE, _CHATTER = Pace(), Chatter()


def set_up(minimum: str, form: str, write: Callable[[str], None]) -> None:
    """Send log records from `minimum` on to `write`, a line each, in the form `text` or `json`."""
    handler = _Lines(write)
    handler.setFormatter(JsonLines() if form == "json" else MaskingFormatter(TextLines()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(minimum.upper())
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def log(event: Event, severity: int | None = None) -> None:
    """The listener: an event becomes a record, of its own severity if none is given. Of a copy that goes on there is a
    record now and then; of a host that waits and tries again and again so many, and how many more there were."""
    severity = level(event) if severity is None else severity
    if isinstance(event, Carrying):
        words = _PACE.words(event)
        if _PACE.due(event):
            _say(severity, words, event)
        return
    if isinstance(event, Finished):
        _PACE.forget(event.host)
        if unheard := _CHATTER.unheard(event):
            _say(logging.INFO, f"… and {many(unheard, 'more line')} like these", event)
    if _LOG.isEnabledFor(severity) and not _CHATTER.too_much(event):
        _say(severity, sentence(event), event)


def _say(severity: int, words: str, event: Event) -> None:
    _LOG.log(severity, "%s", words, extra={"happening": event})


class TextLines(logging.Formatter):
    """`host: what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        event: Event | None = getattr(record, "happening", None)
        who = event.host if event is not None else record.name
        # a fault names its host by itself
        return visible(f"{who}: {record.getMessage().removeprefix(f'{who}: ')}")


class JsonLines(logging.Formatter):
    """An object with time (RFC 3339, UTC), level, host, event, message, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        event: Event | None = getattr(record, "happening", None)
        fields = {"host": event.host, "event": _name(event), **asdict(event)} if event is not None else {}
        return line(record.levelname.lower(), record.getMessage(), fields, at=record.created)


def line(severity: str, message: str, fields: dict[str, Any], *, at: float) -> str:
    """One JSON line; `at` in seconds since 1970. Secrets are masked value by value, so that it stays JSON."""
    time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {**fields, "message": message}
    masked = {key: mask(value) if isinstance(value, str) else value for key, value in said.items()}
    return to_line({"time": time, "level": severity, **masked})


class _Lines(logging.Handler):
    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(self.format(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Logging's own way to tell of trouble is a traceback."""


def _name(event: Event) -> str:
    name = type(event).__name__
    return name[:1].lower() + name[1:]
