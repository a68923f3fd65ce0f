"""Simulated hosts in a process of their own, so that the client is what is measured."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.lab import processes
from bench.lab.progress import note

RECONCILE = (sys.executable, "-m", "reconciler")
MODERN = ("6.7", "7.0", "8.0")
"""Versions with which every client speaks without further options."""
STOP_SECONDS = 60


@dataclass(frozen=True)
class Hosts:
    """Hosts that run: `folder` has `specs`, `keys` and room for what a program of the bench makes."""

    pid: int
    folder: Path

    @property
    def specs(self) -> Path:
        return self.folder / "specs"

    def cpu(self) -> float:
        """CPU seconds that they have used so far."""
        return processes.cpu(self.pid)

    def peak(self) -> int:
        """The most memory in bytes that they had, all processes together."""
        return sum(processes.peak(each) for each in processes.tree(self.pid))

    def reconcile(self, *arguments: str, specs: Path | None = None) -> list[str]:
        """A command over all of them, or over those of other specs."""
        return [*RECONCILE, "-f", str(specs or self.specs), "--state-dir", str(self.folder), *arguments]

    def dry_run(self, specs: Path | None = None) -> list[str]:
        """The command of a cold dry run, which fails when a host is not in sync."""
        return self.reconcile("--dry-run", "--quiet", "--detailed-exitcode", specs=specs)


@contextmanager
def simulated(count: int, latency: int = 0, versions: Sequence[str] = MODERN) -> Iterator[Hosts]:
    """So many hosts with a round trip of `latency` ms (whole), put in sync. Raises processes.RunFailed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with _started(count, latency, versions, folder) as process:
            hosts = Hosts(process.pid, folder)
            processes.run(hosts.reconcile("--yes", "--allow", "link", "--quiet"))
            yield hosts


@contextmanager
def _started(
    count: int, latency: int, versions: Sequence[str], folder: Path
) -> Iterator[subprocess.Popen[str]]:
    command = [*RECONCILE, "simulate", "--hosts", str(count), "--versions", ",".join(versions)]
    command += ["--out", str(folder), *(["--latency", str(latency)] if latency else [])]
    began = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if re.search(r"stop with Ctrl-C", line):
                    break
            else:
                raise processes.RunFailed("the simulated hosts did not start:\n" + "".join(said[-5:]))
            note(f"{count} simulated hosts are up after {time.monotonic() - began:.1f} s")
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=STOP_SECONDS)
