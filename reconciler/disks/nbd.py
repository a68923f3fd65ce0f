"""A disk opened by `qemu-nbd`, over a private socket: reading and writing what a guest sees.

The protocol is NBD's fixed newstyle handshake and simple replies (the NBD project's doc/proto.md).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

IO_SECONDS = 300.0
LARGEST = 4 << 20
PACKAGE = "install the Debian package qemu-utils"

_OPTION_MAGIC = b"IHAVEOPT"
_REPLY_MAGIC = 0x3E889045565A9
_GO, _INFO, _ACK, _FLUSH_FLAG = 7, 3, 1, 1 << 2
_REQUEST = struct.Struct(">IHHQQI")
_REQUEST_MAGIC, _SIMPLE_MAGIC = 0x25609513, 0x67446698
_READ, _WRITE, _DISCONNECT, _FLUSH = 0, 1, 2, 3
_FAILED = 1 << 31


class MissingTool(Exception):
    """A program that is needed is not there; the text names it and its package."""


class QemuFailed(OSError):
    """qemu-img or qemu-nbd did not do what was asked; the text is what it said."""


def tool(name: str) -> str:
    """The path of a program of qemu-utils. Raises MissingTool."""
    found = shutil.which(name)
    if found is None:
        raise MissingTool(f"{name} is not there: {PACKAGE}")
    return found


def image_options(driver: str, file: Path) -> str:
    """What makes qemu open exactly this file in exactly this form: nothing is probed."""
    return f"driver={driver},file.driver=file,file.filename={str(file).replace(',', ',,')}"


def run(arguments: Sequence[str]) -> bytes:
    """Run qemu-img. Raises MissingTool, QemuFailed."""
    done = subprocess.run(
        [tool(arguments[0]), *arguments[1:]], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise QemuFailed(said[-1] if said else f"{arguments[0]} ended with {done.returncode}")
    return done.stdout


class Export:
    """One disk, open until `close`. Not safe for several threads at once.

    qemu-nbd inherits a socket to which we are connected before it starts, and ends when that connection does: none
    outlives us, whatever kills us.
    """

    def __init__(self, driver: str, file: Path, *, writable: bool = False) -> None:
        """Raises MissingTool, QemuFailed."""
        options = ["--discard=unmap", "--detect-zeroes=unmap"] if writable else ["--read-only"]
        command = [tool("qemu-nbd"), *options, "-x", "", "--image-opts", image_options(driver, file)]
        self._handle = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(IO_SECONDS)
        with (
            tempfile.TemporaryDirectory(prefix="reconciler-nbd-") as folder,
            socket.socket(socket.AF_UNIX) as door,
        ):
            door.bind(f"{folder}/s")
            door.listen(1)
            self._socket.connect(f"{folder}/s")
            self._said_in = tempfile.TemporaryFile(prefix="reconciler-nbd-")  # noqa: SIM115 - closed with us
            self._pid = _spawn(command, door.fileno(), self._said_in.fileno())
        try:
            self.size = self._handshake()
        except QemuFailed:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise QemuFailed(f"qemu-nbd hung up: {error}") from error

    def _said(self) -> str:
        self._reap()
        self._said_in.seek(0)
        said = self._said_in.read().decode("utf-8", "replace").strip().splitlines()
        return said[-1].removeprefix("qemu-nbd: ") if said else "qemu-nbd ended without a word"

    def _reap(self) -> None:
        pid, self._pid = self._pid, 0
        if pid:
            os.waitpid(pid, 0)

    def _handshake(self) -> int:
        greeting = self._receive(18)
        if greeting[:16] != b"NBDMAGIC" + _OPTION_MAGIC:
            raise QemuFailed("qemu-nbd spoke another protocol")
        self._socket.sendall(struct.pack(">I", 3))
        self._socket.sendall(_OPTION_MAGIC + struct.pack(">IIIH", _GO, 6, 0, 0))
        size = -1
        while True:
            magic, _, kind, length = struct.unpack(">QIII", self._receive(20))
            content = self._receive(length)
            if magic != _REPLY_MAGIC or kind & _FAILED:
                raise QemuFailed(f"qemu-nbd refused: {content.decode('utf-8', 'replace')}")
            if kind == _INFO and content[:2] == b"\0\0":
                size = struct.unpack(">Q", content[2:10])[0]
            if kind == _ACK:
                return size

    def _receive(self, length: int) -> bytes:
        room = bytearray(length)
        self._receive_into(memoryview(room))
        return bytes(room)

    def _receive_into(self, room: memoryview) -> None:
        while len(room):
            size = self._socket.recv_into(room)
            if not size:
                raise QemuFailed(self._said())
            room = room[size:]

    def _ask(self, kind: int, offset: int, length: int, data: bytes = b"") -> None:
        self._handle += 1
        self._socket.sendall(_REQUEST.pack(_REQUEST_MAGIC, 0, kind, self._handle, offset, length) + data)
        magic, problem, handle = struct.unpack(">IIQ", self._receive(16))
        if magic != _SIMPLE_MAGIC or handle != self._handle:
            raise QemuFailed("qemu-nbd lost the thread")
        if problem:
            raise OSError(problem, os.strerror(problem))

    def read(self, offset: int, length: int) -> bytes:
        """What a guest would read. Raises OSError, QemuFailed."""
        room = bytearray(length)
        self.read_into(offset, memoryview(room))
        return bytes(room)

    def read_into(self, offset: int, room: memoryview) -> None:
        """Fill `room` with what a guest would read from `offset` on. Raises OSError, QemuFailed."""
        for at in range(0, len(room), LARGEST):
            piece = room[at : at + LARGEST]
            self._ask(_READ, offset + at, len(piece))
            self._receive_into(piece)

    def write(self, offset: int, data: bytes) -> None:
        """Write. Raises OSError (a full disk), QemuFailed."""
        for at in range(0, len(data), LARGEST):
            piece = data[at : at + LARGEST]
            self._ask(_WRITE, offset + at, len(piece), piece)

    def flush(self) -> None:
        """All that was written is on the disk. Raises OSError."""
        self._ask(_FLUSH, 0, 0)

    def close(self) -> None:
        """Close the disk; never raises."""
        self._socket.close()
        if self._pid:
            os.kill(self._pid, signal.SIGTERM)
        self._reap()
        self._said_in.close()


def _spawn(command: Sequence[str], door: int, said: int) -> int:
    """Start qemu-nbd with the listening socket as its file 3, as systemd would; its process number."""
    activate = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, said, 2),
        (os.POSIX_SPAWN_DUP2, door, 3),
    ]
    return os.posix_spawn("/bin/sh", ["sh", "-c", activate, "sh", *command], os.environ, file_actions=actions)
