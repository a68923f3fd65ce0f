"""VMDK descriptors: text into values. Pure.

Field order differs between writers, `encoding` may be missing (field captures: vmkfstools, Workstation, snapshots).
"""

from __future__ import annotations

import re

from reconciler.image_facts import Descriptor, Extent

MAX_BYTES = 64 * 1024
"""No descriptor is longer; what is, is something else."""
MAX_CAPACITY = 62 << 40
"""The largest disk of ESXi, in bytes."""

_EXTENT = re.compile(
    r'(RW|RDONLY|NOACCESS)[ \t]+([0-9]{1,20})[ \t]+(\w+)(?:[ \t]+"(.*)"(?:[ \t]+([0-9]{1,20}))?)?[ \t]*'
)
_SETTING = re.compile(r'[ \t]*([\w.]+)[ \t]*=[ \t]*"?([^"]*)"?[ \t]*')


_ADAPTER = re.compile(r"[A-Za-z]{1,16}")
_ADAPTER_LINE = re.compile(rb"^ddb\.adapterType[ \t]*=.*$", re.MULTILINE)


class BadDisk(Exception):
    """A disk that must not be used as a source; the text says why."""


def parse(text: bytes) -> Descriptor:
    """Read a descriptor. Raises BadDisk for what is none, or holds an extent line that can't be understood."""
    if len(text) > MAX_BYTES:
        raise BadDisk("its descriptor is longer than 64 KiB")
    # qemu rewrites a descriptor in place: what stands behind the first NUL is the end of a longer one
    plain = text.partition(b"\0")[0]
    if b"# Disk DescriptorFile" not in plain[:512]:
        raise BadDisk(
            f"its descriptor is no text of a virtual disk ({len(text)} bytes, it begins with {text[:16]!r})"
        )
    settings: dict[str, str] = {}
    extents: list[Extent] = []
    for line in plain.decode("utf-8", "surrogateescape").splitlines():
        if line.startswith(("RW", "RDONLY", "NOACCESS")):
            extents.append(_extent(line))
        elif match := _SETTING.fullmatch(line):
            settings.setdefault(match[1].lower(), match[2])
    kind = settings.get("createtype", "")
    if not kind or not extents:
        raise BadDisk("its descriptor names no createType" if not kind else "its descriptor names no extent")
    thin = settings.get("ddb.thinprovisioned") == "1"
    adapter = settings.get("ddb.adaptertype", "")
    known = adapter if _ADAPTER.fullmatch(adapter) else ""
    return Descriptor(kind, tuple(extents), _parent(settings), thin, known)


def with_adapter(text: bytes, adapter: str) -> bytes:
    """The descriptor with another ddb.adapterType (`adapter` is as `parse` gives it)."""
    return _ADAPTER_LINE.sub(f'ddb.adapterType = "{adapter}"'.encode(), text)


def _extent(line: str) -> Extent:
    match = _EXTENT.fullmatch(line)
    if match is None:
        raise BadDisk("its descriptor has an extent line that can't be understood")
    return Extent(int(match[2]), match[3].upper(), match[4] or "", int(match[5] or 0))


def _parent(settings: dict[str, str]) -> str | None:
    """The disk below a snapshot's; "" when only its id is named."""
    hint = settings.get("parentfilenamehint")
    if hint is not None:
        return hint
    return "" if settings.get("parentcid", "ffffffff").lower() != "ffffffff" else None
