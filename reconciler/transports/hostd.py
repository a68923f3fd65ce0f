"""Answers of a management agent (hostd) that is down, coming up or overloaded: wait and ask again."""

from __future__ import annotations

import re

LINE = re.compile(
    r"Connect to localhost failed: .*"
    r"|Failed to login: (?:Connection reset by peer|SSL Exception: .*)"
    r"|terminate called after throwing an instance of 'std::bad_alloc'"
    r"|what\(\): +std::bad_alloc"
    r"|Aborted(?: \(core dumped\))?"
)
RACED = re.compile(r"\(vmodl\.fault\.ManagedObjectNotFound\) ?\{")


def restarting(text: str) -> bool:
    """Whether the whole of what a command printed, on both streams, is hostd's and not the command's answer.

    True for hostd that is down or half up (field captures: 5.1 and later), for vim-cmd that got no memory,
    and for a listing that raced with a removal. A list that merely holds such a text as a name does not
    count.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return False
    return RACED.match(lines[0]) is not None or all(LINE.fullmatch(line) for line in lines)
