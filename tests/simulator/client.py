"""paramiko and OpenSSH, set up for one simulated host."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest

from reconciler.simulator import RELEASES, HostHandle

LEGACY = [
    "-oKexAlgorithms=+diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
    "-oHostKeyAlgorithms=+ssh-rsa",
    "-oPubkeyAcceptedAlgorithms=+ssh-rsa",
    "-oCiphers=+aes128-cbc,3des-cbc",
]


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


@contextmanager
def connected(
    host: HostHandle, key: Path | None = None, password: str | None = None, sha1: bool | None = None
) -> Iterator[paramiko.SSHClient]:
    """A paramiko client; `sha1`: sign with ssh-rsa as hosts before 6.5 want it (None: by the host's version)."""
    old = RELEASES[host.version].version < (6, 5) if sha1 is None else sha1
    disabled = {"pubkeys": ["rsa-sha2-256", "rsa-sha2-512"]} if old else None
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(
            host.address,
            host.port,
            "root",
            pkey=paramiko.RSAKey.from_private_key_file(str(key)) if key else None,
            password=password,
            look_for_keys=False,
            allow_agent=False,
            disabled_algorithms=disabled,
            timeout=10,
        )
        yield client


@contextmanager
def transport(host: HostHandle) -> Iterator[paramiko.Transport]:
    """A connection on which nobody has logged in yet."""
    opened = paramiko.Transport((host.address, host.port))
    try:
        opened.start_client(timeout=10)
        yield opened
    finally:
        opened.close()


def run(client: paramiko.SSHClient, command: str, script: bytes = b"") -> Done:
    stdin, stdout, stderr = client.exec_command(command, timeout=30)
    stdin.write(script)
    stdin.channel.shutdown_write()
    out, err = stdout.read().decode(), stderr.read().decode()
    return Done(stdout.channel.recv_exit_status(), out, err)


def tool(name: str, package: str = "openssh-client") -> str:
    """Where a program lies; the test fails when it is missing."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(
            f"{name} is missing: it is tried against simulated hosts (install the package `{package}`)"
        )
    return path


def openssh(host: HostHandle, key: Path, command: str, *options: str) -> Done:
    done = subprocess.run(
        [
            tool("ssh"), "-F", "none", "-oBatchMode=yes",
            "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null",
            "-oIdentitiesOnly=yes", "-oIdentityAgent=none", "-i", str(key), *options, "-p", str(host.port),
            f"root@{host.address}", command,
        ],
        capture_output=True,
        text=True,
        timeout=30,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)
