"""Plan, diff and render of 1,000 hosts in sync: CPU per host, without any network.

    python -m bench.plan_and_render [--small] [--rounds N] [--out FILE]

One simulated host of each version is looked at, and what it answered is kept. Then a pass is made for each of 1,000
names with these answers: what is asked, how each resource judges, the plan, the report, and the report as text and as
JSON.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench.lab.figures import milliseconds, table
from bench.lab.hosts import Hosts, simulated
from bench.lab.processes import RunFailed
from bench.lab.progress import main
from bench.lab.replay import Replay
from reconciler.contact import Circumstances, open_contact
from reconciler.desired.host import DesiredHost
from reconciler.desired.load import load
from reconciler.engine import look_at
from reconciler.events import Event
from reconciler.fleet import Options, task_of
from reconciler.render.document import report_document
from reconciler.render.json import to_json
from reconciler.render.paint import Paint
from reconciler.render.text import to_text
from reconciler.render.values import map_texts
from reconciler.report import HostReport, Report, Status
from reconciler.secrets import mask

T = TypeVar("T")
HOSTS = 1000
VERSIONS = ("4.1", "5.0", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0")
OPTIONS = Options(dry_run=True, allow=None, only=(), concurrency=1, state_dir=Path())
Seen = tuple[DesiredHost, Replay]


def tables(small: bool, rounds: int) -> str:
    count = 16 if small else HOSTS
    with simulated(len(VERSIONS), versions=VERSIONS) as hosts:
        seen = _seen(hosts)
    fleet = [_named(it, number) for number, it in enumerate(islice(cycle(seen), count))]
    work = [_round(fleet) for _ in range(rounds)]
    names = ("look, diff, plan and report", "render as text", "render as JSON")
    each = [median(column) / count for column in zip(*work, strict=True)]
    rows = [(name, milliseconds(value), "") for name, value in zip(names, each, strict=True)]
    rows.append(("all", milliseconds(sum(each)), "under 5 ms"))
    title = f"### Plan, diff and render of {count} hosts in sync, no network; medians of {rounds}\n"
    return "\n".join((title, table(("", "CPU a host", "goal"), rows)))


def _seen(hosts: Hosts) -> list[Seen]:
    """Each host, and a replay of all that it answers in a dry run."""
    stop = threading.Event()
    around = Circumstances(pause=lambda seconds: None, tell=_heard, stopping=stop.is_set)
    found = []
    for host in load([hosts.specs]).hosts:
        contact = open_contact(host, hosts.folder, around)
        try:
            look, _, report = look_at(task_of(host, OPTIONS), contact, _heard)
        finally:
            contact.close()
        if report.status is not Status.IN_SYNC:
            raise RunFailed(f"{host.name} is {report.status.value}, not in sync")
        found.append((host, Replay(look.facts)))
    return found


def _heard(event: Event) -> None:
    """Nobody wants to know."""


def _named(seen: Seen, number: int) -> Seen:
    host, answers = seen
    return replace(host, name=f"esx-{number}", address=f"esx-{number}.example.org"), answers


def _round(fleet: Sequence[Seen]) -> tuple[float, float, float]:
    """CPU seconds of the passes, of the text and of the JSON."""
    passes, reports = _timed(lambda: [_pass(host, answers) for host, answers in fleet])
    report = Report(True, tuple(reports))
    text, _ = _timed(lambda: to_text(map_texts(report, mask), Paint(False)))
    json, _ = _timed(lambda: to_json(report_document(map_texts(report, mask))))
    return passes, text, json


def _pass(host: DesiredHost, answers: Replay) -> HostReport:
    return look_at(task_of(host, OPTIONS), answers, _heard)[2]


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


if __name__ == "__main__":
    sys.exit(main(__doc__, tables, rounds=5))
