"""SSH keys in files: public keys as values, private keys read without ever asking for a passphrase."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from dataclasses import field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from reconciler.faults import LoginRefused
from reconciler.records import record

KEY_FILE_MAX = 256 * 1024
DEFAULT_IDENTITIES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")

Signer = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@record
class PublicKey:
    """The type and the wire form (RFC 4253, section 6.6) of a public key."""

    type: str
    blob: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """The key of a "TYPE BASE64 [COMMENT]" line.

        Raises ValueError when it is no such line, or when the type is not the one inside the key.
        """
        words = text.split(None, 2)
        if len(words) < 2:
            raise ValueError("not a line of the form TYPE BASE64")
        try:
            blob = base64.b64decode(words[1], validate=True)
        except ValueError as error:
            raise ValueError("the second word is no base64") from error
        size = int.from_bytes(blob[:4], "big")
        if blob[4 : 4 + size] != words[0].encode("utf-8", "surrogateescape") or len(blob) <= 4 + size:
            raise ValueError(f"the key is broken, or not of type {words[0]}")
        return cls(words[0], blob)

    @property
    def line(self) -> str:
        """`TYPE BASE64`, as specs and known_hosts files have it."""
        return f"{self.type} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """`SHA256:…` as OpenSSH prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode()
        return "SHA256:" + digest.rstrip("=")

    def __str__(self) -> str:
        return f"{self.type} {self.fingerprint}"


@record
class PrivateKey:
    """A private key that can sign, and the file it came from."""

    path: str
    public: PublicKey
    signer: Signer = field(repr=False)

    def openssh_text(self) -> str:
        """The private key in OpenSSH's own form, without a passphrase: a secret, never written anywhere."""
        form = serialization.PrivateFormat.OpenSSH
        text = self.signer.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        return text.decode()


def load_private_key(path: str) -> PrivateKey:
    """Read a private key: OpenSSH's own form, PKCS#1, SEC 1 or PKCS#8; RSA, ECDSA or Ed25519.

    Raises LoginRefused when the file is missing, unreadable, no private key, broken, of an unsupported type,
    or protected by a passphrase.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(KEY_FILE_MAX)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise _unusable(path, f"can't be read: {reason}", "Correct access.ssh.key.") from error
    return _decode(path, content)


@lru_cache(maxsize=64)
def _decode(path: str, content: bytes) -> PrivateKey:
    """Whatever a fleet shares is checked once."""
    _refuse_other_files(path, content)
    signer, line = _parse(path, content)
    return PrivateKey(path, PublicKey.parse(line), signer)


def _refuse_other_files(path: str, content: bytes) -> None:
    start = content.lstrip()
    if start.startswith(b"PuTTY-User-Key-File"):
        advice = f"Convert it: puttygen {path} -O private-openssh -o NEWFILE."
        raise _unusable(path, "is a PuTTY key", advice)
    if start.startswith((b"ssh-", b"ecdsa-", b"sk-", b"-----BEGIN PUBLIC", b"---- BEGIN SSH2 PUBLIC")):
        advice = "Name the private key in access.ssh.key, usually the same file without .pub."
        raise _unusable(path, "is a public key", advice)
    if b"PRIVATE KEY-----" not in start:
        raise _unusable(path, "is no private key", "Name a private key file in access.ssh.key.")


def _parse(path: str, content: bytes) -> tuple[Signer, str]:
    openssh = b"BEGIN OPENSSH PRIVATE KEY" in content
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    try:
        # whether the parts of an RSA key fit together is checked in `_prove`, a hundred times faster
        signer = load(content, password=None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(signer, Signer):
            raise UnsupportedAlgorithm(type(signer).__name__)
        _prove(signer)
        public = signer.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return signer, public.decode()
    except TypeError as error:
        advice = "Load it into ssh-agent and leave access.ssh.key unset, or name a key without a passphrase."
        raise _unusable(path, "is protected by a passphrase", advice) from error
    except UnsupportedAlgorithm as error:
        raise _unusable(path, "is neither RSA, ECDSA nor Ed25519", "Use an RSA key of 3072 bits.") from error
    except ValueError as error:
        raise _unusable(path, "is broken", "Restore the file, or make a new key with ssh-keygen.") from error


def _prove(signer: Signer) -> None:
    """An RSA key is sound if its signature fits its public half. Raises ValueError."""
    if not isinstance(signer, rsa.RSAPrivateKey):
        return
    try:
        signature = signer.sign(b"proof", padding.PKCS1v15(), hashes.SHA256())
        signer.public_key().verify(signature, b"proof", padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise ValueError("its parts don't fit together") from error


def _unusable(path: str, problem: str, advice: str) -> LoginRefused:
    return LoginRefused(f"private key {path} {problem}; nothing was sent to the host", next=advice)


def public_half(private_key_file: str) -> str | None:
    """The "TYPE BASE64" of a private key that can be used as it is; None when there is no such key.

    Never asks for a passphrase: a key that needs one is None, because a login can't be proved with it.
    """
    try:
        return load_private_key(private_key_file).public.line
    except LoginRefused:
        return None


def default_identities() -> list[PrivateKey]:
    """The user's own keys that exist and need no passphrase, in OpenSSH's order."""
    found = []
    for name in DEFAULT_IDENTITIES:
        with suppress(LoginRefused):
            found.append(load_private_key(str(Path(name).expanduser())))
    return found
