"""The TCP port of a host: opened and closed with its SSH service, and the faults that strike before SSH begins."""

from __future__ import annotations

import asyncio
import errno
import socket

import asyncssh

from reconciler.simulator.arrivals import Arrivals
from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.host import Host
from reconciler.simulator.sshd import options, serve

FIRST_PORT, LAST_PORT = 2222, 2999
FIRST_BLOCK, LAST_BLOCK, RESERVED_PORT = 77, 250, 2221
GARBAGE = b"HTTP/1.1 400 Bad Request\r\n\r\n\x00\x01\x02garbage\r\n"


class Listener:
    """The SSH port of one host; `latency`: seconds that a round trip to it takes."""

    def __init__(self, host: Host, keys: list[asyncssh.SSHKey], address: str, latency: float = 0.0) -> None:
        self._host, self._keys, self.address, self._latency = host, keys, address, latency
        self.port = 0
        self._arrivals = Arrivals(self._serve)
        self._prepared: asyncssh.SSHServerConnectionOptions | None = None

    @property
    def host_keys(self) -> list[str]:
        """`type base64` lines of the public host keys."""
        return [" ".join(key.export_public_key().decode().split()[:2]) for key in self._keys]

    async def open(self) -> None:
        """Find a free port and listen; follow the host's service from now on."""
        settings = options(self._host, self._keys, self._latency)
        self._prepared = asyncssh.SSHServerConnectionOptions(**settings)
        if not self._host.ssh_running:
            self._bind().close()
        else:
            self._listen()
        self._host.on_ssh = self._follow
        self._host.on_power = self._power

    def _bind(self) -> socket.socket:
        ports = [self.port] if self.port else range(FIRST_PORT, LAST_PORT)
        for port in ports:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((self.address, port))
                sock.listen(128)
            except OSError as problem:
                sock.close()
                if problem.errno != errno.EADDRINUSE:
                    raise SimulatorError(
                        f"can't listen on {self.address}:{port}: {problem.strerror}"
                    ) from problem
                continue
            self.port = port
            return sock
        raise SimulatorError(f"no free port on {self.address} from {ports[0]} on (stop what listens there)")

    def _listen(self) -> None:
        if not self._arrivals.open:
            self._arrivals.listen(self._bind())

    def _follow(self, running: bool) -> None:
        """The service was started or stopped, or a fault came or went."""
        faults = self._host.faults
        if faults.get("cut-now") is not None:
            faults.drop("cut-now")
            self._arrivals.cut()
        if running and self._host.up and faults.get("refuse") is None:
            self._listen()
        else:
            self._arrivals.close()

    def _power(self, up: bool) -> None:
        if up:
            self._follow(self._host.ssh_running)
        else:
            self.shut()

    def shut(self) -> None:
        """Close everything."""
        self._arrivals.close()
        self._arrivals.cut()

    async def _serve(self, sock: socket.socket) -> None:
        faults = self._host.faults
        try:
            # TCP's handshake, which the kernel has done at once
            await asyncio.sleep(self._latency)
            if faults.get("hang") is not None:
                await asyncio.sleep(3600)
            elif faults.get("garbage") is not None:
                await asyncio.get_running_loop().sock_sendall(sock, GARBAGE)
            elif self._prepared is not None:
                await serve(sock, self._prepared)
                # its last words are under way
                await asyncio.sleep(self._latency)
        except OSError:
            return
        finally:
            sock.close()


class Addresses:
    """A block of loopback addresses, 127.N.0.0/16, that no other farm of this machine uses while this one runs.

    Where there is 127.0.0.1 alone (macOS), all hosts share it and differ by port.
    """

    def __init__(self) -> None:
        self._reserved: socket.socket | None = None
        self._block = 0
        if not _can_bind("127.77.0.2"):
            return
        for block in range(FIRST_BLOCK, LAST_BLOCK):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                sock.bind((f"127.{block}.255.254", RESERVED_PORT))
                sock.listen(1)
            except OSError:
                sock.close()
                continue
            self._reserved, self._block = sock, block
            return
        raise SimulatorError(f"{LAST_BLOCK - FIRST_BLOCK} farms of simulated hosts run already (stop some)")

    def of(self, index: int) -> str:
        """The address of the host at `index` of its farm."""
        return f"127.{self._block}.{index // 250 % 250}.{index % 250 + 1}" if self._reserved else "127.0.0.1"

    def release(self) -> None:
        if self._reserved is not None:
            self._reserved.close()


def _can_bind(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
