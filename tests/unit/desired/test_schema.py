"""The schema that editors get says what the loader says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from reconciler.desired import SpecMistakes, load, schema
from reconciler.desired.files import read_text
from reconciler.desired.nodes import Node
from reconciler.desired.yaml import parse
from tests.unit.desired.cases import CASES, inside

SCHEMA = jsonschema.Draft202012Validator(schema())


def data(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: data(inner) for key, inner in node.value.items()}
    return [data(inner) for inner in node.value] if isinstance(node.value, list) else node.value


def documents(case: str) -> list[Any]:
    (file,) = (CASES / case).glob("*.y*ml")
    return [data(document) for document in parse(read_text(str(file), 1 << 20), file.name).documents]


def parts(schema_part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema_part, dict):
        yield schema_part
        for inner in schema_part.values():
            yield from parts(inner)
    elif isinstance(schema_part, list):
        for inner in schema_part:
            yield from parts(inner)


def test_is_a_json_schema_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_says_of_every_field_what_it_is_for() -> None:
    fields = [
        (name, field)
        for model in schema()["$defs"].values()
        for name, field in model.get("properties", {}).items()
    ]
    assert len(fields) > 30
    assert [name for name, field in fields if not field.get("description")] == []


def test_no_map_takes_fields_that_nothing_knows() -> None:
    assert [
        part
        for part in parts(schema())
        if part.get("type") == "object" and "additionalProperties" not in part
    ] == []


@pytest.mark.parametrize(
    "case",
    [
        "reference-example",
        "scalars-1.2",
        "secrets-references",
        "secrets-parts-taken-away",
        "working-directories",
        "profiles-library",
    ],
)
def test_takes_what_the_loader_takes(case: str) -> None:
    assert [error.message for document in documents(case) for error in SCHEMA.iter_errors(document)] == []


@pytest.mark.parametrize("case", ["sdk-access", "scalars-wrong-type"])
def test_refuses_what_the_loader_refuses(case: str) -> None:
    assert not all(SCHEMA.is_valid(document) for document in documents(case))
    with pytest.raises(SpecMistakes), inside(CASES / case):
        load([CASES / case])


@pytest.mark.parametrize(
    "spec",
    [
        {"ssh": {"enable": True}},
        {"datastore": {}},
        {"portGroups": {"A": {"vlan": "10"}}},
        {"portGroups": {"A\x01": {}}},
        {"access": {"ssh": {"password": "hunter2"}}},
        {"access": {"sdk": {"password": "hunter2"}}},
        {"placement": {"resourcepath": "/a/b"}},
        {"images": {"a": {"in": ["elsewhere"]}}},
        {"ssh": {"authorizedKeys": [{}]}},
    ],
)
def test_refuses_unknown_fields_and_wrong_values(spec: Any) -> None:
    document = {"apiVersion": "reconciler/v1", "kind": "Host", "metadata": {"name": "a"}, "spec": spec}
    assert not SCHEMA.is_valid(document)


def test_null_may_stand_wherever_a_profile_may_have_said_something() -> None:
    spec = {
        "mode": None,
        "ssh": {"enabled": None, "authorizedKeys": None},
        "datastores": {"a": None, "b": {"nfs": {"server": None}, "vmfs": None}},
        "portGroups": None,
        "access": {"ssh": {"password": {"env": None, "file": "x"}}},
    }
    document = {"apiVersion": "reconciler/v1", "kind": "Profile", "metadata": {"name": "a"}, "spec": spec}
    assert SCHEMA.is_valid(document)


def test_only_a_host_has_an_address() -> None:
    document = {"apiVersion": "reconciler/v1", "metadata": {"name": "a"}, "spec": {"address": "x"}}
    assert SCHEMA.is_valid({**document, "kind": "Host"})
    assert not SCHEMA.is_valid({**document, "kind": "Profile"})
