"""A certificate for each host, as an installation makes one for itself, and how old hosts speak TLS."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
import tempfile
import warnings
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

DAYS = 3650


class Certificates:
    """Makes certificates with one key: a new key for each of a thousand hosts would take minutes."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def make(self, name: str, address: str) -> x509.Certificate:
        """A certificate that `name` has signed for itself."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "VMware, Inc"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        now = datetime.datetime.now(datetime.UTC)
        also = x509.SubjectAlternativeName(
            [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self._key.public_key())
            .serial_number(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=DAYS))
            .add_extension(also, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def context(self, certificate: x509.Certificate, *, old: bool) -> ssl.SSLContext:
        """TLS with that certificate; `old`: 1.0 and nothing newer, as ESXi up to 5.x."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pem = serialization.Encoding.PEM
        form = serialization.PrivateFormat.PKCS8
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "both.pem"
            key = self._key.private_bytes(pem, form, serialization.NoEncryption())
            file.touch(mode=0o600)
            file.write_bytes(key + certificate.public_bytes(pem))
            context.load_cert_chain(file)
        if old:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1
        return context
