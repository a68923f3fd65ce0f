"""How a parser says that it can't understand a text, and the small readings that parsers share."""

from __future__ import annotations

import re

QUOTED = 120


class Unreadable(ValueError):
    """A text that can't be understood. It is never taken for "nothing there"."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(
            f"{why}: {text.strip()[:QUOTED]!r}" if text.strip() else f"{why}: nothing was printed"
        )


class Away(Unreadable):
    """hostd, the host's management agent, is coming up or overloaded: to be asked again."""


def whole_number(text: str) -> int:
    """A plain decimal number of at most 20 digits. Raises Unreadable."""
    if re.fullmatch(r"-?[0-9]{1,20}", text.strip()) is None:
        raise Unreadable("no whole number", text)
    return int(text)


def yes_or_no(text: str) -> bool:
    """`true` or `false`. Raises Unreadable."""
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise Unreadable("neither true nor false", text)
    return word == "true"


def lines_of(text: str) -> list[str]:
    """The lines without their ends: LF or CR LF, for a name may hold what else Unicode calls a line's end."""
    return [line.removesuffix("\r") for line in text.split("\n")]
