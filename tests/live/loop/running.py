"""Simulated hosts, a folder of specs for them, and the real `reconcile watch` over both, seen through its page."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reconciler.simulator import Farm, HostHandle, HostModel, PortGroup
from tests.faults.program import Ended, Program, reconcile
from tests.live.passes.world import LEGACY, Keys, _shared_keys, standard_storage

PATIENCE_SECONDS = 60.0
FAST = ("--interval", "1s", "--max-backoff", "2s", "--grace", "10s")
VLAN = 10


@dataclass
class Lab:
    """Hosts that lack one port group, and the specs that want it, one file a host."""

    farm: Farm
    folder: Path
    keys: Keys
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def where(self) -> Path:
        """The folder of the specs."""
        return self.folder / "specs"

    def host(self, name: str = "h1") -> HostHandle:
        return self.farm.host(name)

    def wish(self, name: str, **spec: Any) -> None:
        """Save what is wished of a host, as editors do: written beside it and renamed."""
        self.specs[name] = spec
        self.save(f"{name}.yaml", yaml.safe_dump(self.document(name, spec), sort_keys=False))

    def save(self, file: str, text: str) -> None:
        self.where.mkdir(exist_ok=True)
        fresh = self.where / f".{file}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.rename(self.where / file)

    def document(self, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        host = self.host(name)
        ssh = {
            "port": host.port,
            "key": str(self.keys.private("root")),
            "hostKey": host.host_keys[0],
            "legacyAlgorithms": host.version in LEGACY,
        }
        given = dict(spec.get("access", {}))
        access = {**given, "ssh": {**ssh, **given.get("ssh", {})}}
        whole = {**spec, "address": host.address, "access": access}
        return {"apiVersion": "reconciler/v1", "kind": "Host", "metadata": {"name": name}, "spec": whole}

    def vlan(self, name: str = "h1", group: str = "Lab") -> int | None:
        """The VLAN of a host's port group; None: it has no such group."""
        return next((it.vlan for it in self.host(name).port_groups if it.name == group), None)

    def changes(self, name: str = "h1") -> list[tuple[str, ...]]:
        """The changing commands that a host has run; a look's own folder in /tmp is no change."""
        return [
            it.argv
            for it in self.host(name).executed
            if it.changing and "/tmp/.reconciler-look" not in " ".join(it.argv)
        ]


def group(vlan: int = VLAN, **more: Any) -> dict[str, Any]:
    """A wish for the port group `Lab`."""
    return {"portGroups": {"Lab": {"vswitch": "vSwitch0", "vlan": vlan}}, **more}


@contextmanager
def lab(folder: Path, versions: Sequence[str] = ("6.7",), **model: Any) -> Iterator[Lab]:
    """Hosts `h1`, `h2`, … of these versions, without specs."""
    keys = Keys(_shared_keys())
    model.setdefault("authorized_keys", keys.public("root").encode() + b"\n")
    models = [HostModel(f"h{number}", version, **model) for number, version in enumerate(versions, 1)]
    with Farm.start(models, storage=standard_storage()) as farm:
        yield Lab(farm, folder, keys)


class Loop:
    """`reconcile watch` as a process of its own. Its port is chosen by the system."""

    def __init__(
        self,
        there: Lab,
        *arguments: str,
        specs: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        given = specs or ("-f", str(there.where))
        words = ["watch", *given, *FAST, "--listen", "127.0.0.1:0", *arguments]
        given_state = {"RECONCILE_STATE_DIR": str(there.folder / "state")}
        self.program = Program(there.folder, words, {**given_state, **(environment or {})})
        self.port = 0

    def start(self) -> Loop:
        """Raises AssertionError when it ends before it listens."""
        self.program.start()
        self.program.until("listening on http://")
        self.port = int(self.program.heard.decode().rpartition("http://")[2].split("/")[0].rpartition(":")[2])
        self._drain()
        return self

    def _drain(self) -> None:
        """Read on what it says, so that it never waits for a reader."""
        import threading

        stream = self.program.process.stderr if self.program.process is not None else None

        def read() -> None:
            for line in stream or ():
                self.program.heard += line

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        assert self.program.process is not None
        return self.program.process.pid

    @property
    def said(self) -> str:
        return self.program.heard.decode("utf-8", "replace")

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def report(self) -> dict[str, dict[str, Any]]:
        """The hosts of the report, by name."""
        status, body = self.get("/api/v1/report")
        assert status == 200, body
        return {host["name"]: host for host in json.loads(body)["hosts"]}

    def statuses(self) -> dict[str, str]:
        return {name: host["status"] for name, host in self.report().items()}

    def metric(self, line: str) -> float | None:
        """The value of a series, written as in `/metrics`; None: there is none."""
        for text in self.get("/metrics")[1].splitlines():
            name, _, value = text.rpartition(" ")
            if name == line:
                return float(value)
        return None

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        limit = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert self.program.process is not None
            assert self.program.process.poll() is None, f"it ended: {self.said}"
            assert time.monotonic() < limit, f"never came true: {what}; it said: {self.said}"
            time.sleep(0.05)

    def until_settled(self, *names: str) -> None:
        """Wait until these hosts (none named: all) are as wished."""

        def settled() -> bool:
            now = self.statuses()
            return bool(now) and all(now.get(it) in ("in-sync", "converged") for it in names or now)

        self.until(settled, "all in sync")

    def kill(self) -> None:
        """SIGKILL, to it and its children."""
        self.program.kill()
        self.wait()

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def hang_up(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    def wait(self) -> int:
        assert self.program.process is not None
        status = self.program.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        assert self.program.process.stderr is not None
        self.program.process.stderr.close()
        return status

    def stop(self) -> Ended:
        """SIGTERM; how it ended."""
        began = time.monotonic()
        self.terminate()
        status = self.wait()
        return Ended(status, b"", bytes(self.program.heard), time.monotonic() - began)


@contextmanager
def watching(there: Lab, *arguments: str, start: bool = True, **more: Any) -> Iterator[Loop]:
    """The loop, until the `with` ends; without `start` whoever asks starts it."""
    loop = Loop(there, *arguments, **more)
    try:
        if start:
            loop.start()
        yield loop
    finally:
        if loop.program.process is not None and loop.program.process.poll() is None:
            loop.kill()


def history(there: Lab, *arguments: str) -> list[dict[str, Any]]:
    """The entries that `reconcile history` shows."""
    state = there.folder / "state"
    ended = reconcile(there.folder, "history", "--state-dir", str(state), "-o", "json", *arguments)
    assert ended.status == 0, ended.said
    entries: list[dict[str, Any]] = json.loads(ended.out)["entries"]
    return entries


__all__ = ["Lab", "Loop", "PortGroup", "group", "history", "lab", "watching"]
