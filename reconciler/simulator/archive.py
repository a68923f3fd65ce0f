"""Archives as a host writes them: gzipped tar in real bytes, and the encrypted form of 7.0 U2 and later.

The encrypted form is a stand-in with the real names (`local.tgz.ve`, `encryption.info`) and a real cipher; VMware's
own container format is not published.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from reconciler.simulator.nodes import Node

MAGIC = b"VMWARE-ENVELOPE\0"
AAD = b"ESXConfiguration"
SMALL = 16384


class BadArchive(Exception):
    """Bytes that are no archive, or are cut short."""


@dataclass(frozen=True)
class Member:
    """One entry of an archive; `kind` as in `Node`."""

    name: str
    kind: str
    mode: int
    mtime: float
    data: bytes = b""
    target: str = ""
    uid: int = 0
    gid: int = 0


def member(name: str, node: Node) -> Member:
    return Member(name, node.kind, node.mode, node.mtime, node.data, node.target, node.uid, node.gid)


def pack(members: Iterable[Member], compress: bool = True) -> bytes:
    """A tar of the members, gzipped when `compress`."""
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for each in members:
            info = tarfile.TarInfo(each.name)
            info.mode, info.mtime, info.uid, info.gid = each.mode, int(each.mtime), each.uid, each.gid
            info.uname = info.gname = "root"
            info.type = {"d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE}.get(each.kind, tarfile.REGTYPE)
            info.linkname, info.size = each.target, len(each.data)
            tar.addfile(info, io.BytesIO(each.data))
    return gzip.compress(buffer.getvalue(), 6, mtime=0) if compress else buffer.getvalue()


def unpack(data: bytes) -> list[Member]:
    """The members of a tar, gzipped or not; raises BadArchive."""
    return list(_known(data) if len(data) <= SMALL else _unpacked(data))


@lru_cache(maxsize=4096)
def _known(data: bytes) -> tuple[Member, ...]:
    """The same archives are read over and over: the saved states of hosts."""
    return _unpacked(data)


def _unpacked(data: bytes) -> tuple[Member, ...]:
    try:
        plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        with tarfile.open(
            fileobj=io.BytesIO(plain), mode="r:", encoding="utf-8", errors="surrogateescape"
        ) as tar:
            return tuple(_member(tar, info) for info in tar)
    except (tarfile.TarError, OSError, EOFError, ValueError) as problem:
        raise BadArchive(str(problem)) from problem


def _member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    kind = "d" if info.isdir() else "l" if info.issym() else "f"
    stream = tar.extractfile(info) if info.isreg() else None
    data = stream.read() if stream else b""
    if len(data) != (info.size if info.isreg() else 0):
        raise BadArchive("short read")
    return Member(info.name, kind, info.mode, info.mtime, data, info.linkname, info.uid, info.gid)


def seal(data: bytes, key: bytes) -> bytes:
    """The encrypted form of an archive."""
    nonce = os.urandom(12)
    return MAGIC + nonce + AESGCM(key).encrypt(nonce, data, AAD)


def unseal(data: bytes, key: bytes, aad: bytes) -> bytes:
    """The archive in an encrypted form; raises BadArchive when the key or the `aad` is not the one."""
    if not data.startswith(MAGIC):
        raise BadArchive("not an envelope")
    body = data[len(MAGIC) :]
    try:
        return AESGCM(key).decrypt(body[:12], body[12:], aad)
    except InvalidTag as problem:
        raise BadArchive("authentication failed") from problem
