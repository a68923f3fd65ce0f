"""Is this the host it should be? Pinned host keys, known_hosts files, trust on first use."""

from __future__ import annotations

import base64
import fcntl
import fnmatch
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.faults import HostKeyRefused
from reconciler.records import record
from reconciler.transports.keys import PublicKey
from reconciler.transports.target import SshTarget

REVOKED = "@revoked"


@record
class KnownKey:
    """A key that is known for a host, where it stands (`FILE:LINE`, or `hostKey`), whether it is revoked."""

    key: PublicKey
    origin: str
    revoked: bool = False


def known_keys(target: SshTarget) -> list[KnownKey]:
    """All that is known of the host's keys, from the pinned key alone or else from the known_hosts files.

    Raises HostKeyRefused when the pinned key is no key, or a file can't be read; a missing file is empty.
    """
    if target.host_key is not None:
        try:
            return [KnownKey(PublicKey.parse(target.host_key), "hostKey")]
        except ValueError as error:
            message = f"{target.place}: hostKey is not a public key: {error}; nothing was sent"
            raise HostKeyRefused(message, next="Write it as hostKey: TYPE BASE64.") from error
    return [known for path in _files(target) for known in _keys_of_file(target, path)]


def _files(target: SshTarget) -> list[Path]:
    if target.known_hosts:
        return [Path(target.known_hosts)]
    own = Path("~/.ssh/known_hosts").expanduser()
    return [own, Path(target.trust_file)] if target.trust_file else [own]


def _keys_of_file(target: SshTarget, path: Path) -> list[KnownKey]:
    try:
        return _keys_of_text(target, path.read_bytes(), path)
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        message = f"{target.place}: can't read the known host keys in {path}: {error}"
        raise HostKeyRefused(message, next=f"Make {path} readable, or pin hostKey in the spec.") from error


def _keys_of_text(target: SshTarget, content: bytes, path: Path) -> list[KnownKey]:
    """As OpenSSH does: the plain address counts for any port when nothing stands under `[ADDRESS]:PORT`."""
    text = content.decode("utf-8", "surrogateescape")
    address = target.address.lower()
    if target.port == 22:
        return list(parse(text, address, path))
    own = list(parse(text, f"[{address}]:{target.port}", path))
    return own or list(parse(text, address, path))


def parse(text: str, name: str, path: Path) -> Iterator[KnownKey]:
    """The keys that a known_hosts text has for `name` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

    Lines of certificate authorities, comments and lines that don't parse are left out.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", REVOKED):
            continue
        if not _names_host(words[0], name):
            continue
        try:
            yield KnownKey(PublicKey.parse(" ".join(words[1:3])), f"{path}:{number}", marker == REVOKED)
        except ValueError:
            continue


def _names_host(names: str, name: str) -> bool:
    if names.startswith("|"):
        return _hash_fits(names, name)
    matched = False
    for pattern in names.lower().split(","):
        if _glob_fits(pattern.removeprefix("!"), name):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def _glob_fits(pattern: str, name: str) -> bool:
    """Only * and ? are special: brackets stand round an address with a port."""
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), name) is not None


def _hash_fits(hashed: str, name: str) -> bool:
    parts = hashed.split("|")
    if len(parts) != 4 or parts[1] != "1":
        return False
    try:
        salt, digest = base64.b64decode(parts[2], validate=True), base64.b64decode(parts[3], validate=True)
    except ValueError:
        return False
    name_bytes = name.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(hmac.new(salt, name_bytes, hashlib.sha1).digest(), digest)


def check(target: SshTarget, known: list[KnownKey], seen: PublicKey) -> None:
    """Return when `seen` is the host's key; with trustOnFirstUse an unknown one is written down and accepted.

    Raises HostKeyRefused for a key that is revoked, unknown or another than the expected one.
    """
    for entry in known:
        if entry.revoked and entry.key == seen:
            message = f"{target.place}: its host key {seen} is revoked in {entry.origin}; nothing was sent"
            raise HostKeyRefused(message, next="Give the host a new key; never use this one again.")
    expected = [entry for entry in known if not entry.revoked]
    if any(entry.key == seen for entry in expected):
        return
    if expected:
        raise _changed(target, expected, seen)
    record = target.known_hosts or target.trust_file
    if not target.trust_on_first_use or record is None:
        raise _unknown(target, seen)
    _remember(target, Path(record), seen)


def learn(target: SshTarget, line: str) -> None:
    """Write a key, `TYPE BASE64`, that somebody vouches for to the known-hosts file, as if it had been accepted on
    first use. What is no key is left alone. Raises HostKeyRefused when it can't be written, or another one is there."""
    record = target.known_hosts or target.trust_file
    try:
        key = PublicKey.parse(line)
    except ValueError:
        return
    if record is not None:
        _remember(target, Path(record), key)


def _unknown(target: SshTarget, seen: PublicKey) -> HostKeyRefused:
    where = " and ".join(map(str, _files(target)))
    message = f"{target.place}: its host key is unknown: {seen} (looked in {where}); nothing was sent"
    advice = (
        f"Compare the fingerprint on the host's console, then pin it under access.ssh:\nhostKey: {seen.line}"
    )
    return HostKeyRefused(message, next=advice)


def _changed(target: SshTarget, expected: list[KnownKey], seen: PublicKey) -> HostKeyRefused:
    wanted = ", ".join(f"{entry.key} ({entry.origin})" for entry in expected)
    message = (
        f"{target.place}: its host key changed: it shows {seen}, expected was {wanted}; nothing was sent"
    )
    advice = (
        "Someone may stand between you and the host. Only if it was installed anew: compare the fingerprint "
        f"on its console and put the new key in place of {expected[0].origin}, as hostKey: {seen.line}"
    )
    return HostKeyRefused(message, next=advice)


def _remember(target: SshTarget, path: Path, seen: PublicKey) -> None:
    """One writer at a time, over threads and processes; what another wrote meanwhile counts."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            content = file.readall() or b""
            written = _keys_of_text(target, content, path)
            if any(not entry.revoked for entry in written):
                check(target, written, seen)
                return
            file.write(_line(target, content, seen))
            os.fsync(file.fileno())
    except OSError as error:
        message = f"{target.place}: can't write its host key {seen} to {path}: {error.strerror}"
        advice = f"Make {path} writable, or pin the key: hostKey: {seen.line}"
        raise HostKeyRefused(message, next=advice) from error


def _line(target: SshTarget, content: bytes, seen: PublicKey) -> bytes:
    address = target.address.lower()
    name = address if target.port == 22 else f"[{address}]:{target.port}"
    start = "\n" if content and not content.endswith(b"\n") else ""
    return f"{start}{name} {seen.line}\n".encode()
