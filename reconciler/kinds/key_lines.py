"""Lines of an authorized_keys file (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"): options, type, base64, comment."""

from __future__ import annotations

import base64
import binascii
import re

from reconciler.records import record

TYPES = (
    r"ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp(?:256|384|521)"
    r"|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com"
)
_LINE = re.compile(
    r'[ \t]*+(?:(?P<options>(?:\\"|[^\s"]|"(?:\\"|[^"])*+")++)[ \t]++)?(?P<type>'
    + TYPES
    + r")[ \t]+(?P<blob>[A-Za-z0-9+/]+=*)"
    r"(?:[ \t]++(?P<comment>.*+))?+\r?"
)
SHORT_RSA = 2048


@record
class KeyLine:
    """One key. Two are the same key when `identity` is equal, whatever options and comment."""

    type: str
    blob: str
    options: str = ""
    comment: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """Type and base64 without padding, which some tools leave out."""
        return self.type, self.blob.rstrip("=")

    @property
    def label(self) -> str:
        """How a person knows the key: its comment, or the end of its base64."""
        return f"{self.type} {self.comment or '…' + self.blob.rstrip('=')[-12:]}"

    @property
    def written(self) -> str:
        """A line with the key; the comment is left out where it is no plain text."""
        comment = self.comment if self.comment.isprintable() else ""
        return " ".join(part for part in (self.options, self.type, self.blob, comment) if part)

    @property
    def bits(self) -> int | None:
        """The length of an RSA key's modulus; None for other types or when the blob can't be read."""
        if self.type != "ssh-rsa":
            return None
        fields = _fields(self.blob)
        return int.from_bytes(fields[2], "big").bit_length() if len(fields) == 3 else None


def parse_key_line(line: str) -> KeyLine | None:
    """The key in a line; None for a comment, a blank line and what sshd would not understand."""
    if line.lstrip(" \t").startswith("#"):
        return None
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    return KeyLine(match["type"], match["blob"], match["options"] or "", (match["comment"] or "").strip())


def read_lines(content: bytes) -> list[tuple[bytes, KeyLine | None]]:
    """Each line of an authorized_keys file, to the byte, with its key."""
    lines = re.findall(rb"[^\n]*\n|[^\n]+", content)
    return [(line, parse_key_line(line.rstrip(b"\n").decode("utf-8", "surrogateescape"))) for line in lines]


_OPTION = re.compile(r'([A-Za-z0-9-]+)(?:="(?:\\"|[^"])*")?')
DROPBEAR_OPTIONS = ("command", "no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-pty")


def refused_by(key: KeyLine, version: tuple[int, ...]) -> str | None:
    """Why the sshd of that ESXi version will refuse the key; None when it takes it.

    Sources: captures of 6.7 U3 (pubkeyacceptedkeytypes) and of 8.0.2 (FIPS mode); DSA is gone since 6.0 U2; OpenSSH
    of 5.x and dropbear of 4.x know no other types than RSA and DSA.
    """
    release = ".".join(str(part) for part in version[:2])
    odd = [name for name in _OPTION.findall(key.options) if name.lower() not in DROPBEAR_OPTIONS]
    if version < (5, 0) and odd:
        return f"dropbear of ESXi {release} does not know the option {odd[0]}"
    if version < (6, 0):
        return None if key.type in ("ssh-rsa", "ssh-dss") else f"ESXi {release} knows RSA and DSA keys only"
    if key.type == "ssh-dss":
        return "ESXi takes no DSA keys since 6.0 U2"
    if "ed25519" in key.type or key.type.startswith("sk-"):
        return f"sshd of ESXi {release} takes RSA and ECDSA keys only"
    if version >= (8, 0) and key.bits is not None and key.bits < SHORT_RSA:
        return f"sshd of ESXi {release} runs in FIPS mode, and the key has only {key.bits} bits"
    return None


def _fields(blob: str) -> list[bytes]:
    """The length-prefixed fields of a key blob (RFC 4253, section 6.6)."""
    try:
        data = base64.b64decode(blob.rstrip("=") + "=" * (-len(blob.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        return []
    fields = []
    while len(data) >= 4:
        length = int.from_bytes(data[:4], "big")
        fields.append(data[4 : 4 + length])
        data = data[4 + length :]
    return fields
