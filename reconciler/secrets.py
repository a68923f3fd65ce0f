"""Secrets: the only reader of environment, file and program, and what every output has to mask.

A secret that was resolved in this process is known here for as long as the process lives, so that it can be taken
out of whatever is about to be shown.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from reconciler.desired.files import Unreadable, read_text, reason
from reconciler.desired.model import Secret
from reconciler.faults import Fault, FaultKind

MASK = "***"
EXEC_SECONDS = 30.0
MAX_BYTES = 1024 * 1024
_SHORTEST_PART = 4
_FORMS_TOGETHER = 500


class SecretUnavailable(Fault):
    """A reference leads to no secret. Names the reference, never what it holds, nor what its program printed."""

    kind = FaultKind.LOGIN


def resolve(reference: Secret) -> str:
    """The secret that a reference stands for, without a newline at its end; masked in all output from now on.

    Raises SecretUnavailable when there is none, when it is empty, or when its program fails or takes over 30 s.
    """
    if reference.env is not None:
        secret = _from_environment(reference, reference.env)
    elif reference.file is not None:
        secret = _from_file(reference, reference.file)
    else:
        secret = _from_program(reference, list(reference.exec or ()))
    if not secret:
        raise _unavailable(reference, "it is empty", "put the secret there")
    _VAULT.add(secret)
    return secret


def conceal(secret: str) -> None:
    """Mask a secret from now on that came in another way than by a reference, as in an option."""
    if secret:
        _VAULT.add(secret)


def mask(text: str) -> str:
    """The text with every known secret replaced by `***`.

    Also as it looks in a URL, in JSON, HTML, base64 and behind shell quotes, and each line of one that has several.
    """
    return _VAULT.mask(text)


class MaskingFormatter(logging.Formatter):
    """Wraps a formatter so that no secret leaves it, not in a message, an argument or an exception's text."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return mask(self._inner.format(record))


class _Vault:
    """The secrets known so far, and patterns that find them, each for so many: a new secret costs one small pattern,
    however many there are already."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._open: set[str] = set()
        self._patterns: tuple[re.Pattern[str], ...] = ()

    def add(self, secret: str) -> None:
        with self._lock:
            fresh = set(_forms(secret)) - self._forms
            if not fresh:
                return
            self._forms |= fresh
            closed = self._patterns if len(self._open) > _FORMS_TOGETHER else self._patterns[:-1]
            self._open = fresh if len(self._open) > _FORMS_TOGETHER else self._open | fresh
            longest_first = sorted(self._open, key=lambda form: (-len(form), form))
            self._patterns = (*closed, re.compile("|".join(map(re.escape, longest_first))))
            # re keeps hundreds of patterns, of which each is a whole one here
            re.purge()

    def mask(self, text: str) -> str:
        found = [match.span() for pattern in self._patterns for match in pattern.finditer(text)]
        return _masked(text, found) if found else text


def _masked(text: str, found: Iterable[tuple[int, int]]) -> str:
    """The text with these places masked; those that overlap are one."""
    pieces, at, end = list[str](), 0, -1
    for begin, stop in sorted(found):
        if begin >= end:
            pieces += (text[at:begin], MASK)
        end = at = max(end, stop)
    return "".join((*pieces, text[at:]))


_VAULT = _Vault()


def _forms(secret: str) -> Iterator[str]:
    """Every way in which a secret may show up."""
    parts = [part.strip() for part in secret.splitlines()]
    for text in (secret, *(part for part in parts if len(part) >= _SHORTEST_PART)):
        yield text
        yield from (quote(text), quote(text, safe=""), quote_plus(text), html.escape(text))
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])
        yield shlex.quote(text).removeprefix("'").removesuffix("'")
        yield from _base64_forms(text.encode())
        yield from (text.encode().hex(), text.encode().hex().upper())


def _base64_forms(data: bytes) -> Iterator[str]:
    """As base64 of the secret alone, and as what is sure of it within that of a longer text, at each offset."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode().rstrip("=")
        for offset in range(3):
            inner = encode(b"\0" * offset + data).decode().rstrip("=")
            sure = inner[(0, 2, 3)[offset] : (offset + len(data)) * 8 // 6]
            if len(sure) > _SHORTEST_PART:
                yield sure


def _from_environment(reference: Secret, name: str) -> str:
    secret = os.environ.get(name)
    if secret is None:
        raise _unavailable(reference, "there is no such environment variable", f"set {name} for this program")
    return secret


def _from_file(reference: Secret, path: str) -> str:
    try:
        return _without_newline(read_text(path, MAX_BYTES))
    except Unreadable as error:
        raise _unavailable(reference, str(error), "name a file that this program may read") from error


def _from_program(reference: Secret, command: list[str]) -> str:
    nexts = "run the program by hand to see what it says"
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=EXEC_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _unavailable(
            reference, f"the program gave nothing within {EXEC_SECONDS:.0f} s", nexts
        ) from None
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else "this is no command"
        raise _unavailable(reference, f"the program can't be run: {why}", nexts) from None
    if done.returncode != 0:
        raise _unavailable(reference, f"the program ended with status {done.returncode}", nexts)
    try:
        return _without_newline(done.stdout.decode())
    except UnicodeDecodeError:
        raise _unavailable(reference, "the program printed something that is not UTF-8", nexts) from None


def _without_newline(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _unavailable(reference: Secret, why: str, next: str) -> SecretUnavailable:
    return SecretUnavailable(f"no secret from {reference}: {why}", next=next)
