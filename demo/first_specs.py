"""A part of the demo: the first specs need not be typed."""

from __future__ import annotations

import re
from pathlib import Path

from demo.steps import reconcile, tell

WIDTH = 100


def story(host: str) -> bool:
    """Import a simulated host as it is; whether its plan is empty then."""
    tell("Coming from hosts as they are: one is looked at, and its spec is written.")
    address, port = _place(Path(f"specs/{host}.yaml").read_text(encoding="utf-8"))
    access = ("--port", port, "--key", "keys/root.key", "--trust-on-first-use")
    if reconcile("import", "host", address, *access, "--out", "imported.yaml"):
        return False
    for line in Path("imported.yaml").read_text(encoding="utf-8").splitlines():
        print(line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…")
    tell("By that spec nothing is to do.")
    return not reconcile("--dry-run", "-f", "imported.yaml", "--detailed-exitcode")


def _place(spec: str) -> tuple[str, str]:
    """Where the simulated host of a spec is."""
    address, port = re.search(r"address: (\S+)", spec), re.search(r"port: (\d+)", spec)
    assert address is not None
    assert port is not None
    return address[1], port[1]
