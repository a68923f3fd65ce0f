"""Thumbprints in every spelling that people copy from somewhere."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.desired.thumbprints import parse_thumbprint


def spellings(digest: bytes) -> list[str]:
    plain, colons, packed = digest.hex(), digest.hex(":"), base64.b64encode(digest).decode()
    bare = [plain, plain.upper(), colons, colons.upper(), packed, packed.rstrip("=")]
    return [*bare, *(f"SHA256:{text}" for text in bare), f"sha-256: {colons}", f" {plain}\n"]


@given(st.binary(min_size=32, max_size=32))
@example(b"\x00" * 32)
def test_every_spelling_is_the_same(digest: bytes) -> None:
    assert {parse_thumbprint(text) for text in spellings(digest)} == {digest}


@pytest.mark.parametrize(
    "text", ["", "...", "SHA256:...", "ab" * 31, "ab:" * 32, "ä" * 43, "MD5:" + "ab" * 16]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="would be right: SHA256"):
        parse_thumbprint(text)


@pytest.mark.parametrize("text", ["ab" * 20, "ab:" * 19 + "ab", "SHA1:" + "ab" * 32])
def test_one_of_sha_1_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="not of SHA-256"):
        parse_thumbprint(text)
