"""authorized_keys as sshd reads it: the first line that fits a key decides (field guide, section 4).

What it does not understand it passes over: base64 with a strange character or without its padding, a type that is not
the key's own, an option that it does not know (OpenSSH: auth-options.c, b64_pton; sshd(8)).
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

TYPES = (
    "ssh-rsa",
    "ssh-dss",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
)
OPTIONS = {
    "agent-forwarding",
    "cert-authority",
    "command",
    "environment",
    "expiry-time",
    "from",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-user-rc",
    "no-x11-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "principals",
    "pty",
    "restrict",
    "tunnel",
    "user-rc",
    "verify-required",
    "x11-forwarding",
}
DROPBEAR_OPTIONS = {"command", "no-agent-forwarding", "no-port-forwarding", "no-pty", "no-x11-forwarding"}
OPTION = re.compile(r'\s*([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?\s*(,|$)')


@dataclass(frozen=True)
class KeyLine:
    """One line: key type, key data (decoded), and its options by lower-case name."""

    type: str
    data: bytes
    options: dict[str, str]


def lines(content: bytes) -> Iterator[KeyLine]:
    """The lines that hold a key; all others are passed over, as sshd does."""
    for raw in content.decode("utf-8", "surrogateescape").split("\n"):
        line = raw.strip(" \t\r")
        if line and not line.startswith("#") and (found := _line(line)) is not None:
            yield found


def _line(line: str) -> KeyLine | None:
    first, rest = _split(line)
    options: dict[str, str] = {}
    if first not in TYPES:
        parsed = _options(first)
        if parsed is None:
            return None
        options = parsed
        first, rest = _split(rest)
    if first not in TYPES or not rest:
        return None
    try:
        data = base64.b64decode(rest.split()[0], validate=True)
    except (binascii.Error, ValueError):
        return None
    name = first.encode()
    return KeyLine(first, data, options) if data.startswith(len(name).to_bytes(4) + name) else None


def _split(line: str) -> tuple[str, str]:
    """The first word, in which blanks between double quotes do not count, and the rest."""
    match = re.match(r'((?:[^\s"]|"(?:[^"\\]|\\.)*")+)\s*', line)
    return (match[1], line[match.end() :]) if match else ("", "")


def _options(text: str) -> dict[str, str] | None:
    options, position = {}, 0
    while position < len(text):
        match = OPTION.match(text, position)
        if match is None or match[1].lower() not in OPTIONS:
            return None
        options[match[1].lower()] = re.sub(r'\\"', '"', match[2] or "")
        position = match.end()
    return options


def fitting(content: bytes, data: bytes, peer: str, dropbear: bool = False) -> KeyLine | None:
    """The line in force for a key that a client at address `peer` offers; None when there is none.

    A line whose `from=` does not fit is passed over, dropbear (4.x) passes over every line with `from=` or another
    option that it lacks; `command=` and the like are in force as they stand.
    """
    for line in lines(content):
        if dropbear and not line.options.keys() <= DROPBEAR_OPTIONS:
            continue
        if line.data == data and _from(line.options.get("from"), peer):
            return line
    return None


def _from(patterns: str | None, peer: str) -> bool:
    if patterns is None:
        return True
    fits = False
    for pattern in patterns.split(","):
        negated, pattern = pattern.startswith("!"), pattern.lstrip("!")
        if _address(pattern, peer):
            if negated:
                return False
            fits = True
    return fits


def _address(pattern: str, peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return fnmatch.fnmatchcase(peer, pattern)
