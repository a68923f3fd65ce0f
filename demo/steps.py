"""What the parts of the demo share: commands that are shown before they run."""

from __future__ import annotations

import subprocess
import sys

RECONCILE = (sys.executable, "-m", "reconciler")


def reconcile(*arguments: str) -> int:
    """Run one command, which prints for itself; its exit status."""
    show((*RECONCILE, *arguments))
    return subprocess.run((*RECONCILE, *arguments), check=False).returncode


def run(*command: str) -> None:
    """Run another program. Raises SystemExit when it fails."""
    print("$", *command, flush=True)
    if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
        raise SystemExit(f"{command[0]} failed")


def tell(text: str) -> None:
    print(f"\n### {text}\n", flush=True)


def show(command: tuple[str, ...]) -> None:
    print("$ reconcile", *command[len(RECONCILE) :], flush=True)
