"""The control line of a running lab: a socket in its folder, over which other processes give hosts faults and reboots.

A Unix socket `control.sock`, for its owner only; where the folder's path is too long for one (about 100 bytes), a port
on 127.0.0.1 and a token, both in `control.json` for the owner's eyes only. One JSON object a line, there and back.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.simulator.errors import SimulatorError

SOCKET, TICKET = "control.sock", "control.json"
MAX_SOCKET_PATH = 100
TIMEOUT = 120.0
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class _Handler(socketserver.StreamRequestHandler):
    timeout = TIMEOUT

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            line = self.rfile.readline(1 << 16)
            self.wfile.write(json.dumps(self._answered(line)).encode() + b"\n")

    def _answered(self, line: bytes) -> dict[str, Any]:
        server: Any = self.server
        try:
            request = json.loads(line)
            if not hmac.compare_digest(str(request.pop("token", "")), server.token):
                return {"error": "the token is not the lab's"}
            result: dict[str, Any] = server.answer(request)
            return result
        except (ValueError, TypeError, AttributeError):
            return {"error": "the request is no JSON object"}
        except SimulatorError as problem:
            return {"error": str(problem)}


class ControlServer:
    """Answers requests in a thread of its own until `close`."""

    def __init__(self, out: Path, answer: Answer) -> None:
        self._out = out
        _refuse_second(out)
        path = out / SOCKET
        if len(os.fsencode(path)) < MAX_SOCKET_PATH:
            path.unlink(missing_ok=True)
            self._server: socketserver.BaseServer = _unix_server(path)
            token = ""
        else:
            self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
            token = secrets.token_hex(16)
            _write_private(out / TICKET, json.dumps({"port": self._server.server_address[1], "token": token}))
        server: Any = self._server
        server.token, server.answer, server.daemon_threads = token, answer, True
        threading.Thread(target=self._server.serve_forever, name="lab control", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for name in (SOCKET, TICKET):
            (self._out / name).unlink(missing_ok=True)


def _unix_server(path: Path) -> socketserver.BaseServer:
    before = os.umask(0o177)
    try:
        return socketserver.ThreadingUnixStreamServer(str(path), _Handler)
    finally:
        os.umask(before)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _refuse_second(out: Path) -> None:
    try:
        _connect(out)[0].close()
    except SimulatorError:
        return
    raise SimulatorError(f"simulated hosts run in {out} already (stop them, or name another folder)")


def _connect(out: Path) -> tuple[socket.socket, str]:
    path, ticket = out / SOCKET, out / TICKET
    try:
        if path.exists():
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(TIMEOUT)
            line.connect(str(path))
            return line, ""
        known = json.loads(ticket.read_text())
        return socket.create_connection(("127.0.0.1", int(known["port"])), timeout=TIMEOUT), str(
            known["token"]
        )
    except (OSError, ValueError, KeyError) as problem:
        raise SimulatorError(
            f"no simulated hosts run in {out} (start them with `reconcile simulate --out {out}`)"
        ) from problem


def ask(out: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request to the lab in `out`; raises SimulatorError with what it answers, or when none runs there."""
    line, token = _connect(out)
    try:
        with line, line.makefile("rwb") as file:
            file.write(json.dumps({**request, "token": token}).encode() + b"\n")
            file.flush()
            answer: dict[str, Any] = json.loads(file.readline() or b"{}")
    except (OSError, ValueError) as problem:
        raise SimulatorError(f"the simulated hosts in {out} did not answer ({problem})") from problem
    if answer.get("error"):
        raise SimulatorError(str(answer["error"]))
    return answer
