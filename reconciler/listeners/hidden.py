"""Which parts of a notification's URL are secrets of their own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

_SHORTEST = 4
_ENDS = re.compile(r"[/?&]")
_WORDS = re.compile(r"[/?&:@=]")
_TOKEN = re.compile(r"(?=.*\d|.*[a-z].*[A-Z]|.*[A-Z].*[a-z])\S{8,}")
"""What looks like one: a word with digits, or in both cases."""


def hidden(url: str, shown: str) -> set[str]:
    """What has to be masked beside the URL itself. `shown` is the URL as it may be shown to people: what is not there
    is a secret, and so is what looks like a token in its path or query. Names of people and hosts stay readable."""
    return {part for part in _parts(url, shown) if len(part) >= _SHORTEST}


def _parts(url: str, shown: str) -> Iterator[str]:
    rest = url.partition("://")[2]
    place, *others = _ENDS.split(rest)
    if any(others) or "@" in place:
        # what is sent to has another scheme, and no query
        yield from (rest, rest.partition("?")[0])
    values = {unquote(it.partition("=")[2] or it) for it in others}
    yield from (value for value in values if _TOKEN.fullmatch(value))
    public = set(_WORDS.split(unquote(shown)))
    login, _, host = place.rpartition("@")
    for value in (*values, *map(unquote, login.split(":", 1)), *map(unquote, host.split(":"))):
        if not public.issuperset(_WORDS.split(value)):
            yield value
