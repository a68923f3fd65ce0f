"""No message shows a secret, wherever in a spec it was written by mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.desired import SpecMistakes, load

SECRET = "Tr0ub4dor"
PLACES: list[tuple[str, ...]] = [
    ("access",),
    ("access", "prefer"),
    ("access", "ssh"),
    ("access", "ssh", "password"),
    ("access", "ssh", "password", "exec"),
    ("access", "ssh", "port"),
    ("access", "ssh", "hostKey"),
    ("access", "ssh", "trustOnFirstUse"),
    ("access", "ssh", "passwort"),
    ("access", "sdk"),
    ("access", "sdk", "password"),
    ("access", "sdk", "thumbprint"),
    ("ssh", "enabled"),
    ("ssh", "authorizedKeys"),
    ("allow",),
    ("mode",),
    ("datastores",),
    ("datastores", "a", "nfs", "version"),
    ("portGroups", "A", "vlan"),
    ("virtualDisk",),
]
SHAPES: list[Any] = [
    SECRET,
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n",
    [SECRET],
    [[SECRET, 1]],
    {"env": f"{SECRET}!"},
    {"env": [SECRET]},
    {"value": SECRET},
    {"file": f"{SECRET}\n"},
    {"password:" + SECRET: None},
    {"password=" + SECRET: {"a": 1}},
    [{"file": f"-----BEGIN {SECRET}"}],
]


def document(place: tuple[str, ...], value: Any) -> str:
    for part in reversed(place):
        value = {part: value}
    head = {"apiVersion": "reconciler/v1", "kind": "Host", "metadata": {"name": "a"}, "spec": value}
    return json.dumps(head)


@given(st.sampled_from(PLACES), st.sampled_from(SHAPES), st.integers(0, 40))
@example(("access", "ssh", "password"), SECRET, 0)
@example(("access", "ssh", "password"), SECRET, 1)
def test_no_message_shows_it(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, ...], value: Any, cut: int
) -> None:
    """`cut` characters are missing at the end, so that the parser stumbles over the line with the secret."""
    # a program without arguments is a right reference: nothing is wrong with it, and nothing is said
    assume(not (place[-1] == "exec" and value == [SECRET]))
    # names of datastores are free, and one without a value is not managed
    assume(not (place == ("datastores",) and value == {"password:" + SECRET: None}))
    text = document(place, value)
    file = tmp_path_factory.getbasetemp() / "secret.yaml"
    file.write_text(text[: len(text) - cut])
    with pytest.raises(SpecMistakes) as caught:
        load([file])
    everything = [*map(str, caught.value.mistakes), *map(str, caught.value.warnings), str(caught.value)]
    assert not [text for text in everything if SECRET in text]


@pytest.mark.parametrize(
    "line",
    [
        f"password: !{SECRET} x",
        f"password: *{SECRET}",
        f"password: &{SECRET} [",
        f"password: %{SECRET}: [",
        f"password: @{SECRET}",
        f"password: '{SECRET}",
        f"password: {SECRET}: {SECRET}",
        f"password:{SECRET}",
        f"{{password:{SECRET}}}",
        f"password: {{{SECRET}",
        f'password: "\\{SECRET}"',
        f"password: |{SECRET}",
        f"password: {SECRET}\x00",
        f"\tpassword: {SECRET}",
    ],
)
def test_no_syntax_error_quotes_the_line(tmp_path: Path, line: str) -> None:
    head = "apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: a}\nspec:\n  access:\n    ssh:\n      "
    file = tmp_path / "a.yaml"
    file.write_text(head + line + "\n")
    with pytest.raises(SpecMistakes) as caught:
        load([file])
    assert SECRET not in str(caught.value)
