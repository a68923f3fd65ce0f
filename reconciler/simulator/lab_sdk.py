"""What a lab has beside SSH with `--sdk`: access for the specs, and two hosts on which the ways differ."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.handle import HostHandle
from reconciler.simulator.versions import RELEASES

FREE_LICENCE, SSH_OFF = 5, 3
"""Of eight hosts one has the free licence, and one has its SSH switched off and no key of root's."""
TURNS = 8
SECRET = "root.password"
ACCESS = """\
    sdk:
      port: {port}
      password: {{file: ../keys/{secret}}}
      thumbprint: "{thumbprint}"
      legacyAlgorithms: {legacy}
"""


def is_free(index: int) -> bool:
    """Whether the host at `index` has the free licence."""
    return index % TURNS == FREE_LICENCE


def is_off(index: int, version: str) -> bool:
    """Whether SSH is off there. Before 5.1 nothing but SSH can write root's keys."""
    return index % TURNS == SSH_OFF and RELEASES[version].since(5, 1)


def switch_off(host: HostHandle) -> str:
    """Switch SSH off and forget root's keys; returns what is wrong, in words."""
    host.files.write(host.keys_path, b"")
    host.set_ssh(running=False, policy=False)
    return "SSH is off, and root has no key"


def access(host: HostHandle) -> str:
    """The lines of a spec below `access`."""
    legacy = "false" if RELEASES[host.version].since(6) else "true"
    return ACCESS.format(port=host.sdk_port, secret=SECRET, thumbprint=host.thumbprint, legacy=legacy)


def write_secret(folder: Path, password: str) -> None:
    """root's password, for the specs. Raises SimulatorError."""
    path = folder / SECRET
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{password}\n")
    except OSError as problem:
        raise SimulatorError(
            f"can't write {path}: {problem.strerror} (name another folder with --out)"
        ) from problem
