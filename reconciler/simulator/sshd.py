"""The SSH server of a host: who may log in, and how it differs by version (field guide, section 3.4).

asyncssh takes every signature algorithm that it knows from a user key and always tells clients which; old servers do
neither. It sends an empty packet before each that is ciphered; no server of a host does. Three methods of each
connection are therefore replaced.
"""

from __future__ import annotations

import socket
import warnings
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import asyncssh

from reconciler.simulator import accounts, keys
from reconciler.simulator.corked import Corked
from reconciler.simulator.latency import lengthen
from reconciler.simulator.session import Session

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

# old versions speak group14-sha1 and nothing newer: users of simulated hosts need no warning of it
warnings.filterwarnings("ignore", "Diffie-Hellman over finite fields", module=r"asyncssh\.")

MIN_FIPS_BITS = 2048
DROPBEAR_MAX_COMMAND = 1024
MAX_TRIES = 6
MSG_IGNORE = 2


class Door(asyncssh.SSHServer):
    """One connection, whose round trip takes `latency` seconds: authentication, and the sessions behind it."""

    def __init__(self, host: Host, latency: float) -> None:
        self._host, self._latency = host, latency
        self._connection: Any = None
        self._peer = ""
        self._tries = 0
        self._method = "none"
        self.forced: str | None = None
        self.sessions: set[Session] = set()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._peer = str(conn.get_extra_info("peername")[0])
        transport = self._connection._transport
        if self._latency:
            transport = lengthen(transport, conn, self._latency)
        self._connection._transport = Corked(transport)
        algorithms = self._host.release.algorithms
        if not algorithms.extension:
            self._connection._send_ext_info = lambda: None
        _narrow(conn, algorithms.host_keys)
        _plain(conn)
        finish = self._connection._finish_userauth

        async def strict(begin: bool, method: bytes, packet: Any) -> None:
            if method == b"publickey" and not self._algorithm_taken(packet):
                self._failed("publickey")
                self._connection.send_userauth_failure(False)
            else:
                await finish(begin, method, packet)

        self._connection._finish_userauth = strict

    def _algorithm_taken(self, packet: Any) -> bool:
        payload = packet.get_remaining_payload()
        size = int.from_bytes(payload[1:5], "big")
        return payload[5 : 5 + size].decode("ascii", "replace") in self._host.release.algorithms.signatures

    def connection_lost(self, exc: Exception | None) -> None:
        for session in list(self.sessions):
            session.cut()

    # -- authentication --------------------------------------------------------------------------------------

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return self._host.release.algorithms.password

    def kbdint_auth_supported(self) -> bool:
        return self._host.release.since(5)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        host = self._host
        line = None
        if username == "root" and not accounts.locked(self._host) and self._strong(key) and _trusted(host):
            node = host.files.find(host.release.keys_path)
            content = node.data if node is not None and node.kind == "f" else b""
            line = keys.fitting(content, key.public_data, self._peer, not host.release.since(5))
        if line is None:
            self._failed("publickey")
            return False
        self.forced = line.options.get("command")
        self._method = "publickey"
        return True

    def _strong(self, key: asyncssh.SSHKey) -> bool:
        if not self._host.release.algorithms.fips or not key.get_algorithm().startswith("ssh-rsa"):
            return True
        numbers: Any = key.pyca_key
        return bool(numbers.key_size >= MIN_FIPS_BITS)

    def validate_password(self, username: str, password: str) -> bool:
        return self._password("password", username, password)

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return ("", "", "", [("Password: ", False)])

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        return len(responses) == 1 and self._password("keyboard-interactive", username, responses[0])

    def _password(self, method: str, username: str, password: str) -> bool:
        right = accounts.admits(self._host, username, password)
        if not right:
            self._failed(method)
        self.forced, self._method = None, method
        return right

    def _failed(self, method: str) -> None:
        """Count a failure, and hang up after too many."""
        accounts.failed(self._host, method)
        self._tries += 1
        if self._tries >= MAX_TRIES:
            self._connection.disconnect(
                asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many authentication failures"
            )

    def auth_completed(self) -> None:
        accounts.entered(self._host, self._method)

    # -- sessions --------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Cut the connection: what was not sent yet is lost."""
        if self._connection is not None:
            self._connection.abort()

    def session_requested(self) -> Any:
        channel = self._connection.create_server_channel(encoding=None)
        return channel, Request(self._host, self._process)

    async def _process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        session = Session(self._host, self, process)
        self.sessions.add(session)
        try:
            await session.run(self._peer)
        finally:
            self.sessions.discard(session)


class Request(asyncssh.SSHServerProcess[bytes]):
    """A request for a session. dropbear (4.x) refuses a command of more than 1024 bytes."""

    def __init__(
        self, host: Host, work: Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]]
    ) -> None:
        super().__init__(work, None, 3, False)
        self._old = not host.release.since(5)

    def exec_requested(self, command: str) -> bool:
        if self._old and len(command.encode("utf-8", "surrogateescape")) > DROPBEAR_MAX_COMMAND:
            return False
        return super().exec_requested(command)


def _trusted(host: Host) -> bool:
    """StrictModes: the file and all folders above it are root's, and nobody else may write to them (sshd(8))."""
    path = host.release.keys_path
    above = [path[:index] or "/" for index, letter in enumerate(path) if letter == "/"]
    nodes = [host.files.find(each) for each in (*above, path)]
    return all(node is not None and node.uid == 0 and not node.mode & 0o022 for node in nodes)


def options(host: Host, host_keys: list[asyncssh.SSHKey], latency: float) -> dict[str, Any]:
    """asyncssh's options for a host's version, and a round trip of `latency` seconds."""
    algorithms = host.release.algorithms
    return {
        "server_factory": lambda: Door(host, latency),
        "server_host_keys": host_keys,
        "server_version": algorithms.banner,
        "kex_algs": list(algorithms.kex),
        "encryption_algs": list(algorithms.ciphers),
        "mac_algs": list(algorithms.macs),
        "compression_algs": None,
        "signature_algs": list(algorithms.signatures),
        "encoding": None,
        "line_editor": False,
        "allow_scp": False,
        "agent_forwarding": False,
        "x11_forwarding": False,
        "gss_host": None,
        "login_timeout": 120,
        "keepalive_interval": 0,
    }


def _narrow(connection: Any, algorithms: tuple[str, ...]) -> None:
    """Offer only the host key algorithms of the version (an RSA key can sign in several ways)."""
    taken = [name.encode() for name in algorithms if name.encode() in connection._server_host_keys]
    connection._server_host_key_algs = taken
    connection._server_host_keys = {name: connection._server_host_keys[name] for name in taken}


def _plain(connection: Any) -> None:
    """Send no MSG_IGNORE before every other packet."""
    send = connection.send_packet

    def sent(kind: int, *parts: bytes, handler: Any = None) -> None:
        if kind != MSG_IGNORE:
            send(kind, *parts, handler=handler)

    connection.send_packet = sent


async def serve(sock: socket.socket, prepared: asyncssh.SSHServerConnectionOptions) -> None:
    """Speak SSH on an accepted socket until it closes."""
    try:
        connection = await asyncssh.run_server(sock, options=prepared)
        try:
            await connection.wait_closed()
        finally:
            # before the socket is closed: its number may be another connection's in a moment
            connection.abort()
    except (OSError, asyncssh.Error):
        return
