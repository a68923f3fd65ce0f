"""Public keys as they stand in specs and key files: what is wrong with them, without ever showing them."""

from __future__ import annotations

import base64
import binascii
import functools

from reconciler.kinds.key_lines import SHORT_RSA, KeyLine, parse_key_line
from reconciler.records import record

RIGHT = "(would be right: TYPE BASE64 COMMENT, the line in a .pub file)"
PRIVATE = "is a private key, which never leaves its place (would be right: the public one, the line in the .pub file)"


@record
class Judgement:
    """What is to be said of a key. `wrong`: it can't be used; `weak`: it can, for now."""

    wrong: str | None = None
    weak: str | None = None


@functools.lru_cache(1024)
def judge_key(text: str) -> Judgement:
    """A line of authorized_keys."""
    if "PRIVATE KEY" in text:
        return Judgement(wrong=PRIVATE)
    if len(text.strip().splitlines()) > 1:
        return Judgement(wrong=f"must be one key on one line {RIGHT}")
    key = parse_key_line(text.strip())
    if key is None:
        return Judgement(wrong=f"is no public key {RIGHT}")
    broken = _broken(key)
    return Judgement(broken, None if broken else _weak(key))


@functools.lru_cache(1024)
def judge_host_key(text: str) -> Judgement:
    """A pinned host key, `TYPE BASE64`."""
    if text.startswith(("SHA256:", "MD5:")):
        return Judgement(
            wrong="is a fingerprint (would be right: the key itself, TYPE BASE64, as ssh-keyscan prints it)"
        )
    judged = judge_key(text)
    key = parse_key_line(text.strip())
    if key is not None and key.options:
        return Judgement(wrong="has something before the type of the key (would be right: TYPE BASE64)")
    return judged


@functools.lru_cache(64)
def judge_file(text: str) -> Judgement:
    """A file with public keys, one a line; comments and blank lines are left aside."""
    if "PRIVATE KEY" in text:
        return Judgement(wrong=f"the file {PRIVATE}")
    lines = [
        (at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip() and line.strip()[0] != "#"
    ]
    if not lines:
        return Judgement(wrong="there is no key in the file")
    judged = [(at, judge_key(line)) for at, line in lines]
    wrong = next((f"line {at} of the file {one.wrong}" for at, one in judged if one.wrong), None)
    return Judgement(
        wrong, next((f"line {at} of the file {one.weak}" for at, one in judged if one.weak), None)
    )


def _broken(key: KeyLine) -> str | None:
    fields = _fields(key.blob)
    if fields is None:
        return "is damaged: its base64 does not decode to a key, a part of it may be missing"
    if fields[0] != key.type.encode():
        return f"says {key.type}, but the key in its base64 is of another type"
    return None


def _weak(key: KeyLine) -> str | None:
    if key.bits is not None and key.bits < SHORT_RSA:
        return f"is an RSA key of {key.bits} bits; newer versions of ESXi refuse those under {SHORT_RSA} bits"
    return None


def _fields(blob: str) -> list[bytes] | None:
    """The length-prefixed fields of a key blob (RFC 4253, section 6.6); None when it is not made of such."""
    text = blob.rstrip("=")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None
    fields = []
    while data:
        length = int.from_bytes(data[:4], "big")
        if len(data) < 4 + length:
            return None
        fields.append(data[4 : 4 + length])
        data = data[4 + length :]
    return fields if len(fields) > 1 else None
