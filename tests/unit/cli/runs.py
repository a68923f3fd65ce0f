"""Running the command line: inside this process with a pretended fleet, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.desired.host import DesiredHost
from reconciler.engine import Journal
from reconciler.events import Finished, Listener
from reconciler.fleet import HostTurn, Options
from reconciler.render.fingerprint import fingerprint
from reconciler.report import HostReport, Outcome, Report, Status
from tests.unit.render import reports

PASSWORD = "correct horse"
SPEC = """\
apiVersion: reconciler/v1
kind: Host
metadata: {{name: {name}, labels: {{site: {site}}}}}
spec:
  address: 127.0.0.1
  access: {{ssh: {{port: {port}, password: {{env: ESXI_PASSWORD}}}}}}
  portGroups: {{Public: {{}}}}
"""


def write_specs(folder: Path, names: Sequence[str] = ("esx-1", "esx-2"), port: int = 1) -> Path:
    """Valid specs; nothing listens at these ports (1 and up)."""
    specs = folder / "specs"
    specs.mkdir()
    for number, name in enumerate(names):
        text = SPEC.format(name=name, site="ab"[number % 2], port=port + number)
        (specs / f"{name}.yaml").write_text(text, encoding="utf-8")
    return specs


def reconcile(
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    stdout: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    """The program as a user starts it, with nothing on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=folder,
        env=_environment(folder, env or {}),
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def starting(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    """The same, to be read while it runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=folder,
        env=_environment(folder, {}),
        stdin=subprocess.DEVNULL,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RECONCILE_")}
    return {
        **clean,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "XDG_STATE_HOME": str(folder / "home"),
        "ESXI_PASSWORD": PASSWORD,
        **more,
    }


def with_plan(name: str, vlan: int = 10) -> HostReport:
    """A host of that name with one step to do."""
    host = reports.case("applied").hosts[1]
    step = replace(host.steps[0], outcome=None, why=f"it has VLAN {vlan}")
    fields = (replace(step.fields[0], after=vlan),)
    return replace(host, name=name, status=Status.DRIFTED, steps=(replace(step, fields=fields),))


def in_sync(name: str) -> HostReport:
    return replace(reports.case("healthy").hosts[0], name=name)


class PretendedFleet:
    """In place of `fleet.run`: hosts with plans that come true when they are agreed to, or change in between.

    `plans` maps a host to the plans that successive looks find; the last one stays.
    """

    def __init__(self, plans: Mapping[str, Sequence[HostReport]]) -> None:
        self._plans: dict[str, Iterator[HostReport]] = {name: iter(found) for name, found in plans.items()}
        self._last: dict[str, HostReport] = {}
        self.calls: list[tuple[tuple[str, ...], Options]] = []

    def run(
        self,
        hosts: Sequence[DesiredHost],
        options: Options,
        listener: Listener,
        stop: threading.Event,
        each: Callable[[HostReport], None],
        everyone: Sequence[DesiredHost],
        journal: Callable[[], Journal],
        turn: HostTurn,
    ) -> Report:
        self.calls.append((tuple(host.name for host in hosts), options))
        done = [self._host(host.name, options) for host in hosts]
        for report in done:
            listener(Finished(report.name, report.status.value, 0.1))
            each(report)
        return Report(options.dry_run, tuple(done), interrupted=stop.is_set())

    def _host(self, name: str, options: Options) -> HostReport:
        found = self._last[name] = next(self._plans[name], self._last.get(name, in_sync(name)))
        agreed = options.approved is None or options.approved.get(name) == fingerprint(found)
        if options.dry_run or not found.steps or not agreed:
            return found
        steps = tuple(replace(step, outcome=Outcome.DONE) for step in found.steps)
        return replace(found, status=Status.CONVERGED, steps=steps)
