"""Metrics for Prometheus: a listener, and the numbers of the loop as one page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from reconciler import __version__, events
from reconciler.faults import FaultKind
from reconciler.listeners.tally import drift, kind_of, seen, succeeded
from reconciler.report import HostReport, Outcome, Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ENDS = tuple(status for status in Status if status not in (Status.PENDING, Status.PAUSED))
"""How a pass can end."""
VERBS = ("create", "update", "delete")
PASS_BUCKETS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
ACTION_BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400)

# a second series for each counter and histogram, of when it began, that nothing here has a use for
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass
class _Host:
    """What is shown of a host: its status, what its last report showed, and the kinds of its resources."""

    status: Status = Status.PENDING
    report: HostReport | None = None
    kinds: set[str] = field(default_factory=set)


class Metrics:
    """All metrics, in a registry of their own. Safe to use from any thread. `clock` tells seconds since 1970.

    Hosts have series from the moment that `hosts` names them until it does not any more.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._gate = clock, threading.Lock()
        self._hosts: dict[str, _Host] = {}
        self._kinds: set[str] = set()
        self._revision: str | None = None
        self._registry = CollectorRegistry()
        self._of_hosts()
        self._of_work()
        self._of_loop()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def _of_hosts(self) -> None:
        self._status = self._gauge("host_status", "1 for the status after the last pass.", "host", "status")
        self._passes = self._counter("passes_total", "Passes, by how they ended.", "host", "status")
        self._pass_seconds = self._histogram(
            "pass_duration_seconds", "How long passes took.", PASS_BUCKETS, "host"
        )
        self._drift = self._gauge(
            "drift_items", "Steps that were not done when the last pass ended.", "host", "kind"
        )
        self._held = self._gauge("held_items", "What the last pass held back.", "host")
        self._unknown = self._gauge("unknown_items", "What the last pass could not see.", "host")
        self._success = self._gauge(
            "last_success_timestamp_seconds", "When a pass last ended as it should.", "host"
        )
        self._reachable = self._gauge(
            "host_reachable", "0 when the last pass could not reach the host.", "host"
        )

    def _of_work(self) -> None:
        self._actions = self._counter("actions_total", "Steps that ended.", "kind", "verb", "outcome")
        self._action_seconds = self._histogram(
            "action_duration_seconds", "How long steps took.", ACTION_BUCKETS, "kind", "verb"
        )
        self._retries = self._counter("retries_total", "Steps tried again, by the fault.", "fault")
        self._bytes = self._counter(
            "transfer_bytes_total", "Bytes of images between hosts and this machine.", "direction"
        )
        for fault in FaultKind:
            self._retries.labels(fault.value)
        for direction in ("to_host", "from_host"):
            self._bytes.labels(direction)

    def _of_loop(self) -> None:
        self._spec_errors = self._gauge("spec_errors", "Mistakes in the newest specs, if not in force.")
        self._commit = self._gauge("spec_revision_info", "The specs in force.", "commit")
        self._fetches = self._counter("git_fetches_total", "Fetches from git.", "outcome")
        self._guard = self._gauge("guard_tripped", "1 while the guard lets nothing be changed.")
        self._notifications = self._counter("notifications_total", "Messages to a receiver.", "outcome")
        self._queue = self._gauge("queue_depth", "Hosts that are due and wait for a worker.")
        self._busy = self._gauge("workers_busy", "Workers that are at a host.")
        self._lost = self._counter("history_lost_total", "Entries that the history could not keep.")
        self._gauge("build_info", "The program's version.", "version").labels(__version__).set(1)
        for outcome in ("success", "failure"):
            self._fetches.labels(outcome)
            self._notifications.labels(outcome)

    def __call__(self, event: events.Event) -> None:
        """The listener: steps, retries and transfers."""
        match event:
            case events.StepBegan():
                self._meet(kind_of(event.resource))
            case events.StepEnded():
                kind = kind_of(event.resource)
                self._actions.labels(kind, event.verb, event.outcome).inc()
                self._action_seconds.labels(kind, event.verb).observe(event.seconds)
            case events.Retrying():
                self._retries.labels(event.fault).inc()
            case events.Carrying(direction=str(direction)):
                self._bytes.labels(direction).inc(event.passed)

    def hosts(self, names: Iterable[str]) -> None:
        """The hosts in the specs. Those that left take their series with them, and what is still heard of them counts
        for none."""
        wanted = set(names)
        with self._gate:
            for name in self._hosts.keys() - wanted:
                self._drop(name)
                del self._hosts[name]
            for name in wanted - self._hosts.keys():
                self._hosts[name] = _Host()
                self._welcome(name)

    def passed(self, report: HostReport, seconds: float) -> None:
        """A pass ended. Of a host that is paused no series stays but its status."""
        with self._gate:
            if report.name not in self._hosts:
                return
            if report.status is Status.PAUSED:
                self._drop(report.name)
                self._show(report.name, report.status)
                return
            if self._hosts[report.name].status is Status.PAUSED:
                self._welcome(report.name)
            self._show(report.name, report.status)
            self._count(report, seconds)

    def spec_errors(self, number: int) -> None:
        """So many mistakes are in the newest specs, so that an older revision is in force, or none."""
        self._spec_errors.set(number)

    def revision(self, name: str | None) -> None:
        """The commit or digest in force."""
        with self._gate:
            if self._revision is not None and self._revision != name:
                self._commit.remove(self._revision)
            if name is not None:
                self._commit.labels(name).set(1)
            self._revision = name

    def fetched(self, ok: bool) -> None:
        """A fetch from git ended."""
        self._fetches.labels(_outcome(ok)).inc()

    def guard(self, tripped: bool) -> None:
        """Whether the guard lets nothing be changed."""
        self._guard.set(tripped)

    def notified(self, ok: bool) -> None:
        """A message was sent to one receiver, or could not be."""
        self._notifications.labels(_outcome(ok)).inc()

    def queue(self, depth: int, busy: int) -> None:
        """So many hosts are due and wait, so many workers are at one."""
        self._queue.set(depth)
        self._busy.set(busy)

    def history_lost(self, number: int) -> None:
        """So many more entries could not be kept."""
        self._lost.inc(number)

    def page(self) -> tuple[str, bytes]:
        """The content type, and all metrics in Prometheus' text format."""
        with self._gate:
            return CONTENT_TYPE, generate_latest(self._registry)

    def _welcome(self, host: str) -> None:
        """What counts from nought, so that the first of each shows as an increase."""
        for status in ENDS:
            self._passes.labels(host, status.value)
        self._show(host, Status.PENDING)

    def _drop(self, host: str) -> None:
        known = self._hosts[host]
        for metric in (self._pass_seconds, self._held, self._unknown, self._success, self._reachable):
            metric.remove(host)
        for status in ENDS:
            self._passes.remove(host, status.value)
        for kind in known.kinds:
            self._drift.remove(host, kind)
        known.report, known.kinds = None, set()
        self._status.remove(host, known.status.value)

    def _show(self, host: str, status: Status) -> None:
        known = self._hosts[host]
        if known.status is not status:
            self._status.remove(host, known.status.value)
        self._status.labels(host, status.value).set(1)
        known.status = status

    def _count(self, report: HostReport, seconds: float) -> None:
        host = report.name
        self._passes.labels(host, report.status.value).inc()
        self._pass_seconds.labels(host).observe(seconds)
        self._reachable.labels(host).set(report.status is not Status.UNREACHABLE)
        if succeeded(report):
            self._success.labels(host).set(self._clock())
        # in the loop a host that stays as it is has one report for all its passes
        if seen(report) and self._hosts[host].report is not report:
            self._hosts[host].report = report
            self._held.labels(host).set(len(report.held))
            self._unknown.labels(host).set(len(report.unknown))
            self._show_drift(host, drift(report))

    def _show_drift(self, host: str, items: dict[str, int]) -> None:
        known = self._hosts[host]
        for kind in known.kinds - items.keys():
            self._drift.remove(host, kind)
        for kind, number in items.items():
            self._meet(kind)
            self._drift.labels(host, kind).set(number)
        known.kinds = set(items)

    def _meet(self, kind: str) -> None:
        """Let what is done to this kind count from nought."""
        if kind not in self._kinds:
            self._kinds.add(kind)
            for verb in VERBS:
                for outcome in Outcome:
                    self._actions.labels(kind, verb, outcome.value)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace="reconciler", registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace="reconciler", registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, namespace="reconciler", registry=self._registry, buckets=buckets)


def _outcome(ok: bool) -> str:
    return "success" if ok else "failure"
