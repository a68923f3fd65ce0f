"""Plain scalars as YAML 1.2 reads them (core schema, section 10.3.2): `on` and `yes` are strings, `010` is ten."""

from __future__ import annotations

import json
import re

Scalar = None | bool | int | float | str

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("+-.0123456789")
# A number that no field can hold stays a string: reading it would take time that grows with the square of its length.
_DECIMAL = re.compile(r"[-+]?[0-9]{1,100}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,100}|[0-9]{1,100}(?:\.[0-9]{0,100})?)(?:[eE][-+]?[0-9]{1,9})?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BASED = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_PLAIN = re.compile(r"[A-Za-z0-9_./$+=-]([ -~]*[!-~])?")
_QUOTED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def resolve(text: str) -> Scalar:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def render(value: Scalar) -> str:
    """A scalar on one line, so that reading it gives the same value again."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    return value if _is_plain(value) else _quoted(value)


def _float(value: float) -> str:
    text = repr(value)
    return text if text[-1].isdigit() else text.replace("inf", ".inf").replace("nan", ".nan")


def _is_plain(text: str) -> bool:
    """Whether a text may stand without quotes, also to the eye of a person."""
    if _PLAIN.fullmatch(text) is None or ": " in f"{text} " or " #" in text:
        return False
    return text[:3] not in ("---", "...") and not text.startswith("- ") and resolve(text) == text


def _quoted(text: str) -> str:
    """In double quotes, what YAML takes for a line break or not for a character escaped."""
    written = json.dumps(text, ensure_ascii=False)
    return _QUOTED.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
