"""The container's HEALTHCHECK: asks /healthz of the loop that is the container's main process.

Where that is no loop with `--listen`, there is nothing to ask, and a container that runs is healthy.
Needs nothing but the standard library. Exit status: 0 healthy, 1 not.
"""

from __future__ import annotations

import http.client
import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
PATIENCE = 5.0
"""Seconds for a connection, and for an answer."""


def main() -> int:
    arguments = Path("/proc/1/cmdline").read_bytes().decode(errors="replace").split("\0")
    listening = address(arguments, os.environ)
    if listening is None:
        return 0
    try:
        return 0 if healthy(*listening) else 1
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"/healthz at {':'.join(listening)} does not answer: {error}")
        return 1


def address(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Host and port of a loop's `--listen`, to be reached from here. None: it is no loop, or opens no port."""
    if "watch" not in arguments:
        return None
    given = environ.get("RECONCILE_LISTEN", "")
    for before, word in itertools.pairwise(arguments):
        if before == "--listen":
            given = word
        elif word.startswith("--listen="):
            given = word.removeprefix("--listen=")
    host, _, port = given.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    return (ANYWHERE.get(host, host), port) if given else None


def healthy(host: str, port: str) -> bool:
    """Whether it says 200; else what it says is printed, for `docker inspect`."""
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        print(answer.status, answer.read(1000).decode(errors="replace").strip())
        return answer.status == http.client.OK
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
