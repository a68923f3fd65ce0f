"""A dry run over many simulated hosts that are in sync: wall time and client CPU per host.

    python bench/fleet_check.py [HOSTS | --small]     (default 200; --small is 20)

The simulated hosts run in a process of their own, so that the client is what is measured. Prints; never fails on time.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    arguments = sys.argv[1:]
    hosts = 20 if "--small" in arguments else int(arguments[0]) if arguments else 200
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        out = Path(folder) / "lab"
        simulator = _start(hosts, out)
        try:
            reconcile = [sys.executable, "-m", "reconciler", "-f", str(out / "specs"), "--state-dir", folder]
            _measure("put right", [*reconcile, "--yes", "--allow", "link", "--quiet"], hosts)
            for round_number in (1, 2, 3):
                _measure(f"dry run {round_number}", [*reconcile, "--dry-run", "--quiet"], hosts)
        finally:
            simulator.send_signal(signal.SIGINT)
            simulator.wait(30)
    return 0


def _start(hosts: int, out: Path) -> subprocess.Popen[str]:
    """Start the hosts and wait until they say that they are up."""
    began = time.monotonic()
    command = [sys.executable, "-m", "reconciler", "simulate", "--hosts", str(hosts), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    print(f"{hosts} simulated hosts up after {time.monotonic() - began:.1f} s")
    return process


def _measure(what: str, command: list[str], hosts: int) -> None:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    status = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / 1024
    print(
        f"{what:12} wall {wall:6.2f} s ({1000 * wall / hosts:5.1f} ms a host)  "
        f"CPU {cpu:6.2f} s ({1000 * cpu / hosts:5.1f} ms a host)  peak {peak:.0f} MiB  exit {status}"
    )


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    sys.exit(main())
