"""One command on an SSH connection: its input goes in, its output comes out, and what is urgent goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from reconciler.faults import Fault, Refused
from reconciler.records import record
from reconciler.transports.shell import Output
from reconciler.transports.ssh_client import FOREIGN, Channel, Client
from reconciler.transports.target import Limits

READ_SIZE = 256 * 1024
PACKET = 32 * 1024
"""No server takes more at once; a longer piece would be copied again and again on its way."""
WINDOW = 8 << 20
"""What a host may send ahead, in bytes: on a link of 50 ms this still carries 160 MB/s."""
FIRST_WINDOW = 512 * 1024
LEAST_WINDOW = 128 * 1024
"""On a slow link a host sends only a second's worth ahead: what else it answers queues behind that."""
MOVING_SECONDS = 5.0
PACKETS = 64
YIELD_SECONDS = 15.0
"""Data gives way to what is urgent for so long at most."""

Data = Iterable[bytes | memoryview]


def window_for(rate: float) -> int:
    """What a host may send ahead on a link of that rate (bytes per second): a second's worth, within limits."""
    return int(min(max(rate, LEAST_WINDOW), WINDOW))


class Way:
    """Lets what is urgent pass: data in bulk asks before every packet whether the way is free."""

    def __init__(self) -> None:
        self._gate, self._urgent, self._free = threading.Lock(), 0, threading.Event()
        self._free.set()

    @contextmanager
    def cleared(self) -> Iterator[None]:
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._gate:
            self._urgent += change
            (self._free.clear if self._urgent else self._free.set)()

    def wait(self) -> None:
        """Until it is free, or so much time is over that waiting helps nobody."""
        self._free.wait(YIELD_SECONDS)


class _News(threading.Event):
    """Rung by paramiko at each packet of a channel. Where nobody takes what comes piece by piece (`patient`), whoever
    waits wakes up at the end, and now and then while there is much: waking up costs more than the packet."""

    def __init__(self, *, patient: bool) -> None:
        super().__init__()
        self.channel: Channel | None = None
        self._every, self._packets = PACKETS if patient else 1, 0

    def set(self) -> None:
        self._packets += 1
        channel = self.channel
        ended = channel is None or channel.eof_received or channel.closed
        if ended or self._packets % self._every == 0:
            super().set()

    def follow(self, channel: Channel) -> None:
        """Hear of both streams of that channel."""
        self.channel = channel
        channel.in_buffer.set_event(self)
        channel.in_stderr_buffer.set_event(self)

    def wake(self) -> None:
        """Whoever waits has to look, whatever came."""
        super().set()


@record
class Order:
    """One command: what goes to its standard input, seconds for the whole, who takes its output, and how much of
    that the host may send ahead (bytes)."""

    command: str
    data: Data
    limit: float
    sink: Callable[[bytes], None] | None = None
    window: int = WINDOW
    urgent: bool = False


