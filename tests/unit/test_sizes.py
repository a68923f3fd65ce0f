"""Sizes, as people write and read them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.sizes import parse_size, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1048576", 1 << 20),
        ("20GiB", 20 << 30),
        ("1.5 TiB", 3 << 39),
        ("500MB", 500_000_000),
        ("12 B", 12),
    ],
)
def test_sizes_as_specs_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1", "20 gib", "1e9", "20G", "1 . 5GiB", "²GiB"])
def test_what_is_no_size_is_told_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="would be right: 20GiB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (24 << 20, "24.0 MiB"),
        (62 << 40, "62.0 TiB"),
        (1 << 60, "1048576.0 TiB"),
    ],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


@given(st.integers(0, 1 << 62))
@example(1536)
def test_what_is_shown_can_be_written_and_is_nearly_the_same(size: int) -> None:
    assert abs(parse_size(size_text(size)) - size) <= max(1, size * 0.051)
