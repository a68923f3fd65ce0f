"""Real SSH servers on the loopback, and servers that are none, each in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

OLD: dict[str, Any] = {
    "kex_algs": ["diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1"],
    "encryption_algs": ["aes128-cbc", "3des-cbc"],
    "mac_algs": ["hmac-sha1", "hmac-md5"],
    "signature_algs": ["ssh-rsa"],
    "server_version": "dropbear_0.52",
}


def line(key: asyncssh.SSHKey) -> str:
    """`TYPE BASE64` of a key."""
    return " ".join(key.export_public_key().decode().split()[:2])


@dataclass(frozen=True)
class Keys:
    """Keys of a user (with files) and of hosts, made once for all tests."""

    folder: Path
    user: asyncssh.SSHKey
    host_rsa: asyncssh.SSHKey
    host_ecdsa: asyncssh.SSHKey

    @property
    def file(self) -> str:
        return str(self.folder / "user")

    def other(self, kind: str = "ecdsa-sha2-nistp256", name: str = "other") -> tuple[str, str]:
        """Another key: its file and its line."""
        key = asyncssh.generate_private_key(kind)
        path = self.folder / f"{name}-{kind}"
        key.write_private_key(path, "openssh")
        return str(path), line(key)


@dataclass
class Host:
    """What a server lets in, what it does with a script, and what it saw."""

    user_keys: Sequence[str] = ()
    password: str | None = None
    methods: tuple[str, ...] = ("publickey",)
    questions: Sequence[tuple[str, bool]] = (("Password: ", False),)
    answer: Callable[[Any], Any] | None = None
    runs_commands: bool = True
    lists_signatures: bool = True
    answers_logins: bool = True
    port: int = 0
    keys_tried: list[str] = field(default_factory=list)
    passwords_tried: list[str] = field(default_factory=list)
    connections: int = 0
    scripts: list[bytes] = field(default_factory=list)
    open: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    submit: Callable[[Any], Future[Any]] | None = None

    def hang_up(self, code: int, text: str) -> None:
        """Say goodbye on every connection."""

        async def goodbye() -> None:
            for connection in self.open:
                connection.disconnect(code, text)

        assert self.submit is not None
        self.submit(goodbye()).result(10)


class _Server(asyncssh.SSHServer):
    def __init__(self, host: Host) -> None:
        self._host = host

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._host.connections += 1
        self._host.open.append(conn)
        if not self._host.lists_signatures:
            conn._send_ext_info = lambda: None  # type: ignore[method-assign]

    async def begin_auth(self, username: str) -> bool:
        if not self._host.answers_logins:
            await asyncio.Event().wait()
        return True

    def public_key_auth_supported(self) -> bool:
        return "publickey" in self._host.methods

    def password_auth_supported(self) -> bool:
        return "password" in self._host.methods

    def kbdint_auth_supported(self) -> bool:
        return "keyboard-interactive" in self._host.methods

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        line = " ".join(key.export_public_key().decode().split()[:2])
        self._host.keys_tried.append(line)
        return line in self._host.user_keys

    def validate_password(self, username: str, password: str) -> bool:
        self._host.passwords_tried.append(password)
        return password == self._host.password

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "", "", "", list(self._host.questions)

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        self._host.passwords_tried.extend(responses)
        return list(responses) == [self._host.password]


@contextmanager
def serving(host: Host, host_keys: Sequence[Any], **options: Any) -> Iterator[Host]:
    """Run an SSH server for `host`; its `port` is set."""

    async def process(channel: asyncssh.SSHServerProcess[bytes]) -> None:
        script = await channel.stdin.read()
        host.scripts.append(script)
        if host.answer is not None:
            await host.answer(channel)
            return
        shell = await asyncio.create_subprocess_exec(
            "sh",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await shell.communicate(script)
        channel.stdout.write(out)
        channel.stderr.write(err)
        channel.exit(shell.returncode or 0)

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: _Server(host),
            "127.0.0.1",
            0,
            server_host_keys=list(host_keys),
            process_factory=process if host.runs_commands else None,
            encoding=None,
            **options,
        )

    with _loop() as submit:
        host.submit = submit
        acceptor = submit(start()).result(10)
        host.port = acceptor.get_port()
        try:
            yield host
        finally:
            submit(_stop(acceptor, host)).result(10)


async def _stop(acceptor: asyncssh.SSHAcceptor, host: Host) -> None:
    acceptor.close()
    for connection in host.open:
        connection.abort()


@contextmanager
def _loop() -> Iterator[Callable[[Any], Future[Any]]]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def proxy(port: int, amount: int, *, stall: bool) -> Iterator[int]:
    """Passes on the first `amount` bytes of the server at `port`, then hangs up, or says nothing more."""

    def talk(connection: socket.socket, stop: threading.Event) -> None:
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            threading.Thread(target=_pass_on, args=(connection, upstream), daemon=True).start()
            left = amount
            while left and (data := upstream.recv(left)):
                connection.sendall(data)
                left -= len(data)
            if stall:
                stop.wait()
            connection.shutdown(socket.SHUT_RDWR)

    with raw(talk) as own_port:
        yield own_port


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        return


@contextmanager
def raw(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A TCP server that does `talk(connection, stop)` with each connection; yields its port."""
    listener, stop = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    talk(connection, stop)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
