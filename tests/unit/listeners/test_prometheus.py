"""What is in deploy/ for Prometheus and Grafana, and the page that documents it, fit the metrics that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.listeners.pages import families
from tests.unit.listeners.promtool import ROOT, SCRAPED, full, labels, promtool, strangers

ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())
PAGE = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """All objects in a JSON document."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from nodes(child)


def expression(text: str) -> str:
    """The query as Grafana sends it."""
    for name, value in (("$__rate_interval", "5m"), ("$job", ".*"), ("$host", ".*")):
        text = text.replace(name, value)
    return text


EXPRESSIONS = sorted({expression(node["expr"]) for node in nodes(DASHBOARD) if "expr" in node})


def test_prometheus_reads_the_page_and_has_nothing_to_say_of_our_names() -> None:
    ours = [line for line in full().page()[1].splitlines(True) if b"reconciler_" in line]
    assert promtool("check", "metrics", text=b"".join(ours)) == ""


def test_prometheus_takes_the_alert_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(ALERTS))


def test_each_alert_fires_when_it_should_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yaml", folder=ALERTS.parent)


def test_each_alert_has_a_test_that_it_fires() -> None:
    tests = yaml.safe_load((ALERTS.parent / "alerts_test.yaml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    names = {rule["alert"] for rule in RULES}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in tests[0]["alert_rule_test"]} == names


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_there_are_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert list(strangers(rule["expr"])) == []
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    page, anchor = rule["annotations"]["runbook"].split("#")
    assert (ROOT / page).exists()
    assert anchor in {heading.lower().replace(" ", "-") for heading in HEADING.findall(PAGE)}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")


def test_prometheus_can_parse_each_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"query:{at}", "expr": text} for at, text in enumerate(EXPRESSIONS)]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(tmp_path / "rules.yaml"))


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_query_of_the_dashboard_asks_for_metrics_that_there_are(text: str) -> None:
    assert list(strangers(text)) == []


def test_the_dashboard_shows_each_metric_of_ours_that_is_no_mere_detail() -> None:
    asked = " ".join(EXPRESSIONS)
    ours = {family.name for family in families(full()) if family.name.startswith("reconciler_")}
    assert {name for name in ours if name not in asked} == set()


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert DASHBOARD["uid"] == "reconciler"
    sources = {node["datasource"]["uid"] for node in nodes(DASHBOARD) if "datasource" in node}
    assert sources == {"${datasource}"}
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    for node in nodes(DASHBOARD):
        for name in re.findall(r"\$\{?(\w+)", str(node.get("expr", ""))):
            assert name in {*variables, "__rate_interval"}
        known = set.union(*labels().values())
        assert set(re.findall(r"\{\{(\w+)\}\}", str(node.get("legendFormat", "")))) <= known
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_panels_of_the_dashboard_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_the_page_documents_each_metric_with_its_type_and_labels() -> None:
    found: dict[str, tuple[str, set[str]]] = {}
    for family in families(full()):
        if family.name.startswith("reconciler_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name.removeprefix("reconciler_")] = (
                family.type,
                {label for sample in family.samples for label in sample.labels} - {"le"} - SCRAPED,
            )
    told = {name: (kind, set(re.findall(r"`(\w+)`", names))) for name, kind, names in ROW.findall(PAGE)}
    assert told == found


def test_the_page_tells_of_each_alert() -> None:
    alerts = {heading for heading in HEADING.findall(PAGE) if heading.startswith("Reconciler")}
    assert alerts == {rule["alert"] for rule in RULES}
