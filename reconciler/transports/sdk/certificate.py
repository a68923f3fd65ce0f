"""Is this the one it should be? The certificate is compared before anything is sent, on each connection."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from functools import cached_property, lru_cache
from pathlib import Path

from reconciler.desired.thumbprints import parse_thumbprint
from reconciler.faults import CertificateRefused
from reconciler.transports.sdk.target import SdkTarget

LEGACY_SERVER_CONNECT = 0x4
"""SSL_OP_LEGACY_SERVER_CONNECT of OpenSSL (Python names it from 3.12 on): servers without secure renegotiation."""


def fingerprint(certificate: bytes) -> str:
    """`SHA256:AA:BB:…` of a certificate in DER."""
    return "SHA256:" + hashlib.sha256(certificate).digest().hex(":").upper()


class Trust:
    """What the spec says of the certificate. `seen` is the one that was taken, in DER; a session takes no other."""

    def __init__(self, target: SdkTarget) -> None:
        self._target = target
        self._pin = self._pinned() if target.thumbprint else None
        self.seen: bytes | None = None

    def _pinned(self) -> bytes:
        target = self._target
        try:
            return parse_thumbprint(target.thumbprint or "")
        except ValueError as error:
            message = f"{target.place}: {target.field}.thumbprint {error}; nothing was sent"
            raise CertificateRefused(message, next="Correct it in the spec.") from error

    @cached_property
    def context(self) -> ssl.SSLContext:
        """How TLS is spoken. Raises CertificateRefused for a file of authorities that can't be used."""
        target = self._target
        try:
            if target.ca_file is None:
                return unverified(legacy=target.legacy_algorithms)
            return _verifying(Path(target.ca_file).read_bytes(), legacy=target.legacy_algorithms)
        except (OSError, ValueError) as error:
            message = f"{target.place}: the authorities in {target.ca_file} can't be read: {error}"
            following = f"put certificates in PEM there, or another file under {target.field}.caFile"
            raise CertificateRefused(message, next=following) from error

    def check(self, certificate: bytes) -> None:
        """Return when it may be talked to. Raises CertificateRefused."""
        if self.seen is not None and self.seen != certificate:
            raise self._refused(certificate, "shows another certificate than a moment ago", "nothing")
        digest = hashlib.sha256(certificate).digest()
        if self._pin is not None and not hmac.compare_digest(digest, self._pin):
            raise self._refused(certificate, "shows another certificate than the pinned one")
        if self._pin is None and self._target.ca_file is None and not self._target.insecure:
            raise self._refused(certificate, "shows a certificate that nothing vouches for")
        self.seen = certificate

    def _refused(self, certificate: bytes, why: str, what: str = "no password") -> CertificateRefused:
        shown, target = fingerprint(certificate), self._target
        message = f"{target.place}: {why}: {shown}; {what} was sent to it"
        following = (
            "someone may stand between; only if it is the host's own (compare it at the console: "
            "openssl x509 -in /etc/vmware/ssl/rui.crt -noout -fingerprint -sha256), "
            f'write under {target.field}:\nthumbprint: "{shown}"'
        )
        return CertificateRefused(message, next=following)

    def refused_by_authority(
        self, error: ssl.SSLCertVerificationError, certificate: bytes | None
    ) -> CertificateRefused:
        """What to raise when the handshake failed, since no authority of the file vouches for the certificate."""
        target = self._target
        shown = f": {fingerprint(certificate)}" if certificate else ""
        message = (
            f"{target.place}: shows a certificate that {target.ca_file} does not vouch for "
            f"({error.verify_message}){shown}; no password was sent to it"
        )
        following = (
            f"the certificate has to name {target.address} and to be signed by an authority in that file; "
            "or, only if it is the host's own (compare it at the console), pin it instead: "
            f"{target.field}.thumbprint"
        )
        return CertificateRefused(message, next=following)


@lru_cache(2)
def unverified(*, legacy: bool) -> ssl.SSLContext:
    """TLS itself verifies nothing: `Trust.check` compares what was shown before the first byte is sent."""
    context = _context(legacy=legacy)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(64)
def _verifying(authorities: bytes, *, legacy: bool) -> ssl.SSLContext:
    """One for all hosts of the same authorities, in PEM; a certificate that itself stands there is trusted, too."""
    context = _context(legacy=legacy)
    # comments between the certificates may be in any language, OpenSSL takes ASCII
    context.load_verify_locations(cadata=authorities.decode("ascii", "ignore"))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _context(*, legacy: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # early releases of Python 3.11 take an end without TLS's goodbye for an end, so that a file could be cut off
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if legacy:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.options |= LEGACY_SERVER_CONNECT
    return context
