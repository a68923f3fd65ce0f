"""Paths, their status codes and documents."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.board import Overview
from reconciler.desired.model import Secret
from reconciler.faults import FaultKind
from reconciler.report import FaultReport, Status
from reconciler.secrets import resolve
from reconciler.web.answer import Answer, Request
from reconciler.web.site import Site
from tests.unit.web import boards

SCHEMA = Path(__file__).parents[3] / "docs/reference/report.schema.json"


def ask(path: str, query: str = "", *, board: boards.Shown | None = None, **more: Any) -> Answer:
    site = Site(board or boards.Shown(), boards.metrics)
    return site.answer(
        Request(**{"method": "GET", "path": path, "query": query, "host": "loop:8080", **more})
    )


def read(answer: Answer) -> Any:
    assert answer.type == "application/json"
    return json.loads(answer.body)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        ("/hosts/vmhost-a-01", "text/html; charset=utf-8"),
        ("/api/v1/report", "application/json"),
        ("/api/v1/hosts/vmhost-a-01", "application/json"),
        ("/api/v1/history", "application/json"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/healthz", "text/plain; charset=utf-8"),
        ("/readyz", "text/plain; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
def test_each_path_answers_with_its_type_and_strict_headers(path: str, kind: str) -> None:
    answer = ask(path)
    assert answer.status is HTTPStatus.OK
    assert answer.body
    headers = dict(answer.headers)
    assert headers["Content-Type"] == kind
    assert headers["Content-Length"] == str(len(answer.body))
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/hosts", "/hosts/", "/hosts/../", "/hosts/a/b", "/hosts/.a", "/hosts/" + "a" * 254, "/hosts/a\n", "/index.html",
     "/api/v1", "/api/v1/hosts/", "/metrics/", "/../etc/passwd", "/style.css/..", "*", "/\x00", "/%2e"],
)  # fmt: skip
def test_whatever_is_no_page_is_not_found(path: str) -> None:
    answer = ask(path)
    assert answer.status is HTTPStatus.NOT_FOUND
    assert answer.type.startswith("text/plain")


def test_a_host_that_no_spec_names_is_not_found() -> None:
    assert ask("/hosts/vmhost-z-99").status is HTTPStatus.NOT_FOUND
    answer = ask("/api/v1/hosts/vmhost-z-99")
    assert (answer.status_line, answer.body) == ("404 Not Found", b"No spec names a host vmhost-z-99.\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "BREW"])
def test_nothing_can_be_done_but_look(method: str) -> None:
    answer = ask("/", method=method)
    assert answer.status is HTTPStatus.METHOD_NOT_ALLOWED
    assert ("Allow", "GET, HEAD") in answer.headers


@pytest.mark.parametrize("host", ["a, b", "a b", "<a>", "a/b", "a\x00", "user@a", None])
def test_a_host_header_that_is_none_is_refused(host: str | None) -> None:
    assert ask("/", host=host).status is HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("host", ["", "10.0.0.1:8080", "[::1]:8080", "loop.example.org"])
def test_a_loop_may_be_called_by_any_name(host: str) -> None:
    assert ask("/", host=host).status is HTTPStatus.OK
    assert ask("/", host=None, version="HTTP/1.0").status is HTTPStatus.OK


def test_health_is_of_the_scheduler_alone() -> None:
    assert ask("/healthz", board=boards.Shown(boards.TROUBLED, waiting="no specs")).body == b"alive\n"
    assert ask("/healthz", board=boards.Shown(turning=False)).status is HTTPStatus.SERVICE_UNAVAILABLE


def test_not_being_ready_has_a_reason() -> None:
    answer = ask("/readyz", board=boards.Shown(waiting="2 hosts had no pass yet: a, b\x1b[2J"))
    assert (answer.status, answer.body) == (503, b"2 hosts had no pass yet: a, b\\x1b[2J\n")
    assert ask("/readyz").body == b"ready\n"


def test_the_report_is_that_of_a_pass_with_times() -> None:
    report = read(ask("/api/v1/report"))
    jsonschema.validate(report, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert report["summary"]["hosts"] == 10
    assert report["hosts"][0]["observedAt"] == "2026-01-31T07:58:25.000Z"
    assert report["hosts"][0]["nextDue"] == "2026-01-31T08:03:30.000Z"
    paused = report["hosts"][7]
    assert (paused["status"], paused["observedAt"], paused["nextDue"]) == ("paused", None, None)
    assert read(ask("/api/v1/hosts/vmhost-a-01")) == report["hosts"][0]


def times(query: str) -> list[str]:
    return [entry["time"][11:16] for entry in read(ask("/api/v1/history", query))["entries"]]


def test_the_history_is_the_newest_and_newest_last() -> None:
    assert times("") == ["03:00", "07:29", "07:30", "07:40", "07:51"]
    assert times("limit=2") == ["07:40", "07:51"]
    assert times("host=vmhost-b-02") == ["07:51"]
    assert times("host=nobody") == []
    assert times("since=2026-01-31T07:40:00Z") == ["07:40", "07:51"]
    assert times("since=2026-01-31T08:40:00+01:00&limit=1") == ["07:51"]
    assert times("since=36500d") == ["03:00", "07:29", "07:30", "07:40", "07:51"]
    assert times("since=1s&since=2026-01-31T07:51:00Z") == ["07:51"]


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("/", "status=fine", b"status is one of pending, paused"),
        ("/", "&".join(f"f{number}=1" for number in range(30)), b"more than 20 fields"),
        ("/api/v1/history", "limit=0", b"limit is a number from 1 to 1000."),
        ("/api/v1/history", "limit=1001", b"limit is"),
        ("/api/v1/history", "limit=-1", b"limit is"),
        ("/api/v1/history", "limit=%C2%B2", b"limit is"),
        ("/api/v1/history", "limit=" + "9" * 5000, b"limit is"),
        ("/api/v1/history", "since=yesterday", b"since is a duration as in 24h, or a time"),
        ("/api/v1/history", "since=2026-01-31T07:40:00", b"since is"),
        ("/api/v1/history", "since=0001-01-01T00:00:00%2B23:00", b"since is"),
    ],
)
def test_a_query_that_can_not_be_meant_is_explained(path: str, query: str, said: bytes) -> None:
    answer = ask(path, query)
    assert answer.status is HTTPStatus.BAD_REQUEST
    assert answer.body.startswith(said)


@pytest.mark.parametrize("query", ["%", "q=%ff%fe", "=&&;=", "q=" + "a" * 4000, "q=\xff", "status="])
def test_an_odd_query_is_only_a_search(query: str) -> None:
    assert ask("/", query).status is HTTPStatus.OK


def test_no_secret_leaves_by_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESXI_SITE", "hidden-in-a-report")
    secret = resolve(Secret(env="ESXI_SITE"))
    state = boards.host("a", Status.FAILED, address=secret, fault=FaultReport(
        FaultKind.REFUSED, f"it said {secret}", f"change {secret}"))  # fmt: skip
    shown = Overview(boards.NOW, boards.NOW, False, (state,), boards.SPECS, boards.CALM.guard)
    board = boards.Shown(shown, waiting=secret)
    for path in ("/", "/hosts/a", "/api/v1/report", "/api/v1/hosts/a", "/readyz"):
        assert b"hidden-in" not in ask(path, board=board).body
        assert b"***" in ask(path, board=board).body


class Broken(boards.Shown):
    """A board with a bug."""

    def overview(self) -> Overview:
        raise KeyError("inside\nout")


def test_a_bug_is_a_500_that_tells_nothing_and_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = ask("/", board=Broken())
    assert (answer.status, answer.body) == (500, b"This page has a bug; the log of the loop names it.\n")
    [record] = caplog.records
    assert "KeyError" in record.getMessage()
    assert record.exc_info is None
