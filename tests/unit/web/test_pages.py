"""What the pages show, and that no text of a host or a spec can be anything but text on them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.board import HostState, Overview
from reconciler.desired.model import Secret
from reconciler.render.values import map_texts
from reconciler.render.visible import HAZARD
from reconciler.report import HostReport, Outcome, Status
from reconciler.secrets import resolve
from reconciler.web.overview import drift, heading, rows
from reconciler.web.pages import Pages
from reconciler.web.queries import Filter
from tests.unit.web import boards
from tests.unit.web.htmls import Page, is_sound

PAGES = Pages()
ALL = Filter()
HOSTILE = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\x07\r\n\u202e\u2066<>&\"'`{}%\udc9b"), min_size=1
)


def hosts_page(overview: Overview = boards.CALM, wanted: Filter = ALL) -> Page:
    return Page(PAGES.hosts(overview, wanted))


def host_page(name: str, overview: Overview = boards.CALM) -> Page:
    board = boards.Shown(overview)
    state = board.host(name)
    assert state is not None
    return Page(PAGES.host(overview, state, board.history(name, 50)))


@pytest.mark.parametrize("overview", [boards.CALM, boards.TROUBLED, replace(boards.CALM, hosts=())])
def test_the_page_of_all_hosts_is_sound(overview: Overview) -> None:
    is_sound(hosts_page(overview))


@pytest.mark.parametrize("name", [it.report.name for it in boards.fleet()])
@pytest.mark.parametrize("overview", [boards.CALM, boards.TROUBLED])
def test_the_page_of_each_host_is_sound(name: str, overview: Overview) -> None:
    is_sound(host_page(name, overview))


def test_a_host_that_is_gone_has_a_page_that_leads_on() -> None:
    page = Page(PAGES.unknown(boards.CALM, "vmhost-z-99"))
    is_sound(page)
    assert "No spec that is in force names such a host" in page.text
    assert "../api/v1/history?host=vmhost-z-99" in page.links


def evil(text: str) -> tuple[str, str]:
    """Both pages with this as each text that a host or a spec can choose."""
    overview = map_texts(boards.TROUBLED, lambda _: text)
    entries = [map_texts(entry, lambda _: text) for entry in boards.HISTORY]
    return PAGES.hosts(overview, Filter(name="")), PAGES.host(overview, overview.hosts[0], entries)


@given(HOSTILE)
@example("</title></td><script>alert(1)</script>")
@example("\"' onmouseover=alert(1) x='")
@example("{{ 7 * 7 }}\x1b]0;owned\x07\u202e\udc9b")
@example("javascript:alert(1)")
def test_no_text_changes_the_shape_of_a_page(text: str) -> None:
    for hostile, harmless in zip(evil(text), evil("x"), strict=True):
        assert Page(hostile).shape == Page(harmless).shape
        assert not HAZARD.search(hostile.replace("\n", ""))
        is_sound(Page(hostile))
        hostile.encode("utf-8")


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESXI_PAGES", "s3cret-of-<pages>")
    secret = resolve(Secret(env="ESXI_PAGES"))
    for html in evil(f"before\n{secret} after"):
        assert "s3cret" not in html
        assert "***" in html


def test_the_worst_hosts_come_first() -> None:
    statuses = [row.state.report.status for row in rows(boards.CALM, ALL)]
    assert statuses[:4] == [Status.FAILED, Status.UNREACHABLE, Status.DRIFTED, Status.DRIFTED]
    assert statuses[-2:] == [Status.IN_SYNC, Status.IN_SYNC]


def test_hosts_are_found_by_status_and_name() -> None:
    chosen = rows(boards.CALM, Filter(Status.DRIFTED, "A-0"))
    assert [row.state.report.name for row in chosen] == ["vmhost-a-01"]
    page = hosts_page(wanted=Filter(Status.DRIFTED, "A-0"))
    assert "1 host of 10" in page.text
    assert "./?status=failed&q=A-0" in page.links
    assert {"type": "hidden", "name": "status", "value": "drifted"} in page.all("input")
    assert [it["href"] for it in page.all("a") if "aria-current" in it] == ["./?status=drifted&q=A-0"]
    assert "No host fits" in hosts_page(wanted=Filter(None, "nowhere")).text


def test_a_status_without_hosts_is_still_shown_as_chosen() -> None:
    calm = replace(boards.CALM, hosts=boards.CALM.hosts[1:2])
    page = hosts_page(calm, Filter(Status.FAILED))
    assert [it["href"] for it in page.all("a") if "aria-current" in it] == ["./?status=failed"]


def test_the_page_of_all_hosts_says_what_the_loop_knows() -> None:
    text = hosts_page().text
    for said in (
        "git https://git.example.org/esxi.git, branch main, specs",
        "5f3c2a9e8d7b since 2026-01-31 03:00:00 UTC",
        "not tripped, limit 10%",
        "drifted 2 to do, 1 done, 2 held, 1 unknown 95 s ago in 3 min now: image/vmwarewinxp-base234-v12",
        "unreachable – 95 s ago due now now: connecting",
        "6 failures in a row",
        "hostKey: the host key of vmhost-a-03 (10.0.1.3:22) is not the expected one, and nothing was sent 6",
        "observed only",
        "last pass with revision 0b1d2c3e4f5a",
    ):
        assert said in text
    assert "guard has tripped" not in text


def test_trouble_is_told_with_what_it_means() -> None:
    text = hosts_page(boards.TROUBLED).text
    for said in (
        "The guard has tripped 12 min ago (2026-01-31 07:48:00 UTC): more than 10% of the enforced hosts failed",
        "failed: vmhost-a-03, vmhost-b-02.",
        "A new revision of the specs releases it, or SIGHUP",
        "2 mistakes in the newest specs The last good revision 5f3c2a9e8d7b stays in force for every host.",
        "specs/hosts.yaml:14:7: spec.datastore: there is no such field (datastores would be right)",
        "The newest specs can't be read the remote can't be reached",
        "1 warning about the specs specs/hosts.yaml:3:1: a short key",
        "Dry run",
    ):
        assert said in text


def test_before_any_specs_are_in_force() -> None:
    specs = replace(boards.BROKEN, revision=None, since=None)
    text = hosts_page(replace(boards.CALM, hosts=(), specs=specs)).text
    assert "No revision is in force yet; the loop waits for one." in text
    assert "Revision in force none yet" in text
    assert "No host: no specs are in force yet." in text
    assert "the specs in force name none" in hosts_page(replace(boards.CALM, hosts=())).text


def test_the_page_of_a_host_shows_old_and_new_values() -> None:
    text = host_page("vmhost-a-01").text
    for said in (
        "1 of 3 steps done",
        "create datastore/repository done it is not mounted risk safe, asked for in specs/profiles.yaml:14",
        "nfs.server (none) 10.10.0.1",
        "risk service, after ssh",
        "nfs.readOnly true (none)",
        "esxcli storage nfs add -H 10.10.0.1",
        "Held portGroup/Private its risk is link, and no more than service is allowed ~ update portGroup/Private",
        "Unknown datastore/archive it is mounted from 10.10.0.2:/archive but not accessible",
        "Findings authorizedKeys",
        "In sync ssh datastore/datastore1 virtualDisk portGroup/Public",
        "- delete datastore/old-iso: failed after 0.5 s; refused: old-iso is busy",
        "status in-sync → drifted",
        "rack=r3, site=a",
    ):
        assert said in text
    assert text.index("old-iso is busy") < text.index("status in-sync → drifted")


def test_of_a_list_only_what_changes_is_marked() -> None:
    page = host_page("vmhost-a-01")
    marked = [
        html for html in page.pieces if html in (boards.OLD_KEY, boards.NEW_KEY, "ssh-rsa AAAAB3 backup")
    ]
    assert len(marked) == 4
    assert len(page.all("ins")) == 2 + 1 + 1
    assert len(page.all("del")) == 1 + 2 + 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vmhost-a-03", "Fault: hostKey the host key of vmhost-a-03"),
        ("vmhost-a-03", "Next: if the host was installed anew"),
        ("vmhost-a-03", "No plan came about."),
        ("vmhost-a-03", "Failures in a row 6"),
        ("vmhost-b-02", "Now connecting"),
        ("vmhost-b-03", "Not looked at yet."),
        ("vmhost-b-04", "Not looked at: its mode is paused."),
        ("vmhost-b-05", "Observed only"),
        ("vmhost-b-05", "0b1d2c3e4f5a, no longer in force"),
        ("vmhost-b-06", "Nothing to do."),
        ("vmhost-b-06", "History Nothing yet."),
    ],
)
def test_the_page_of_a_host_says_how_it_stands(name: str, said: str) -> None:
    assert said in host_page(name).text


def test_a_guard_that_tripped_is_seen_on_the_page_of_a_host() -> None:
    page = host_page("vmhost-a-02", boards.TROUBLED)
    assert "../hosts/vmhost-a-03" in page.links
    guard = replace(boards.TROUBLED.guard, since=None, failed=())
    assert "more than 10% of the enforced hosts failed." in hosts_page(replace(boards.CALM, guard=guard)).text


def test_the_window_is_named_for_the_worst() -> None:
    assert heading(boards.CALM) == "1 failed, 1 unreachable, 2 drifted, 1 held"
    assert heading(replace(boards.CALM, hosts=boards.CALM.hosts[1:2])) == "1 host"


def test_what_became_of_steps_is_counted() -> None:
    steps = tuple(replace(boards.KEYS, outcome=it) for it in (Outcome.FAILED, Outcome.SKIPPED, Outcome.DONE))
    report = HostReport("a", "a", Status.FAILED, steps=steps)
    assert drift(report) == "1 failed, 1 skipped, 1 done"
    assert drift(HostReport("a", "a", Status.IN_SYNC)) == "none"
    assert drift(HostReport("a", "a", Status.PENDING)) == ""


def test_no_host_is_without_a_link() -> None:
    names = {it.report.name for it in boards.fleet()}
    assert {link.removeprefix("hosts/") for link in hosts_page().links if link.startswith("hosts/")} == names


def test_labels_are_optional() -> None:
    state: HostState = replace(boards.fleet()[1], labels={})
    assert "Labels" not in Page(PAGES.host(boards.CALM, state, ())).text
