"""HTTPS with a host: connections that say nothing before the certificate was checked, and files beside the API."""

from __future__ import annotations

import base64
import http.client
import select
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any
from xml.parsers import expat

from reconciler.faults import Fault, Refused, Silent, Unreachable
from reconciler.records import record
from reconciler.transports.dial import dial
from reconciler.transports.sdk.certificate import unverified
from reconciler.transports.sdk.line import Line
from reconciler.transports.sdk.target import SdkTarget

TRY_LATER = (
    "Check that this is the address of an ESXi host, that its management agent runs, and the network between."
)
MOST_ANSWER = 64 << 20
"""Bytes of the longest answer that is taken; the inventory of a large vCenter is a tenth of it."""
AWAY = frozenset({502, 503, 504})
"""What the proxy in front of the management agent says while the agent is down or coming up."""
OLD_TLS = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "VERSION_TOO_LOW",
        "DH_KEY_TOO_SMALL",
        "EE_KEY_TOO_SMALL",
        "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "NO_SHARED_CIPHER",
        "NO_PROTOCOLS_AVAILABLE",
        "BAD_ECPOINT",
        "LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED",
        "WRONG_SIGNATURE_TYPE",
    }
)
"""How OpenSSL says that the two have no protocol in common, or only one that it finds too weak."""


class Garbled(Unreachable):
    """Something was answered that is none of the protocol, or of another dialect of it."""


@record
class HttpAnswer:
    """An answer to a request: the status code, its reason, the body, and the headers in lower case."""

    status: int
    reason: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection(http.client.HTTPSConnection):
    """A connection whose TLS handshake ends with the check of the certificate."""

    def __init__(self, line: Line) -> None:
        target = line.target
        super().__init__(target.address, target.port, context=line.trust.context)
        self.target, self._line, self._answered = target, line, False

    def connect(self) -> None:
        """Raises faults.Unreachable, faults.CertificateRefused."""
        trust = self._line.trust
        try:
            tls = self._handshake(trust.context)
        except ssl.SSLCertVerificationError as error:
            raise trust.refused_by_authority(error, self._shown()) from error
        except (OSError, ValueError) as error:
            raise self._no_tls(error) from error
        self.sock, self._answered = tls, False
        try:
            trust.check(tls.getpeercert(binary_form=True) or b"")
        except BaseException:
            self.close()
            raise

    def _handshake(self, context: ssl.SSLContext) -> _Paced:
        """TCP and TLS. An end without TLS's own goodbye is an error then: an answer may have been cut off there."""
        limits = self._line.limits
        plain = dial(self.target, self._line.seconds(limits.connect), TRY_LATER)
        try:
            plain.settimeout(self._line.seconds(limits.banner))
            context.sslsocket_class = _Paced
            tls = context.wrap_socket(plain, server_hostname=self.target.address, suppress_ragged_eofs=False)
        except BaseException:
            plain.close()
            raise
        assert isinstance(tls, _Paced)
        tls.line = self._line
        return tls

    def _shown(self) -> bytes | None:
        """The certificate that was refused: OpenSSL keeps it to itself, so it is looked at once more."""
        with suppress(OSError, ValueError, Fault):
            tls = self._handshake(unverified(legacy=self.target.legacy_algorithms))
            try:
                return tls.getpeercert(binary_form=True)
            finally:
                tls.close()
        return None

    def _no_tls(self, error: OSError | ValueError) -> Fault:
        target, reason = self.target, getattr(error, "reason", None) or str(error)
        if not target.legacy_algorithms and (reason in OLD_TLS or self._speaks_old_tls(error)):
            return Unreachable(
                f"{target.place}: it speaks only a TLS that is not offered to it ({reason})",
                next=f"Set {target.field}.legacyAlgorithms: true for this host (ESXi 5.x and older need TLS 1.0).",
            )
        if isinstance(error, TimeoutError):
            return Silent(f"{target.place}: what answers there says nothing", next=TRY_LATER)
        reset = isinstance(error, ConnectionResetError) and not target.legacy_algorithms
        following = (
            f"{TRY_LATER} If it is ESXi 5.x or older: {target.field}.legacyAlgorithms: true."
            if reset
            else TRY_LATER
        )
        return Unreachable(
            f"{target.place}: what answers there speaks no TLS that can be used: {reason}", next=following
        )

    def _speaks_old_tls(self, error: OSError | ValueError) -> bool:
        """Whether a handshake comes about once old TLS is offered. Nothing else is sent. A connection that was reset is
        not tried again."""
        if not isinstance(error, ssl.SSLError):
            return False
        with suppress(OSError, ValueError, Fault):
            self._handshake(unverified(legacy=True)).close()
            return True
        return False

    def request(self, *args: Any, **more: Any) -> None:
        """As in http.client. On a connection that the other side has closed meanwhile nothing is sent: a request that
        writes could not be repeated."""
        if self.sock is not None and self._answered and _stirs(self.sock):
            self.close()
        super().request(*args, **more)

    def getresponse(self) -> http.client.HTTPResponse:
        """As in http.client."""
        response = super().getresponse()
        self._answered = True
        return response

    def send(self, data: Any) -> None:
        """As in http.client; counts that something goes out."""
        if self.sock is None:
            self.connect()
        assert isinstance(self.sock, _Paced)
        self.sock.taken = 0
        self._line.sent += 1
        self.sock.settimeout(self._line.seconds(self._line.limits.silence))
        super().send(data)


