"""Small TLS servers on the loopback that answer what a test tells them, and write down what they were sent."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reconciler.transports.sdk.target import ApiType, SdkTarget

PASSWORD = "Pa55-of-root"
PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, in one file; and the certificate alone."""

    file: Path
    pem: bytes
    der: bytes

    @property
    def thumbprint(self) -> str:
        return "SHA256:" + hashlib.sha256(self.der).digest().hex(":").upper()


def identity(folder: Path, name: str, address: str = "127.0.0.1") -> Identity:
    """A certificate that has signed itself, for `address`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    pem = made.public_bytes(PEM)
    file = folder / f"{name}.pem"
    file.write_bytes(key.private_bytes(PEM, form, serialization.NoEncryption()) + pem)
    return Identity(file, pem, made.public_bytes(serialization.Encoding.DER))


@dataclass
class Server:
    """What came in, after TLS, and how many connections there were."""

    port: int = 0
    heard: bytearray = field(default_factory=bytearray)
    connections: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    context: ssl.SSLContext | None = None

    def becomes(self, other: Identity) -> None:
        """Show another certificate from now on."""
        assert self.context is not None
        self.context.load_cert_chain(other.file)

    def target(self, **more: Any) -> SdkTarget:
        """Whom to connect to."""
        api: ApiType = more.pop("api", "HostAgent")
        return SdkTarget("esx", "127.0.0.1", lambda: PASSWORD, "{env: X}", self.port, api=api, **more)

    def request(self, connection: ssl.SSLSocket) -> bytes:
        """One request with its body; nothing when the client hangs up."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return b""
            self.heard += piece
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            while name == b"content-length" and len(body) < int(value):
                piece = connection.recv(65536)
                self.heard += piece
                body += piece
        return head + b"\r\n\r\n" + body


Talk = Callable[[Server, Any], None]


@contextmanager
def serving(mine: Identity | None, talk: Talk, *, old: bool = False) -> Iterator[Server]:
    """A server; without an identity it speaks no TLS. `talk` is called for each connection; `old`: TLS 1.0 alone."""
    there = Server()
    there.context = context = _context(mine, old=old) if mine is not None else None
    listener = socket.create_server(("127.0.0.1", 0))
    there.port = listener.getsockname()[1]

    def serve(plain: socket.socket) -> None:
        with suppress(OSError), plain:
            if context is None:
                talk(there, plain)
                return
            with context.wrap_socket(plain, server_side=True) as tls:
                talk(there, tls)

    def accept() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                there.connections += 1
                workers.append(threading.Thread(target=serve, args=(plain,), daemon=True))
                workers[-1].start()

    workers = [threading.Thread(target=accept, daemon=True)]
    workers[0].start()
    try:
        yield there
    finally:
        there.stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for worker in workers:
            worker.join(10)


def _context(mine: Identity, *, old: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(mine.file)
    if old:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def answer(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    """An answer to a request."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""])
    return head.encode() + body
