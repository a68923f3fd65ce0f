"""What Prometheus reads of the loop."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import __version__, events
from reconciler.faults import FaultKind
from reconciler.listeners.metrics import ENDS, VERBS, Metrics
from reconciler.report import HostReport, Outcome, Status
from tests.unit.listeners.pages import samples, series, value
from tests.unit.listeners.reports import blind, held, passed, step

NOW = 1_700_000_000.0


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics(clock=lambda: NOW)
    made.hosts(["a", "b"])
    return made


def test_the_page_is_prometheus_text_with_the_process_beside_our_own(metrics: Metrics) -> None:
    content_type, page = metrics.page()
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"process_resident_memory_bytes " in page
    assert b"python_gc_collections_total{" in page
    assert b"_created" not in page
    assert series(metrics, "build_info") == {(__version__,): 1}


def test_a_pass_is_counted_by_how_it_ended_and_from_nought(metrics: Metrics) -> None:
    assert series(metrics, "passes_total", host="a") == {(status.value,): 0 for status in ENDS}
    metrics.passed(passed("a"), 0.3)
    metrics.passed(passed("a", Status.HELD, items=[held("image/x")]), 2)
    assert value(metrics, "passes_total", host="a", status="in-sync") == 1
    assert value(metrics, "passes_total", host="a", status="held") == 1
    assert value(metrics, "pass_duration_seconds_count", host="a") == 2
    assert value(metrics, "pass_duration_seconds_sum", host="a") == 2.3
    assert value(metrics, "pass_duration_seconds_bucket", host="a", le="0.5") == 1
    assert value(metrics, "held_items", host="a") == 1
    assert series(metrics, "pass_duration_seconds_count", host="b") == {}


def test_drift_is_what_was_not_done_by_kind(metrics: Metrics) -> None:
    steps = [step("portGroup/x", Outcome.DONE), step("image/a"), step("image/b/c", Outcome.FAILED)]
    report = passed("a", Status.FAILED, steps=steps, in_sync=["ssh"], unknown=["repository"])
    metrics.passed(report, 1)
    assert series(metrics, "drift_items", host="a") == {
        ("portGroup",): 0,
        ("image",): 2,
        ("ssh",): 0,
        ("repository",): 0,
    }
    assert value(metrics, "unknown_items", host="a") == 1
    metrics.passed(passed("a", in_sync=["ssh"], items=[held("host", "switch SSH on")]), 1)
    assert series(metrics, "drift_items", host="a") == {("ssh",): 0}


def test_what_was_not_seen_stays_as_it_was_seen_last(metrics: Metrics) -> None:
    metrics.passed(passed("a", Status.DRIFTED, steps=[step("ssh")], items=[held("image/x")]), 1)
    metrics.passed(blind("a", FaultKind.UNREACHABLE), 30)
    assert value(metrics, "drift_items", host="a", kind="ssh") == 1
    assert value(metrics, "held_items", host="a") == 1
    assert value(metrics, "host_reachable", host="a") == 0
    metrics.passed(blind("b", FaultKind.LOGIN), 1)
    assert value(metrics, "held_items", host="b") is None
    assert value(metrics, "host_reachable", host="b") == 1


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("observe_only", [True, False])
def test_success_is_a_pass_that_ended_as_it_should(
    metrics: Metrics, status: Status, observe_only: bool
) -> None:
    metrics.passed(passed("a", status, observe_only=observe_only), 1)
    good = status in (Status.IN_SYNC, Status.CONVERGED, Status.HELD)
    succeeded = good or (observe_only and status is Status.DRIFTED)
    assert value(metrics, "last_success_timestamp_seconds", host="a") == (NOW if succeeded else None)


def test_a_host_shows_the_one_status_that_it_has(metrics: Metrics) -> None:
    assert series(metrics, "host_status") == {("a", "pending"): 1, ("b", "pending"): 1}
    metrics.passed(passed("a"), 1)
    metrics.passed(blind("a", FaultKind.LOGIN), 1)
    metrics.passed(blind("a", FaultKind.LOGIN), 1)
    assert series(metrics, "host_status") == {("a", "failed"): 1, ("b", "pending"): 1}


def test_a_paused_host_has_nothing_but_its_status(metrics: Metrics) -> None:
    metrics.passed(passed("a", steps=[step("ssh")]), 1)
    for _ in range(2):
        metrics.passed(HostReport("a", "a", Status.PAUSED), 0)
        assert [(it.name, it.labels) for it in samples(metrics) if it.labels.get("host") == "a"] == [
            ("reconciler_host_status", {"host": "a", "status": "paused"})
        ]
    metrics.passed(passed("a"), 1)
    assert value(metrics, "passes_total", host="a", status="in-sync") == 1
    assert value(metrics, "passes_total", host="a", status="failed") == 0


def test_a_host_that_comes_back_shows_the_same_report_again(metrics: Metrics) -> None:
    """In the loop a host that stays as it is has one report for all its passes."""
    report = passed("a", Status.HELD, items=[held("image/x")], in_sync=["ssh"])
    metrics.passed(report, 1)
    before = {
        name: series(metrics, name, host="a") for name in ("drift_items", "held_items", "unknown_items")
    }
    metrics.passed(HostReport("a", "a", Status.PAUSED), 0)
    assert series(metrics, "drift_items", host="a") == {}
    metrics.passed(report, 1)
    assert {name: series(metrics, name, host="a") for name in before} == before
    metrics.hosts(["b"])
    metrics.hosts(["a", "b"])
    metrics.passed(report, 1)
    assert {name: series(metrics, name, host="a") for name in before} == before


def test_a_host_that_left_takes_its_series_with_it_and_no_late_pass_brings_them_back(
    metrics: Metrics,
) -> None:
    for name in ("a", "b"):
        metrics.passed(passed(name, Status.DRIFTED, steps=[step("image/x")]), 1)
    metrics.hosts(["b", "c"])
    metrics.passed(passed("a"), 1)
    metrics(events.StepEnded("a", "image/x", "create", "done", 1))
    assert {it.labels["host"] for it in samples(metrics) if "host" in it.labels} == {"b", "c"}
    assert value(metrics, "host_reachable", host="b") == 1
    metrics.hosts(["a", "b"])
    assert value(metrics, "passes_total", host="a", status="drifted") == 0


def test_steps_are_counted_by_kind_and_never_by_name(metrics: Metrics) -> None:
    metrics(events.StepBegan("a", "image/winxp", "copy", 1, 1))
    zero = {(kind, outcome.value, verb): 0.0 for kind in ["image"] for outcome in Outcome for verb in VERBS}
    assert series(metrics, "actions_total") == zero
    metrics(events.StepEnded("a", "image/winxp", "create", "done", 70.0))
    assert series(metrics, "actions_total") == {**zero, ("image", "done", "create"): 1}
    assert value(metrics, "action_duration_seconds_sum", kind="image", verb="create") == 70
    assert b"winxp" not in metrics.page()[1]


def test_retries_and_transfers_are_counted_from_nought(metrics: Metrics) -> None:
    assert series(metrics, "retries_total") == {(kind.value,): 0 for kind in FaultKind}
    metrics(events.Retrying("a", "ssh", "a look shows no change", "notConverged"))
    assert value(metrics, "retries_total", fault="notConverged") == 1
    metrics(events.Carrying("a", "img", 10, 20, "to_host", 10))
    metrics(events.Carrying("a", "img", 20, 20, "to_host", 10))
    metrics(events.Carrying("a", "img", 20, 20, None, 0))
    metrics(events.Looking("a", 3))
    assert series(metrics, "transfer_bytes_total") == {("to_host",): 20, ("from_host",): 0}


def test_one_revision_is_in_force_at_a_time(metrics: Metrics) -> None:
    assert series(metrics, "spec_revision_info") == {}
    for name in ("one", "two", "two"):
        metrics.revision(name)
        assert series(metrics, "spec_revision_info") == {(name,): 1}
    metrics.revision(None)
    assert series(metrics, "spec_revision_info") == {}


def test_the_loop_tells_of_itself(metrics: Metrics) -> None:
    metrics.spec_errors(3)
    metrics.guard(True)
    metrics.queue(7, 2)
    metrics.history_lost(4)
    for ok in (True, False, False):
        metrics.fetched(ok)
        metrics.notified(ok)
    told = {name: value(metrics, name) for name in ("spec_errors", "guard_tripped", "queue_depth")}
    assert told == {"spec_errors": 3, "guard_tripped": 1, "queue_depth": 7}
    assert value(metrics, "workers_busy") == 2
    assert value(metrics, "history_lost_total") == 4
    counted = {("success",): 1.0, ("failure",): 2.0}
    assert series(metrics, "git_fetches_total") == counted
    assert series(metrics, "notifications_total") == counted
    metrics.guard(False)
    assert value(metrics, "guard_tripped") == 0


def test_many_threads_lose_no_count_while_the_page_is_read(metrics: Metrics) -> None:
    def work() -> None:
        for _ in range(200):
            metrics.passed(passed("a", in_sync=["ssh"]), 1)
            metrics(events.StepEnded("a", "ssh", "update", "done", 1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert len(series(metrics, "host_status")) == 2
    assert value(metrics, "passes_total", host="a", status="in-sync") == 800
    assert value(metrics, "actions_total", kind="ssh", verb="update", outcome="done") == 800


HOSTS = st.sampled_from(["a", "b", "c"])
NAMES = st.sampled_from(["ssh", "image/x{y}", 'portGroup/"', "datastore/a/b", "host"])
STEPS = st.builds(step, NAMES, st.none() | st.sampled_from(Outcome), st.sampled_from(VERBS))
REPORTS = st.builds(
    passed,
    HOSTS,
    st.sampled_from([it for it in Status if it is not Status.PENDING]),
    steps=st.lists(STEPS, max_size=3),
    items=st.lists(st.builds(held, NAMES), max_size=2),
    unknown=st.lists(NAMES, max_size=2),
    in_sync=st.lists(NAMES, max_size=2),
) | st.builds(blind, HOSTS, st.sampled_from(FaultKind))
EVENTS = (
    st.builds(events.StepBegan, HOSTS, NAMES, st.just("t"), st.just(1), st.just(1))
    | st.builds(
        events.StepEnded,
        HOSTS,
        NAMES,
        st.sampled_from(VERBS),
        st.sampled_from([it.value for it in Outcome]),
        st.floats(0, 1e5),
    )
    | st.builds(
        events.Retrying, HOSTS, NAMES, st.just("why"), st.sampled_from([it.value for it in FaultKind])
    )
    | st.builds(
        events.Carrying,
        HOSTS,
        NAMES,
        st.just(1),
        st.just(2),
        st.sampled_from(["to_host", "from_host", None]),
        st.integers(0, 9),
    )
)
SPECS = st.frozensets(HOSTS)
CLOSED = {
    "status": {it.value for it in Status},
    "kind": {"ssh", "image", "portGroup", "datastore", "host"},
    "verb": set(VERBS),
    "outcome": {it.value for it in Outcome} | {"success", "failure"},
    "fault": {it.value for it in FaultKind},
    "direction": {"to_host", "from_host"},
}


@given(st.lists(SPECS | REPORTS | EVENTS, max_size=20))
@example([frozenset({"a"}), passed("a", steps=[step("ssh")]), frozenset(), passed("a"), frozenset({"b"})])
def test_only_hosts_in_the_specs_have_series_and_labels_come_from_closed_sets(
    happenings: list[frozenset[str] | HostReport | events.Event],
) -> None:
    metrics, specs = Metrics(), frozenset[str]()
    for happening in happenings:
        if isinstance(happening, frozenset):
            specs = happening
            metrics.hosts(specs)
        elif isinstance(happening, HostReport):
            metrics.passed(happening, 1.5)
        else:
            metrics(happening)
    found = samples(metrics)
    assert {it.labels["host"] for it in found if "host" in it.labels} == specs
    assert len(series(metrics, "host_status")) == len(specs)
    for name, values in CLOSED.items():
        assert {it.labels[name] for it in found if name in it.labels} <= values
    assert all(it.value >= 0 for it in found)


def test_prometheus_is_not_loaded_before_it_is_used() -> None:
    script = (
        "import sys, reconciler.cli.main, reconciler.listeners.logs; "
        "print([it for it in sys.modules if it.split('.')[0] in ('prometheus_client', 'apprise')])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
