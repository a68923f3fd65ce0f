"""Sizes as specs write them and as people read them."""

from __future__ import annotations

import re

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_FACTORS = {
    "": 1, "B": 1,
    "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
}  # fmt: skip
_SIZE = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,6}))? *(" + "|".join(filter(None, _FACTORS)) + r")?")


def size_text(size: int) -> str:
    """`24.0 MiB`; whole bytes below 1 KiB."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{size} B" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def parse_size(text: str) -> int:
    """`20GiB`, `1.5 TiB`, `500MB`, `1048576` in bytes. Raises ValueError with what would be right."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no size (would be right: 20GiB, 500MB, or a number of bytes)")
    whole, fraction, unit = match[1], match[2] or "", match[3] or ""
    scale: int = 10 ** len(fraction)
    return int(whole + fraction) * _FACTORS[unit] // scale
