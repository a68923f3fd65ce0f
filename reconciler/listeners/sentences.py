"""Events in words."""

from __future__ import annotations

import logging

from reconciler import events
from reconciler.events import Event
from reconciler.render.words import many
from reconciler.sizes import size_text


def sentence(event: Event) -> str:
    """What happened, without the host's name, in one line."""
    match event:
        case events.Connecting():
            return f"connecting to {event.address}"
        case events.Looking():
            return f"looking at {many(event.questions, 'thing')}"
        case events.Waiting() | events.Carrying() | events.Postponed():
            return _going_on(event)
        case events.Planned():
            return f"planned {many(event.steps, 'step')}, {event.held} held, {event.unknown} unknown"
        case events.StepBegan():
            return f"step {event.number} of {event.total}, {event.resource}: {event.title}"
        case events.Retrying():
            return f"trying {event.resource} again: {event.why}"
        case events.StepEnded():
            return f"{event.verb} {event.resource}: {event.outcome} after {event.seconds:.1f} s"
        case events.Failed():
            return event.message.removeprefix(f"{event.host}: ")
        case events.Finished():
            return f"{event.status} after {event.seconds:.1f} s"
        case _:
            return type(event).__name__


def _going_on(event: events.Waiting | events.Carrying | events.Postponed) -> str:
    if isinstance(event, events.Postponed):
        return "no answer yet; tried again when the others are done"
    if isinstance(event, events.Carrying):
        return f"{event.what}: {size_text(event.done)} of {size_text(event.total)}"
    return f"waiting {event.seconds:.0f} s: {event.why}" if event.seconds else f"waiting: {event.why}"


def level(event: Event) -> int:
    """How much it matters, as logging counts it."""
    match event:
        case events.Failed():
            return logging.ERROR
        case events.Retrying():
            return logging.WARNING
        case (
            events.Connecting()
            | events.Postponed()
            | events.Looking()
            | events.Planned()
            | events.StepEnded()
        ):
            return logging.DEBUG
        case _:
            return logging.INFO
