"""What programs read: JSON, JSON Lines and YAML."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.plan import Note
from reconciler.render.document import host_document, report_document
from reconciler.render.fingerprint import fingerprint
from reconciler.render.json import to_json, to_line
from reconciler.render.values import map_texts, shown
from reconciler.render.visible import HAZARD
from reconciler.render.yaml import to_yaml
from reconciler.report import HostReport, Status
from tests.unit.render import reports

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/reference/report.schema.json").read_text(encoding="utf-8")
)
FIELDS = [
    "name",
    "address",
    "transport",
    "product",
    "status",
    "steps",
    "held",
    "unknown",
    "findings",
    "fault",
]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", reports.names())
def test_json_says_what_the_case_says(name: str) -> None:
    document = json.loads(to_json(report_document(reports.case(name))))
    Draft202012Validator(SCHEMA).validate(document)
    assert list(document) == ["formatVersion", "dryRun", "hosts", "summary"]
    assert all(list(host) == FIELDS for host in document["hosts"])
    assert reports.report(document) == _without_extras(name)


def _without_extras(name: str) -> Any:
    report = reports.case(name)
    return replace(report, hosts=tuple(replace(it, in_sync=(), observe_only=False) for it in report.hosts))


@pytest.mark.parametrize("name", reports.names())
def test_yaml_is_the_same_document(name: str) -> None:
    document = report_document(reports.case(name))
    assert yaml.safe_load(to_yaml(document)) == document


@pytest.mark.parametrize("name", reports.names())
def test_json_lines_are_the_hosts(name: str) -> None:
    report = reports.case(name)
    lines = [to_line(host_document(host)) for host in report.hosts]
    assert all("\n" not in line for line in lines)
    assert list(map(json.loads, lines)) == report_document(report)["hosts"]


def test_the_summary_counts() -> None:
    assert report_document(reports.case("plan"))["summary"] == {
        "hosts": 2,
        "drifted": 1,
        "steps": 4,
        "held": 2,
        "unknown": 1,
        "failed": 0,
        "unreachable": 0,
    }


@given(st.text(st.characters()))
@example("\x1b[2J\x9b\u202e\u2028\udc80ü")
def test_documents_hold_any_text_and_harm_no_terminal(text: str) -> None:
    host = HostReport(text, text, Status.HELD, unknown=(Note(text, text),))
    document = host_document(host)
    for written in (to_json(document), to_line(document), to_yaml(document)):
        assert not HAZARD.search(written.replace("\n", ""))
        written.encode("utf-8")
    assert json.loads(to_json(document)) == document
    assert json.loads(to_line(document)) == document


def test_bytes_that_are_no_utf8_are_shown() -> None:
    host = HostReport("a\udcff", "b", Status.PAUSED)
    assert json.loads(to_line(host_document(host)))["name"] == r"a\xff"


def test_maps_in_a_report_are_changed_too() -> None:
    values: object = {"a": [1, "a", None]}
    assert map_texts(values, str.upper) == {"A": (1, "A", None)}


def test_letters_of_all_scripts_stay_readable() -> None:
    document = {"name": "Übung-データ"}
    assert "Übung-データ" in to_json(document)
    assert "Übung-データ" in to_yaml(document)


def test_a_fingerprint_tells_plans_apart_and_nothing_else() -> None:
    host = reports.case("plan").hosts[0]
    first, *others = host.steps
    assert fingerprint(host) == fingerprint(reports.case("plan").hosts[0])
    assert fingerprint(replace(host, findings=(), in_sync=())) == fingerprint(host)
    different = [
        replace(host, steps=()),
        replace(host, steps=(*others, first)),
        replace(host, name="other"),
        replace(host, steps=(replace(first, verb="update"), *others)),
        replace(host, steps=(replace(first, fields=()), *others)),
        replace(host, steps=(replace(first, actions=()), *others)),
    ]
    assert len({fingerprint(it) for it in [host, *different]}) == len(different) + 1


def test_texts_are_changed_and_our_own_words_are_not() -> None:
    report = map_texts(reports.case("applied"), lambda text: text.replace("e", "*"))
    assert report.hosts[0].status is Status.FAILED
    assert report.hosts[0].steps[0].verb == "create"
    assert report.hosts[0].steps[0].risk == "safe"
    assert "cr*at*" not in to_json(report_document(report))
    assert report.hosts[0].fault is not None
    assert "e" not in report.hosts[0].fault.message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(none)"),
        (True, "true"),
        (False, "false"),
        (10, "10"),
        ("", '""'),
        (" a", '" a"'),
        ("a b", "a b"),
        ([], "(none)"),
        (["a", None, 1], "a, (none), 1"),
    ],
)
def test_values_are_readable(value: object, text: str) -> None:
    assert shown(value) == text
