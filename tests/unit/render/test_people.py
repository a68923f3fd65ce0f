"""What people read: text and Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.faults import FaultKind
from reconciler.plan import Note
from reconciler.render.markdown import to_markdown
from reconciler.render.paint import Paint
from reconciler.render.text import to_text
from reconciler.render.visible import HAZARD, visible
from reconciler.report import FaultReport, HeldReport, HostReport, Report, Status, StepReport
from tests.unit.render import reports

ESCAPE = re.compile(r"\x1b\[\d*m")


@pytest.mark.parametrize("name", reports.names())
def test_text_is_as_the_case_says(name: str) -> None:
    expected = (reports.CASES / name / "text.txt").read_text(encoding="utf-8")
    assert to_text(reports.case(name), Paint()) == expected


@pytest.mark.parametrize("name", reports.names())
def test_markdown_is_as_the_case_says(name: str) -> None:
    expected = (reports.CASES / name / "markdown.md").read_text(encoding="utf-8")
    assert to_markdown(reports.case(name)) == expected


@pytest.mark.parametrize("name", reports.names())
def test_colour_adds_nothing_but_colour(name: str) -> None:
    report = reports.case(name)
    painted = to_text(report, Paint(colour=True))
    assert painted != to_text(report, Paint())
    assert ESCAPE.sub("", painted) == to_text(report, Paint())


@pytest.mark.parametrize("name", reports.names())
def test_quiet_leaves_the_summary_alone(name: str) -> None:
    report = reports.case(name)
    assert to_text(report, Paint(), only_summary=True) == to_text(report, Paint()).splitlines()[-1] + "\n"
    assert to_markdown(report, only_summary=True).count("\n") == 1


def test_a_report_without_hosts_says_so() -> None:
    assert to_text(Report(dry_run=True), Paint()) == "0 hosts (none). Nothing to do.\n"


def test_a_line_that_is_meant_to_be_copied_is_not_wrapped() -> None:
    key = "hostKey: ssh-rsa " + "A" * 300
    fault = FaultReport(FaultKind.HOST_KEY, "its host key is unknown", f"pin it under access.ssh:\n{key}")
    host = HostReport("a", "a.example.org", Status.FAILED, fault=fault)
    assert f"      {key}\n" in to_text(Report(True, (host,)), Paint())


def test_a_step_may_have_no_fields_and_no_commands() -> None:
    host = reports.case("plan").hosts[0]
    bare = replace(host, steps=(replace(host.steps[0], fields=(), actions=()),), held=(), fault=None)
    report = Report(True, (bare,))
    assert "it is not mounted" in to_text(report, Paint())
    assert "```" not in to_markdown(report)


def evil_report(text: str) -> Report:
    """A report in which every text that a host or a spec can choose is this one."""
    plan = reports.case("hostile").hosts[0]
    step = plan.steps[0]
    hostile = StepReport(text, "create", "safe", step.fields, step.actions, (text,), text, step.source)
    host = HostReport(
        text,
        text,
        Status.DRIFTED,
        steps=(hostile, step),
        held=(HeldReport(text, text, hostile),),
        unknown=(Note(text, text),),
        findings=(Note(text, text),),
        in_sync=(text,),
        fault=FaultReport(kind=_BUG, message=text, next=text),
    )
    return Report(True, (host,))


_BUG = reports.case("hostile").hosts[0].fault.kind  # type: ignore[union-attr]
HOSTILE = st.text(st.characters() | st.sampled_from("\x1b\x9b\x07\x7f\r\n\u202e\u2066`|<>&@*_[]#\udc9b"))


@given(HOSTILE)
@example("\x1b]0;owned\x07\x9b2J\u202e\udc9b")
def test_nothing_that_a_terminal_obeys_reaches_it(text: str) -> None:
    report = evil_report(text)
    for shown in (to_text(report, Paint()), to_markdown(report)):
        assert not HAZARD.search(shown.replace("\n", ""))
        shown.encode("utf-8")


@given(HOSTILE)
@example("</code><script>alert(1)</script>|`@all")
def test_no_text_breaks_out_of_markdown(text: str) -> None:
    opened: str | None = None
    prose: list[str] = []
    for line in to_markdown(evil_report(text)).splitlines():
        fence = re.match(r"(`{3,})(diff|sh)?$", line)
        if fence and opened in (None, fence[1]):
            opened = fence[1] if opened is None else None
        elif opened is None:
            prose.append(line)
    assert opened is None
    tags = set(re.findall(r"<[^>]*>", "\n".join(prose)))
    assert tags <= {
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "<code>",
        "</code>",
        "<br>",
        "<!-- -->",
    }
    assert "`" not in "".join(prose)
    rows = [line for line in prose if line.startswith("|")]
    assert [row.count("|") for row in rows] == [8, 8, 8]


@given(st.text())
@example("a\tb\\n\x00\U000e0041")
def test_visible_keeps_what_is_harmless(text: str) -> None:
    shown = visible(text)
    assert not HAZARD.search(shown)
    assert visible(shown) == shown
    assert len(shown) >= len(text)
