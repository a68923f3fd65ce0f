"""The `git` program, with the user's own credentials, but so that nothing that a repository brings along ever runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from reconciler import secrets
from reconciler.records import record
from reconciler.render.visible import visible
from reconciler.sources.remote import PROTOCOLS, Remote

LOCAL_SECONDS = 60.0
MOST_BYTES = 256 * 1024 * 1024
_BLOCK = 512
_TURN = 0.02
_SHOWN = 500
_NOT_FOUND = 127
_CHATTER = re.compile(r"hint:|warning:|remote: *$|Please make sure you have|and the repository exists")

# a shell sets the limit: what runs between fork and exec must not be Python where there are threads
_LIMITED = 'ulimit -f "$0" 2>/dev/null; exec git "$@"'

# what would point git elsewhere, or make it talk
_DROPPED = re.compile(
    "GIT_(DIR|WORK_TREE|COMMON_DIR|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|PREFIX"
    "|SHALLOW_FILE|GRAFT_FILE|REPLACE_REF_BASE|QUARANTINE_PATH|INTERNAL_.*|CONFIG|CONFIG_PARAMETERS|TRACE.*|CURL_VERBOSE)|LANGUAGE|LC_ALL"
)

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "core.askPass": "",
    # above this, git does not hold a file in memory
    "core.bigFileThreshold": "8m",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "fetch.unpackLimit": "1",
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "100",
    "http.lowSpeedTime": "30",
    "gpg.format": "ssh",
    "gpg.ssh.program": "ssh-keygen",
    # no other kind of signature counts
    "gpg.program": "false",
    "gpg.openpgp.program": "false",
    "gpg.x509.program": "false",
}

_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$RECONCILE_GIT_USER" "$RECONCILE_GIT_PASSWORD"; '
    "}; f"
)


class GitFailed(Exception):
    """Git could not do it; the text says why, without secrets."""


class TooMuch(GitFailed):
    """It said more than anybody wants to hear."""


class Stopped(Exception):
    """The loop is to stop."""


@record
class Said:
    """What git wrote on standard output, and on standard error."""

    out: bytes
    err: str


class Git:
    """Runs git in `folder`, which holds no repository itself and may be written to. `settings` are git's own, by
    name."""

    def __init__(
        self, folder: Path, remote: Remote, settings: Mapping[str, str], stop: threading.Event
    ) -> None:
        self._folder = folder
        self._stop = stop
        self._environment = _environment(folder, remote, {**_SETTINGS, **settings})
        self._ask_nobody()

    def _ask_nobody(self) -> None:
        """Keep ssh from asking, unless the user has said how it is to be started. Raises Stopped."""
        if "GIT_SSH_COMMAND" in self._environment or "GIT_SSH" in self._environment:
            return
        try:
            self.run("config", "--get", "core.sshCommand")
        except GitFailed:
            self._environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=20"

    def run(
        self, *arguments: str, input: bytes = b"", seconds: float = LOCAL_SECONDS, limit: int = 1 << 20
    ) -> Said:
        """What it says. No prompt, no terminal; ended with all its children after `seconds`, at `stop`, or when it
        has written more than `limit` bytes.

        Raises GitFailed (TooMuch) and Stopped.
        """
        with (
            tempfile.TemporaryFile(dir=self._folder) as given,
            tempfile.TemporaryFile(dir=self._folder) as out,
            tempfile.TemporaryFile(dir=self._folder) as err,
        ):
            given.write(input)
            given.seek(0)
            # files in place of pipes: a child that outlives git, as a master of ssh does, would keep a pipe open
            process = subprocess.Popen(
                ["/bin/sh", "-c", _LIMITED, str(MOST_BYTES // _BLOCK), *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                status = self._wait(process, out, seconds, limit)
            finally:
                _end(process)
            said = _words(_content(err, 1 << 16))
            if status == _NOT_FOUND:
                raise GitFailed("the program git is not installed")
            if status != 0:
                raise GitFailed(said or f"git ended with status {status}")
            return Said(_content(out, limit), said)

    def _wait(self, process: subprocess.Popen[bytes], out: IO[bytes], seconds: float, limit: int) -> int:
        deadline = time.monotonic() + seconds
        while process.poll() is None:
            if self._stop.wait(_TURN):
                raise Stopped
            if time.monotonic() > deadline:
                raise GitFailed(f"no end within {seconds:.0f} s")
            if os.fstat(out.fileno()).st_size > limit:
                break
        if os.fstat(out.fileno()).st_size > limit:
            raise TooMuch(f"more than {limit // 1024} KiB of output")
        return process.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and all that it started, if it has not ended by itself."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _content(file: IO[bytes], limit: int) -> bytes:
    file.seek(0)
    return file.read(limit)


def _words(err: bytes) -> str:
    """What git says, on one line."""
    lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines()]
    said = [line.removeprefix("fatal: ") for line in lines if line and not _CHATTER.match(line)]
    return visible(secrets.mask("; ".join(said))[:_SHOWN])


def _environment(folder: Path, remote: Remote, settings: Mapping[str, str]) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not _DROPPED.fullmatch(name)}
    environment |= {
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        "GIT_ASKPASS": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GCM_INTERACTIVE": "never",
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }
    if remote.login is not None:
        environment["RECONCILE_GIT_USER"], environment["RECONCILE_GIT_PASSWORD"] = remote.login
        settings = {**settings, f"credential.{remote.server}.helper": _HELPER}
    return environment | _as_variables(settings, _count(environment))


def _count(environment: Mapping[str, str]) -> int:
    before = environment.get("GIT_CONFIG_COUNT", "")
    return int(before) if before.isdecimal() else 0


def _as_variables(settings: Mapping[str, str], before: int) -> dict[str, str]:
    """Settings for git, by its environment, after those that the user has there."""
    variables = {"GIT_CONFIG_COUNT": str(before + len(settings))}
    for number, (name, value) in enumerate(settings.items(), before):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
