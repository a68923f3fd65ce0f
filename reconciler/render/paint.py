"""Colour, kept apart from the text: a style by name, painted or not."""

from __future__ import annotations

from reconciler.records import record

_CODES = {
    "create": "32",
    "update": "33",
    "delete": "31",
    "good": "32",
    "bad": "31",
    "held": "35",
    "note": "36",
    "bold": "1",
    "dim": "2",
}


@record
class Paint:
    """Puts a style on a text when `colour` is wanted; else gives the text back."""

    colour: bool = False

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour and text else text
