"""The history as programs and as people read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.entries import Entry
from reconciler.faults import FaultKind
from reconciler.kinds.model import Difference
from reconciler.render.entry import (
    LONGEST_VALUE,
    entries_document,
    entries_text,
    entry_document,
    entry_line,
    entry_of,
)
from reconciler.render.json import to_json
from reconciler.render.paint import Paint
from reconciler.render.visible import HAZARD
from reconciler.report import FaultReport

NOW = datetime(2026, 1, 5, 12, 0, 3, 45678, tzinfo=UTC)
KEYS = ["time", "event", "host", "resource", "verb", "fields", "outcome", "seconds", "revision", "fault"]
REFUSED = FaultReport(FaultKind.REFUSED, "esx refused it", "look there")
VLAN = (Difference("vlan", 99, 10), Difference("vswitch", None, "vSwitch0"))
STEP = Entry(NOW, "step", "esx", "portGroup/a", "update", VLAN, "done", 1.23456, "abc")
FAILED = Entry(NOW, "step", "esx", "image/a", "delete", None, "failed", None, "abc", REFUSED)
STATUS = Entry(NOW, "status", "esx-2", fields=(Difference("status", "in-sync", "drifted"),), revision="abc")
FIRST = Entry(NOW, "status", "esx", fields=(Difference("status", None, "held"),))
REVISION = Entry(NOW, "revision", revision="0123456789abcdef")
FAULT = Entry(NOW, "fault", "esx", fault=FaultReport(FaultKind.UNREACHABLE, "no\nanswer", "see"))
EVERY = [STEP, FAILED, STATUS, FIRST, REVISION, FAULT]

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.none() | st.booleans() | st.integers() | texts
differences = st.builds(Difference, texts, values | st.lists(values), values | st.lists(values))
entries = st.builds(
    Entry,
    st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)).map(
        lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
    ),
    st.sampled_from(["step", "status", "revision", "fault"]),
    st.none() | texts,
    st.none() | texts,
    st.sampled_from([None, "create", "update", "delete"]),
    st.none() | st.lists(differences).map(tuple),
    st.sampled_from([None, "done", "failed"]),
    st.none() | st.integers(0, 10**9).map(lambda number: number / 1000),
    st.none() | texts,
    st.none() | st.builds(FaultReport, st.sampled_from(FaultKind), texts, texts),
)


def test_a_document_has_each_key_and_null_for_what_does_not_apply() -> None:
    assert entry_document(STEP) == {
        "time": "2026-01-05T12:00:03.045Z",
        "event": "step",
        "host": "esx",
        "resource": "portGroup/a",
        "verb": "update",
        "fields": [
            {"field": "vlan", "before": 99, "after": 10},
            {"field": "vswitch", "before": None, "after": "vSwitch0"},
        ],
        "outcome": "done",
        "seconds": 1.235,
        "revision": "abc",
        "fault": None,
    }
    document = entry_document(REVISION)
    assert list(document) == KEYS
    assert {key for key, value in document.items() if value is not None} == {"time", "event", "revision"}
    assert entry_document(FAILED)["fault"] == {
        "kind": "refused",
        "message": "esx refused it",
        "next": "look there",
    }
    assert entries_document([]) == {"formatVersion": "1.0", "entries": []}


def test_times_are_told_in_utc() -> None:
    here = Entry(datetime(2026, 1, 5, 1, tzinfo=timezone(timedelta(hours=2))), "revision")
    assert entry_document(here)["time"] == "2026-01-04T23:00:00.000Z"


@given(entries)
@example(STEP)
@example(FAILED)
def test_a_document_is_json_and_becomes_its_entry_again(entry: Entry) -> None:
    document = entry_document(entry)
    again = entry_of(json.loads(to_json(document)))
    assert entry_document(again) == document
    assert again.time == entry.time.replace(microsecond=entry.time.microsecond // 1000 * 1000)
    assert (again.fault, again.host, again.revision) == (entry.fault, entry.host, entry.revision)


def test_bytes_that_were_no_utf8_are_shown() -> None:
    hostile = Entry(NOW, "step", "esx", "datastore/\udcff", fields=(Difference("a\udcff", ["\udcff"], None),))
    document = entry_document(hostile)
    json.dumps(document, ensure_ascii=False).encode("utf-8")
    assert document["resource"] == "datastore/\\xff"
    assert document["fields"] == [{"field": "a\\xff", "before": ["\\xff"], "after": None}]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"time": "noon"},
        {"time": None},
        {"fault": {"kind": "strange", "message": "", "next": ""}},
        {"fields": [1]},
    ],
    ids=str,
)
def test_what_is_no_entry_is_told(wrong: dict[str, Any]) -> None:
    document = {**entry_document(STEP), **wrong} if wrong else {}
    with pytest.raises((KeyError, TypeError, ValueError)):
        entry_of(document)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (STEP, "~ update portGroup/a: done after 1.2 s (vlan 99 → 10; vswitch (none) → vSwitch0)"),
        (FAILED, "- delete image/a: failed; refused: esx refused it"),
        (STATUS, "status in-sync → drifted"),
        (FIRST, "status held"),
        (REVISION, "specs 0123456789ab came into force"),
        (FAULT, r"unreachable: no\nanswer"),
        (Entry(NOW, "revision"), "specs  came into force"),
        (Entry(NOW, "fault"), ""),
    ],
)
def test_an_entry_is_one_line(entry: Entry, line: str) -> None:
    assert entry_line(entry) == line


def test_what_a_list_gains_and_loses_is_marked_and_long_values_are_cut() -> None:
    fields = (Difference("keys", ["old"], ["k" * 1000]),)
    line = entry_line(Entry(NOW, "step", "esx", "authorizedKeys", "update", fields, "done"))
    assert line == f"~ update authorizedKeys: done (keys -old; keys +{'k' * (LONGEST_VALUE - 1)}…)"


def test_hosts_stand_below_each_other() -> None:
    shown = entries_text([REVISION, STATUS, FIRST], Paint())
    assert shown == (
        "2026-01-05 12:00:03Z  -      specs 0123456789ab came into force\n"
        "2026-01-05 12:00:03Z  esx-2  status in-sync → drifted\n"
        "2026-01-05 12:00:03Z  esx    status held\n"
    )
    assert entries_text([], Paint()) == ""


def test_colour_changes_no_letter() -> None:
    painted = entries_text(EVERY, Paint(colour=True))
    plain = entries_text(EVERY, Paint())
    assert "\x1b[32mdone" in painted
    for code in ("0", "1", "2", "31", "32", "33"):
        painted = painted.replace(f"\x1b[{code}m", "")
    assert painted == plain


@given(entries)
def test_a_line_harms_no_terminal(entry: Entry) -> None:
    assert not HAZARD.search(entry_line(Entry(**{**vars(entry), "verb": entry.verb or "update"})))
