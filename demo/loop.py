"""The last part of the demo: the loop keeps the hosts as git says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from demo.steps import RECONCILE, reconcile, run, show, tell

PATIENCE_SECONDS = 60.0
BUSY = "esx-70-07"
EDITED = "esx-80-08"
GROUP = "portGroup/Private"


def story() -> bool:
    """Show it; whether it went as it should."""
    tell("The loop: specs come from a git repository, every host is looked after, and there is a page.")
    commit_specs()
    with watch() as page:
        settled = wait("every host is as git says", lambda: all_good(page))
        tell("Somebody commits another VLAN for the port group of every host.")
        spec = Path("git/specs/lab.yaml")
        text = spec.read_text(encoding="utf-8")
        spec.write_text(text.replace("vlan: 10}", "vlan: 20}"), encoding="utf-8")
        commit("Move the private network to VLAN 20")
        held = wait(
            f"seven hosts follow; on {BUSY} machines use it, so that is held and shown",
            lambda: (
                statuses(page).get(BUSY) == "held"
                and all(state in GOOD for name, state in statuses(page).items() if name != BUSY)
                and done(page, 20) == 7
            ),
        )
        tell("Somebody edits a host by hand.")
        by_hand("esxcli network vswitch standard portgroup set -p Private -v 99")
        healed = wait("the hand edit is put right", lambda: done(page, 20) == 8)
        tell("What it did.")
        reconcile("history", "--since", "5m", "--host", EDITED)
        stay(page)
    return settled and held and healed


GOOD = {"in-sync", "converged"}


def commit_specs() -> None:
    """A repository that holds the specs; keys, secrets and images stay outside of it."""
    target = Path("git/specs")
    target.mkdir(parents=True)
    for spec in Path("specs").glob("*.yaml"):
        text = spec.read_text(encoding="utf-8").replace("../", f"{Path.cwd()}/")
        (target / spec.name).write_text(text, encoding="utf-8")
    run("git", "init", "-q", "-b", "main", "git")
    commit("Say how the hosts should be")


def commit(message: str) -> None:
    who = ("-c", "user.name=Demo", "-c", "user.email=demo@example.org", "-c", "commit.gpgsign=false")
    run("git", "-C", "git", "add", "specs")
    run("git", "-C", "git", *who, "commit", "-q", "-m", message)


@contextmanager
def watch() -> Iterator[str]:
    """The loop for as long as the `with` lasts; the address of its page."""
    times = ("--git-interval", "2s", "--interval", "5s")
    where = ("--secrets-dir", "keys", "--listen", "127.0.0.1:0")
    command = (*RECONCILE, "watch", "--git", "git", *times, *where)
    show(command)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=follow, args=(process,))
        try:
            page = address(process)
            reader.start()
            yield page
        finally:
            process.terminate()
            if reader.is_alive():
                reader.join()


def address(process: subprocess.Popen[str]) -> str:
    """Read what the loop says until it listens."""
    for line in process.stderr or ():
        print(line, end="", flush=True)
        if "listening on" in line:
            return line.split()[-1]
    raise SystemExit("the loop did not start")


def follow(process: subprocess.Popen[str]) -> None:
    """Print on what it says."""
    for line in process.stderr or ():
        print(line, end="", flush=True)


def wait(what: str, holds: Callable[[], bool]) -> bool:
    """Until it holds; False when it never does."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        if holds():
            print(f"→ {what}", flush=True)
            return True
        time.sleep(0.2)
    print(f"this never came true: {what}", flush=True)
    return False


def statuses(page: str) -> dict[str, str]:
    with urlopen(f"{page}api/v1/report") as answer:
        return {host["name"]: host["status"] for host in json.load(answer)["hosts"]}


def all_good(page: str) -> bool:
    now = statuses(page)
    return bool(now) and set(now.values()) <= GOOD


def done(page: str, vlan: int) -> int:
    """How often the loop gave a port group that VLAN."""
    with urlopen(f"{page}api/v1/history?limit=1000") as answer:
        entries = json.load(answer)["entries"]
    return sum(
        entry["resource"] == GROUP and any(it["after"] == vlan for it in entry["fields"]) for entry in entries
    )


def by_hand(command: str) -> None:
    """As people do: over ssh, with root's key."""
    spec = Path(f"specs/{EDITED}.yaml").read_text(encoding="utf-8")
    place = spec.partition("address: ")[2].split()[0]
    port = spec.partition("port: ")[2].split()[0]
    quiet = (
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        f"UserKnownHostsFile={os.devnull}",
        "-o",
        "LogLevel=ERROR",
    )
    run("ssh", *quiet, "-i", "keys/root.key", "-p", port, f"root@{place}", command)


def stay(page: str) -> None:
    """Leave the page open for whoever sits there."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        input(f"\nThe page is at {page} until you press Enter. ")
    else:
        print(f"\nThe page was at {page} all the while.", flush=True)
