"""Sessions with a host over SSH: connect, prove a login, run a script in the host's shell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from reconciler.faults import LoginRefused, Refused, Unreachable
from reconciler.transports import hostkeys
from reconciler.transports.keys import PrivateKey, default_identities, load_private_key, public_half
from reconciler.transports.login import Offer, log_in
from reconciler.transports.shell import Output
from reconciler.transports.ssh_client import FOREIGN, Channel, Client, agent_keys, signer
from reconciler.transports.target import DEFAULT_LIMITS, Limits, SshTarget

__all__ = ["Limits", "SshSession", "SshTarget", "connect", "prove_login", "public_half"]

READ_SIZE = 256 * 1024
SEND_SIZE = 256 * 1024
WINDOW = 8 << 20
"""What a host may send ahead, in bytes: on a link of 50 ms this still carries 160 MB/s."""
MOVING_SECONDS = 5.0


def connect(target: SshTarget, *, limits: Limits = DEFAULT_LIMITS) -> SshSession:
    """Open a session: the host's key is checked, then each credential is offered once.

    Raises Unreachable (no connection, no SSH, no answer), HostKeyRefused (nothing secret was sent) or
    LoginRefused (also for a private key file that can't be used: then nothing was sent at all).
    """
    with _offers(target) as offers:
        if not offers and target.password is None:
            message = (
                f"{target.place}: nothing to log in with: no key in ssh-agent or in ~/.ssh, and no password"
            )
            raise LoginRefused(message, next="Set access.ssh.key or access.ssh.password in the spec.")
        known = hostkeys.known_keys(target)
        client = Client(target, limits, [entry.key.type for entry in known])
        try:
            hostkeys.check(target, known, client.host_key())
            accepted = log_in(target, client, offers)
        except BaseException:
            client.close()
            raise
    return SshSession(client, limits, accepted.line if accepted else None)


def prove_login(target: SshTarget, private_key_file: str) -> None:
    """Log in afresh with exactly this key, offered once, and hang up.

    Raises as `connect` does.
    """
    connect(replace(target, key=private_key_file, password=None)).close()


@contextmanager
def _offers(target: SshTarget) -> Iterator[list[Offer]]:
    """The named key alone, else what ssh-agent has and then the user's own identities."""
    if target.key is not None:
        yield [_offer(load_private_key(target.key))]
        return
    with agent_keys() as from_agent:
        offers = {
            public: Offer(public, f"key {comment} of ssh-agent ({public.fingerprint})", key)
            for public, comment, key in from_agent
        }
        for identity in default_identities():
            offers.setdefault(identity.public, _offer(identity))
        yield list(offers.values())


def _offer(key: PrivateKey) -> Offer:
    return Offer(key.public, f"key {key.path} ({key.public.fingerprint})", signer(key))


class SshSession:
    """A logged-in connection. Several commands may run at once, from several threads."""

    def __init__(self, client: Client, limits: Limits, public_key: str | None) -> None:
        self._client, self._limits = client, limits
        self.public_key = public_key

    def run(self, script: bytes, *, limit: float, on_data: Callable[[int], None] | None = None) -> Output:
        """Run `script` in the host's `sh`, which reads it on standard input; its output and exit status.

        `limit` is in seconds for the whole; `on_data` hears how many bytes came so far, on both streams.
        Raises Unreachable (the link was cut or fell silent, the time is over; the session is closed then) or
        Refused (the host runs no commands, or the script prints without end).
        """
        return self._execute("sh", [script], limit, on_data, None)

    def send(self, command: str, data: Iterable[bytes], *, limit: float) -> Output:
        """Run one command with `data` on its standard input; its output and exit status.

        dropbear (4.x) takes no command of more than 1,000 bytes. A command that ends before all is sent gets no more.
        Raises as `run`, and what `data` raises: then the command is cut off.
        """
        return self._execute(command, data, limit, None, None)

    def receive(self, command: str, sink: Callable[[bytes], None], *, limit: float) -> Output:
        """Run one command and hand its standard output to `sink` as it comes; the output in the result is empty.

        Raises as `run`, and what `sink` raises: then the command is cut off.
        """
        return self._execute(command, (), limit, None, sink)

    def _execute(
        self,
        command: str,
        data: Iterable[bytes],
        limit: float,
        on_data: Callable[[int], None] | None,
        sink: Callable[[bytes], None] | None,
    ) -> Output:
        execution = _Execution(self._client, command, data, time.monotonic() + limit, sink)
        try:
            return execution.collect(self._limits, limit, on_data)
        except Unreachable:
            self.close()
            raise
        finally:
            execution.close()

    def close(self) -> None:
        """Hang up; never raises."""
        self._client.close()


class _Execution:
    """One exec. Whatever may block in paramiko (opening, sending) does so in a thread of its own; closing the
    connection frees it."""

    def __init__(
        self,
        client: Client,
        command: str,
        data: Iterable[bytes],
        end: float,
        sink: Callable[[bytes], None] | None,
    ) -> None:
        self._client, self._end, self._sink = client, end, sink
        self._channel: Channel | None = None
        self._failure: Exception | None = None
        self._stopped: Exception | None = None
        self._news, self._started = threading.Event(), threading.Event()
        self._out, self._err, self._moved = bytearray(), bytearray(), 0.0
        threading.Thread(target=self._feed, args=(command, data), daemon=True).start()

    def _feed(self, command: str, data: Iterable[bytes]) -> None:
        try:
            channel = self._client.transport.open_session(window_size=WINDOW, timeout=self._left())
            channel.in_buffer.set_event(self._news)
            channel.in_stderr_buffer.set_event(self._news)
            channel.exec_command(command)
            self._channel = channel
            self._started.set()
            self._pour(channel, data)
        except FOREIGN as error:
            self._failure = error
        finally:
            self._started.set()

    def _pour(self, channel: Channel, data: Iterable[bytes]) -> None:
        """Send all, unless what is to be sent fails to come, or nobody takes it any more."""
        pieces = iter(data)
        while not channel.closed:
            try:
                piece = next(pieces, None)
            except Exception as stop:  # noqa: BLE001 - raised again by whoever waits for the command
                self._stopped = stop
                self._news.set()
                return
            if piece is None:
                channel.shutdown_write()
                return
            for start in range(0, len(piece), SEND_SIZE):
                channel.sendall(piece[start : start + SEND_SIZE])
                self._moved = time.monotonic()

    def _left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def collect(self, limits: Limits, limit: float, on_data: Callable[[int], None] | None) -> Output:
        """Both streams to their end. Raises as `SshSession.run` does."""
        channel, heard = self._begun(limits, limit), time.monotonic()
        while True:
            if self._stopped is not None:
                raise self._stopped
            ended = channel.eof_received or channel.closed
            heard = max(heard, self._moved)
            if self._read(channel, limits, on_data):
                heard = time.monotonic()
            elif ended:
                return Output(self._status(channel, limit), bytes(self._out), bytes(self._err))
            else:
                self._wait(limits, limit, heard + limits.silence - time.monotonic())

    def _begun(self, limits: Limits, limit: float) -> Channel:
        begun = self._started.wait(min(self._left(), limits.silence))
        if self._channel is not None:
            return self._channel
        if not begun:
            raise self._client.lost(f"no answer within {min(limit, limits.silence):.0f} s")
        if not self._client.alive():
            raise self._client.lost("the connection was cut", self._failure)
        message = f"{self._client.target.place}: the host runs no commands over SSH: {self._failure}"
        fault = Refused(
            message, next="Check the user's shell on the host, and what its authorized_keys allow."
        )
        raise fault from self._failure

    def _read(self, channel: Channel, limits: Limits, on_data: Callable[[int], None] | None) -> bool:
        before = len(self._out) + len(self._err)
        if channel.recv_ready():
            piece = channel.recv(READ_SIZE)
            if self._sink is not None and piece:
                self._sink(piece)
                return True
            self._out += piece
        if channel.recv_stderr_ready():
            self._err += channel.recv_stderr(READ_SIZE)
        now = len(self._out) + len(self._err)
        if now > limits.output:
            message = f"{self._client.target.place}: a command prints without end ({now} bytes and more)"
            raise Refused(message, next="Look on the host what it prints; nothing more was read of it.")
        if now > before and on_data is not None:
            on_data(now)
        return now > before

    def _wait(self, limits: Limits, limit: float, silence_left: float) -> None:
        if self._left() == 0.0:
            raise self._client.lost(f"no answer within {limit:.0f} s")
        if silence_left <= 0.0:
            raise self._client.lost(f"sent nothing for {limits.silence:.0f} s")
        # what is being sent makes no news here: ask now and then whether it moves
        self._news.wait(min(self._left(), silence_left, MOVING_SECONDS))

    def _status(self, channel: Channel, limit: float) -> int | None:
        """The exit status; None for a script that a signal ended."""
        if not channel.status_event.wait(self._left()):
            raise self._client.lost(f"no exit status within {limit:.0f} s")
        if channel.exit_status >= 0:
            return channel.exit_status
        if not self._client.alive():
            raise self._client.lost("the connection was cut", self._client.transport.get_exception())
        return None

    def close(self) -> None:
        """Close the channel; the connection stays."""
        if self._channel is not None:
            self._channel.close()
