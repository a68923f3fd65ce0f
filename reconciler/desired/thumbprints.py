"""Thumbprints of certificates as specs spell them."""

from __future__ import annotations

import base64
import binascii
import re

SHA256_BYTES = 32
SHA1_HEX = 40

_HEX = re.compile(r"(?:[0-9a-fA-F]{2}:)*[0-9a-fA-F]{2}|(?:[0-9a-fA-F]{2})+")
_RIGHT = "(would be right: SHA256: and 64 hex digits, with or without colons, or the same in base64)"


def parse_thumbprint(text: str) -> bytes:
    """The 32 bytes of a SHA-256 thumbprint: as hex with or without colons, or base64, after `SHA256:` or without it.

    Raises ValueError with words that fit behind the name of a field.
    """
    prefix, _, rest = text.strip().partition(":")
    name = prefix.upper().replace("-", "").replace("_", "")
    plain = rest.strip() if name in ("SHA256", "SHA1", "MD5") else text.strip()
    digest = bytes.fromhex(plain.replace(":", "")) if _HEX.fullmatch(plain) else _base64(plain)
    if name in ("SHA1", "MD5") or (_HEX.fullmatch(plain) and len(plain.replace(":", "")) == SHA1_HEX):
        raise ValueError(f"is not of SHA-256, and older sums can be forged {_RIGHT}")
    if digest is None or len(digest) != SHA256_BYTES:
        raise ValueError(f"is no SHA-256 thumbprint of a certificate {_RIGHT}")
    return digest


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
