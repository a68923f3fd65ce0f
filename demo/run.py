"""The whole story in a minute, on simulated hosts: drift, a plan, hosts put right and given their master images, and a
power loss survived; and then the loop, which keeps them so."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo import first_specs, loop
from demo.steps import RECONCILE, reconcile, show, tell

HOSTS = 8
NOWHERE = "vmwarewin7-old55-v3"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder:
        # there, `specs` is where specs are looked for
        os.chdir(folder)
        os.environ["RECONCILE_STATE_DIR"] = f"{folder}/state"
        try:
            with lab() as hosts:
                return story(hosts)
        except KeyboardInterrupt:
            print("\nended; the simulated hosts are gone", flush=True)
            return 130
        finally:
            os.chdir("/")


def story(hosts: list[str]) -> int:
    """Show it step by step; the exit status tells whether it went as it should."""
    tell("What is wrong on each host, and the exact commands that would put it right. Nothing is changed.")
    reconcile("--dry-run")
    tell(
        "Do what the specs allow without asking; images arrive. What could drop a storage or network path stays held."
    )
    reconcile("--yes")
    tell("Do that as well, now that somebody has seen it.")
    reconcile("--yes", "--allow", "link")
    tell(
        f"One image is held: {NOWHERE} is on no datastore and in no repository. Its line is taken out of the spec."
    )
    forget(NOWHERE)
    tell("Look again: nothing is left to do.")
    settled = reconcile("--dry-run", "--detailed-exitcode")
    tell("Now every host loses its power. ESXi keeps its files in memory: what was not saved is gone.")
    lost = [reconcile("simulate", "reboot", host, "--power-loss", "--out", ".") for host in hosts]
    tell("Still nothing to do: the keys, mounts and port groups were saved, and proved to be.")
    survived = reconcile("--dry-run", "--detailed-exitcode")
    right = not any((settled, *lost, survived)) and first_specs.story(hosts[-1]) and loop.story()
    print("\nThat was all." if right else "\nThis did not go as it should have.", flush=True)
    return 0 if right else 1


@contextmanager
def lab() -> Iterator[list[str]]:
    """Simulated hosts for as long as the `with` lasts; their names."""
    command = (*RECONCILE, "simulate", "--hosts", str(HOSTS), "--images", "--sdk", "--out", ".")
    show(command)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield names(process)
        finally:
            process.terminate()


def names(process: subprocess.Popen[str]) -> list[str]:
    """Read what the lab says until its last host is up. Raises SystemExit when it ends before."""
    hosts: list[str] = []
    for line in process.stderr or ():
        print(line, end="", flush=True)
        if line.startswith(f"{HOSTS} simulated hosts"):
            return hosts
        hosts.append(line.split()[0])
    raise SystemExit("the simulated hosts did not start")


def forget(image: str) -> None:
    """Take the wish for an image out of the specs."""
    path = Path("specs/images.yaml")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.strip().startswith(image)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
