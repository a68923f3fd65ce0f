"""YAML 1.2 as spec files use it, and what must not bring the reader down."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.desired import SpecMistakes, load
from reconciler.desired.nodes import Node
from reconciler.desired.scalars import Scalar, render, resolve
from reconciler.desired.yaml import parse

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'\\\x85"), max_size=30
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
fragments = st.sampled_from(
    [
        "a: ",
        "? ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\n",
        "  ",
        "&a ",
        "*a ",
        "!t ",
        "<<: ",
        "'",
        '"',
        "|\n",
        "---\n",
    ]
)


def plain(node: Node) -> Any:
    """The values without their places."""
    if isinstance(node.value, dict):
        return {key: plain(inner) for key, inner in node.value.items()}
    return [plain(inner) for inner in node.value] if isinstance(node.value, list) else node.value


def only(text: str) -> Any:
    parsed = parse(text, "a.yaml")
    assert parsed.mistakes == []
    return plain(parsed.documents[0])


@given(scalars)
@example("010")
@example("=")
@example("---")
@example("a: b #c")
@example(" x ")
@example(float("-inf"))
@example(1e300)
def test_a_rendered_scalar_is_one_line_and_is_read_back_as_it_was(value: Scalar) -> None:
    text = render(value)
    assert len(text.splitlines()) == 1
    read = only(f"- {text}\n- x\n")[0]
    assert (read, type(read)) == (value, type(value))


@given(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=10))
@example({"<<": [], "": {"~": "~", "1": "1"}})
def test_what_render_writes_is_read_in_any_structure(value: Any) -> None:
    assert only(f"- {flow(value)}\n") == [value]


def flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return quoted(value) if isinstance(value, str) else render(value)


def quoted(text: str) -> str:
    """Forced into quotes: a blank before it keeps render from writing it plain."""
    return '"' + render(" " + text)[2:]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("10:20:30", "10:20:30"),
        ("2001-12-14", "2001-12-14"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+12", 12),
        ("-.inf", -math.inf),
        ("+.INF", math.inf),
        ("=", "="),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("1" * 101, "1" * 101),
        ("+", "+"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: Scalar) -> None:
    assert (resolve(text), type(resolve(text))) == (value, type(value))


def test_not_a_number_is_read_and_rendered() -> None:
    assert math.isnan(float(str(resolve(".NaN"))))
    assert render(math.nan) == ".nan"


def test_positions_count_from_one_and_in_characters() -> None:
    node = parse("é: x\nbé: {ü:   y}\n", "a.yaml").documents[0].find(("bé", "ü"))
    assert node is not None
    assert (node.key_line, node.key_column, node.line, node.column) == (2, 6, 2, 11)


def test_an_alias_stands_where_it_is_used_with_what_it_names() -> None:
    document = parse("a: &x {b: 1}\nc: *x\nd: &y 2\ne: *y\n", "a.yaml").documents[0]
    assert plain(document) == {"a": {"b": 1}, "c": {"b": 1}, "d": 2, "e": 2}
    used = document.value["c"]
    assert (used.line, used.column, used.key_column) == (2, 4, 1)


def test_anchors_end_with_their_document() -> None:
    parsed = parse("a: &x 1\n---\nb: *x\n", "a.yaml")
    assert [str(mistake) for mistake in parsed.mistakes] == [
        "a.yaml:3:4: b: this alias names no anchor (a value that begins with * needs quotes)"
    ]


def test_as_many_values_as_allowed_are_read_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.desired.yaml.MAX_VALUES", 20)
    assert parse("- [1, 2, 3, 4]\n- &x [1, 2, 3]\n- *x\n- 1\n- 1\n- 1\n- 1\n", "a.yaml").mistakes == []
    for text in (
        "- [1, 2, 3, 4]\n- &x [1, 2, 3]\n- *x\n- *x\n- 1\n- 1\n- 1\n",
        "[1, 2, 3, 4, 5]\n---\n[1, 2, 3, 4, 5]\n---\n[1, 2, 3, 4, 5, 6, 7, 8, 9]\n",
        "a: &a [1, 2, 3]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b]\n",
    ):
        parsed = parse(text, "a.yaml")
        assert [mistake.what for mistake in parsed.mistakes] == [
            "the file holds more than 20 values, aliases expanded"
        ]
        assert not parsed.complete


def test_aliases_count_as_deep_as_what_they_stand_for() -> None:
    lines = ["a0: &a0 [x]", *(f"a{at}: &a{at} [*a{at - 1}]" for at in range(1, 100))]
    assert parse("\n".join(lines[:49]), "a.yaml").mistakes == []
    assert [str(mistake) for mistake in parse("\n".join(lines), "a.yaml").mistakes] == [
        "a.yaml:50:12: a49: values are nested deeper than 50 levels"
    ]


@given(
    st.binary(max_size=200)
    | st.lists(fragments | texts, max_size=30).map(lambda parts: "".join(parts).encode())
)
@example(b"a: &a [*a]")
@example(b"? [a]\n: *b\n? *b\n: &c x\n")
@example(b"\xef\xbb\xbf")
def test_no_bytes_bring_the_loader_down(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "arbitrary.yaml"
    file.write_bytes(data)
    with pytest.raises(SpecMistakes) as caught:
        load([file])
    assert caught.value.mistakes
