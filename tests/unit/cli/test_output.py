"""Standard output of a pass: the formats, and that no secret gets into one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import yaml

from reconciler.cli import output
from reconciler.cli.output import Output
from reconciler.report import exit_status
from tests.unit.render import reports

READERS: dict[str, Callable[[str], object]] = {
    "text": str,
    "json": json.loads,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "yaml": yaml.safe_load,
    "markdown": str,
}


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("secret", ["drifted", "14", "vlan", ": ", "10.10.0.1", "null"])
def test_whatever_the_secret_is_the_document_stays_one(
    form: str, secret: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "mask", lambda text: text.replace(secret, "***"))
    report = reports.case("plan")
    writing = Output(form, quiet=False, no_color=True)
    for host in report.hosts:
        writing.host(host)
        writing.host(host)
    writing.report(report)
    written = READERS[form](capsys.readouterr().out)
    if isinstance(written, dict):
        assert written["summary"] == {**written["summary"], "hosts": 2, "steps": 4}
        assert written["hosts"][0]["status"] == "drifted"
    if isinstance(written, list):
        assert len(written) == len(report.hosts)
    if secret == "10.10.0.1":
        assert secret not in str(written)


@pytest.mark.parametrize(
    ("name", "status", "detailed"),
    [("plan", 4, 4), ("applied", 1, 1), ("healthy", 0, 0), ("troubled", 1, 1), ("hostile", 4, 4)],
)
def test_the_exit_status_of_the_highest_rank_wins(name: str, status: int, detailed: int) -> None:
    report = reports.case(name)
    assert exit_status(report) == status
    assert exit_status(report, detailed=True) == detailed
