"""What is written reads as the same values, whoever reads it, and comments never become more than comments."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.nodes import Node
from reconciler.desired.yaml import parse
from reconciler.importing.writing import Noted, line_numbers, text

ODD = (
    "",
    " ",
    "on",
    "No",
    "y",
    "null",
    "~",
    "123",
    "0o17",
    "1e3",
    "10:20:30",
    "2020-01-01",
    "0x1f",
    ".inf",
    "=",
    "<<",
    "a: b",
    "a:",
    "a #b",
    "#a",
    "- a",
    "-",
    "---",
    "...",
    "? a",
    "[datastore1] ${name}",
    "{a}",
    "!tag",
    "&a",
    "*a",
    "%a",
    "@a",
    "`a`",
    "'a'",
    '"a"',
    "a\\b",
    "a\nb",
    "a\tb",
    " a",
    "a ",
    "\x00\x1b[31m\x85\u2028\u202e\ufeff\ufffe",
    "käse 中文 🦉",
    "a, b",
    "20GiB",
    "10.10.0.1",
    "ssh-rsa AAAAB3NzaC1yc2E+/= VCL root: account",
)
TEXTS = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
DOCUMENTS = st.lists(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), min_size=1, max_size=3)


def noted(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.builds(Noted, values, TEXTS)


COMMENTED = st.recursive(
    noted(SCALARS),
    lambda inner: noted(st.lists(inner, max_size=3)) | noted(st.dictionaries(TEXTS, inner, max_size=3)),
)


def plain(value: Any) -> Any:
    """The value without its comments."""
    if isinstance(value, Noted):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def read(node: Node) -> Any:
    """What our own reader takes it for."""
    if isinstance(node.value, dict):
        return {key: read(each) for key, each in node.value.items()}
    return [read(each) for each in node.value] if isinstance(node.value, list) else node.value


@given(DOCUMENTS)
def test_what_is_written_reads_as_the_same_values_to_our_reader_and_to_one_of_yaml_1_1(
    documents: list[dict[str, Any]],
) -> None:
    written = text(documents)
    parsed = parse(written, "x.yaml")
    assert parsed.mistakes == []
    assert [read(node) for node in parsed.documents] == documents
    assert list(yaml.safe_load_all(written)) == documents


@given(st.lists(st.dictionaries(TEXTS, COMMENTED, min_size=1, max_size=4), min_size=1, max_size=2))
def test_comments_change_no_value(documents: list[dict[str, Any]]) -> None:
    written = text([Noted(document, "first\nsecond: 1") for document in documents])
    assert list(yaml.safe_load_all(written)) == plain(documents)


@given(st.lists(st.dictionaries(TEXTS, COMMENTED, min_size=1, max_size=4), min_size=1, max_size=2))
def test_each_value_begins_on_the_line_that_is_named(documents: list[dict[str, Any]]) -> None:
    numbers = line_numbers(documents)
    for number, node in enumerate(parse(text(documents), "x.yaml").documents):
        for key, each in node.value.items():
            assert numbers[number, key] == each.key_line


def test_the_text_is_laid_out_for_people() -> None:
    document = {
        "kind": "Host",
        "metadata": {"name": Noted("on", "in VCL: on\noff"), "labels": {}},
        "spec": Noted(
            {
                "mode": Noted(Noted("paused", "maintenance"), "since May"),
                "keys": [
                    "ssh-rsa AAAA",
                    Noted({"file": "a.pub", "x": 1}, "this one"),
                    Noted(["a", []], "two"),
                ],
                "more": [{"noted": Noted([None, True], "a list")}],
            },
            "what is wished",
        ),
    }
    assert text([Noted(Noted(document, "from VCL"), "by hand"), {"kind": "Profile"}]) == (
        """\
# by hand
# from VCL
kind: Host
metadata:
  name: "on"  # in VCL: on\\noff
  labels: {}
# what is wished
spec:
  mode: paused  # since May; maintenance
  keys:
    - ssh-rsa AAAA
    # this one
    - file: a.pub
      x: 1
    # two
    -
      - a
      - []
  more:
      # a list
    - noted:
        - null
        - true
---
kind: Profile
"""
    )
    assert line_numbers([document])[0, "spec", "keys", 1] == 11


def test_what_no_file_can_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        text([{"a": "\udc80"}])
    with pytest.raises(TypeError, match="bytes"):
        text([{"a": b"x"}])
