"""The command line that imports simulated hosts, carried out in this process."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from reconciler.cli.main import run
from reconciler.desired import load
from reconciler.fleet import Options
from reconciler.fleet import run as run_fleet
from reconciler.report import Report
from tests.live.passes.world import LEGACY, Keys, _shared_keys


def reached(host: Any, folder: Path, way: str = "ssh") -> list[str]:
    """The options for a simulated host: over `ssh`, `sdk` or `both`."""
    ssh = ["--port", str(host.port), "--known-hosts", str(folder / "known"), "--trust-on-first-use"]
    if way != "sdk":
        ssh += ["--key", str(Keys(_shared_keys()).private("root"))]
    options = ssh + (["--legacy-algorithms"] if host.version in LEGACY else [])
    if way == "ssh":
        return options
    secret = folder / "root.password"
    secret.write_text("VMware1!\n")
    return [
        *options,
        *("--sdk-port", str(host.sdk_port), "--sdk-password-file", str(secret)),
        *("--thumbprint", host.thumbprint),
    ]


def import_hosts(folder: Path, *arguments: str) -> int:
    """The exit status."""
    return run(["import", "host", *arguments, "--state-dir", str(folder / "state")])


def dry_run(folder: Path, *specs: Path) -> Report:
    """A dry run by what was written."""
    hosts = load(list(specs)).hosts
    options = Options(True, None, (), 50, folder / "state")
    return run_fleet(hosts, options, lambda event: None, threading.Event())
