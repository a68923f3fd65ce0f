"""The very reads of a dry run, for other clients: `python -m bench.lab.reads SPECS STATE_DIR OUT`.

Passes once over all hosts and writes for each, below OUT, NAME.sh (all that was sent to its shell, one text after the
other) and NAME.known (its host key, as known_hosts); and hosts.txt, with NAME ADDRESS PORT in lines.
"""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.lab import AT_A_TIME
from reconciler import fleet
from reconciler.desired.load import load
from reconciler.transports.shell import Output
from reconciler.transports.ssh import SshSession, SshTarget, connect


def main(specs: Path, state_dir: Path, out: Path) -> int:
    hosts = load([specs]).hosts
    sent: dict[str, list[bytes]] = defaultdict(list)

    def listened(target: SshTarget, **more: Any) -> SshSession:
        session = connect(target, **more)
        run = session.run

        def run_and_keep(script: bytes, **more: Any) -> Output:
            sent[target.host].append(script)
            return run(script, **more)

        session.run = run_and_keep  # type: ignore[method-assign]
        return session

    options = fleet.Options(True, None, (), AT_A_TIME, state_dir)
    with patch("reconciler.contact.ssh.connect", listened):
        fleet.run(hosts, options, lambda event: None, threading.Event())
    out.mkdir()
    lines = []
    for host in hosts:
        port = host.access.ssh.port
        (out / f"{host.name}.sh").write_bytes(b"".join(sent[host.name]))
        (out / f"{host.name}.known").write_text(f"[{host.address}]:{port} {host.access.ssh.host_key}\n")
        lines.append(f"{host.name} {host.address} {port}\n")
    (out / "hosts.txt").write_text("".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