class Execution:
    """One exec. Input that the host takes at once is sent at once, with the request and without waiting for what comes
    of it; what may take its time is sent in a thread of its own, and closing the connection frees it. `ready` is a
    channel that is open already. Raises as `SshSession.run` does."""

    def __init__(
        self, client: Client, order: Order, way: Way, limits: Limits, ready: Channel | None = None
    ) -> None:
        self._client, self._order, self._limits = client, order, limits
        self._end = time.monotonic() + order.limit
        self._way = None if order.urgent else way
        self._stopped: Exception | None = None
        self._news = _News(patient=order.sink is None)
        self._out, self._err, self._moved = bytearray(), bytearray(), 0.0
        self._channel = ready or self._opened()
        self._news.follow(self._channel)
        try:
            client.request(self._channel, order.command)
        except FOREIGN as error:
            raise self._broken_off(error) from error
        self._send(self._channel, order.data)

    def _opened(self) -> Channel:
        patience = min(self._left(), self._limits.silence)
        begun = time.monotonic()
        try:
            return self._client.transport.open_session(self._order.window, timeout=patience)
        except FOREIGN as error:
            if time.monotonic() - begun >= patience:
                raise self._client.lost(f"no answer within {patience:.0f} s", error) from error
            raise self._broken_off(error) from error

    def _broken_off(self, error: Exception) -> Fault:
        """Why the command could not be begun with."""
        if not self._client.alive():
            return self._client.lost("the connection was cut", error)
        return self._refused(error)

    def _refused(self, error: Exception | str) -> Refused:
        return Refused(
            f"{self._client.target.place}: the host runs no commands over SSH: {error}",
            next="Check the user's shell on the host, and what its authorized_keys allow.",
        )

    def _send(self, channel: Channel, data: Data) -> None:
        if isinstance(data, Sequence) and sum(map(len, data)) <= channel.out_window_size:
            self._feed(channel, data)
        else:
            threading.Thread(target=self._feed, args=(channel, data), daemon=True).start()

    def _feed(self, channel: Channel, data: Data) -> None:
        # who waits for the command sees that the channel is closed, or the connection
        with suppress(*FOREIGN):
            self._pour(channel, data)

    def _pour(self, channel: Channel, data: Data) -> None:
        """Send all, unless what is to be sent fails to come, or nobody takes it any more."""
        pieces = iter(data)
        while not channel.closed:
            try:
                piece = next(pieces, None)
            except Exception as stop:  # noqa: BLE001 - raised again by whoever waits for the command
                self._stopped = stop
                self._news.wake()
                return
            if piece is None:
                channel.shutdown_write()
                return
            self._moved = time.monotonic()
            self._push(channel, memoryview(piece))

    def _push(self, channel: Channel, piece: memoryview) -> None:
        while len(piece):
            if self._way is not None:
                self._way.wait()
            piece = piece[channel.send(bytes(piece[:PACKET])) :]
            self._moved = time.monotonic()

    def _left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def collect(self) -> Output:
        """Both streams to their end. Raises as `SshSession.run` does."""
        channel, heard = self._channel, time.monotonic()
        while True:
            if self._stopped is not None:
                raise self._stopped
            ended = channel.eof_received or channel.closed
            heard = max(heard, self._moved)
            if self._read(channel):
                heard = time.monotonic()
            elif ended:
                return Output(self._status(channel), bytes(self._out), bytes(self._err))
            else:
                self._wait(channel, heard)

    def _read(self, channel: Channel) -> bool:
        before = len(self._out) + len(self._err)
        if channel.recv_ready():
            piece = channel.recv(READ_SIZE)
            if self._order.sink is not None and piece:
                self._order.sink(piece)
                return True
            self._out += piece
        if channel.recv_stderr_ready():
            self._err += channel.recv_stderr(READ_SIZE)
        now = len(self._out) + len(self._err)
        if now > self._limits.output:
            message = f"{self._client.target.place}: a command prints without end ({now} bytes and more)"
            raise Refused(message, next="Look on the host what it prints; nothing more was read of it.")
        return now > before

    def _wait(self, channel: Channel, heard: float) -> None:
        silence = self._limits.silence
        silence_left = heard + silence - time.monotonic()
        if self._left() == 0.0:
            raise self._client.lost(f"no answer within {self._order.limit:.0f} s")
        if silence_left <= 0.0:
            said = "sent nothing for" if channel.event_ready else "no answer within"
            raise self._client.lost(f"{said} {silence:.0f} s")
        # what is being sent makes no news here: ask now and then whether it moves
        self._news.wait(min(self._left(), silence_left, MOVING_SECONDS))

    def _status(self, channel: Channel) -> int | None:
        """The exit status; None for a script that a signal ended."""
        if not channel.status_event.wait(self._left()):
            raise self._client.lost(f"no exit status within {self._order.limit:.0f} s")
        if channel.exit_status >= 0:
            return channel.exit_status
        if not self._client.alive():
            raise self._client.lost("the connection was cut", self._client.transport.get_exception())
        if not channel.event_ready:
            raise self._refused("it refused the request")
        return None

    def close(self) -> None:
        """Close the channel; the connection stays."""
        self._channel.close()
