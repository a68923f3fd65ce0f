"""Makes signs visible that a terminal would obey, or that would change what the eye reads."""

from __future__ import annotations

import re

HAZARD = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences begin with these
    "\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen, or turning the direction
    "\ud800-\udfff"  # bytes that were no UTF-8
    "\U000e0000-\U000e007f]"  # unseen tags
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    """The text on one line, each hazardous sign as an escape: `\\n`, `\\x1b`, `\\u202e`."""
    return HAZARD.sub(lambda match: _escape(match[0]), text)


def lines(text: str) -> list[str]:
    """The lines of a text that may have several, each without hazardous signs."""
    return [visible(line) for line in text.split("\n")]


def _escape(sign: str) -> str:
    code = ord(sign)
    if sign in _SHORT:
        return _SHORT[sign]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