class _Paced(ssl.SSLSocket):
    """A socket whose every read is bounded by what its line still has, and all reads of an answer by its length: a
    server may answer byte by byte, or without end. `taken` are the bytes since something was sent."""

    line: Line | None = None
    taken = 0

    def recv_into(self, *args: Any, **more: Any) -> int:
        if self.line is not None:
            self.settimeout(self.line.seconds(self.line.limits.silence))
            self._see_to_end(self.line)
        count = super().recv_into(*args, **more)
        self.taken += count
        return count

    def _see_to_end(self, line: Line) -> None:
        if self.taken > MOST_ANSWER:
            message = f"{line.target.place}: an answer has no end ({self.taken} bytes and more)"
            raise Refused(message, next="See whether the management agent is well; nothing more was read.")


def _stirs(connection: socket.socket) -> bool:
    """Whether there is something to read where no answer is awaited: the goodbye, or nothing that could be trusted."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def ask(
    connection: Connection,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    limit: int,
) -> tuple[HttpAnswer, Connection | None]:
    """One request; the answer, and the connection if it can be used once more. At most `limit` bytes are taken.

    Raises faults.Unreachable (also when the answer is cut off), faults.CertificateRefused; ValueError for an answer
    that is longer.
    """
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        read = response.read(limit + 1)
        if response.length and len(read) <= limit:
            # http.client says nothing of it; whoever writes back what was read would lose the rest
            raise http.client.IncompleteRead(read, response.length)
        told = {name.lower(): value for name, value in response.getheaders()}
        answer = HttpAnswer(response.status, response.reason, read, told)
        again = connection if response.isclosed() and not response.will_close else None
    except http.client.InvalidURL:
        raise
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise broken(connection.target, error) from error
    except BaseException:
        connection.close()
        raise
    if again is None:
        connection.close()
    if len(read) > limit:
        connection.close()
        raise ValueError(f"the answer is longer than {limit} bytes")
    return answer, again


def broken(target: SdkTarget, error: BaseException) -> Unreachable:
    """A connection that ended before the answer, or an answer that is none."""
    kind = Unreachable
    if isinstance(error, TimeoutError):
        what = "no answer in time"
    elif isinstance(error, http.client.IncompleteRead) or _ends_early(error):
        what = "the connection broke: the answer was cut off"
    elif isinstance(error, OSError):
        what = f"the connection broke: {str(error) or type(error).__name__}"
    else:
        kind, what = Garbled, f"what it answers can't be understood ({type(error).__name__}: {error})"
    return kind(f"{target.place}: {what}", next=TRY_LATER)


def _ends_early(error: BaseException) -> bool:
    """Whether XML ended before its last tag."""
    codes = ("XML_ERROR_NO_ELEMENTS", "XML_ERROR_UNCLOSED_TOKEN", "XML_ERROR_UNCLOSED_CDATA_SECTION")
    words = {getattr(expat.errors, code) for code in codes}
    return isinstance(error, expat.ExpatError) and expat.ErrorString(error.code) in words


def basic(user: str, password: str) -> Mapping[str, str]:
    """The header of a login by user and password (RFC 7617)."""
    both = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {both}"}
