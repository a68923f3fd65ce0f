"""Disks put onto simulated volumes, and what a guest would see of them: for tests, labs and demonstrations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from reconciler.simulator.disks import (
    GRAIN,
    SECTOR,
    SPARSE_SECTORS,
    descriptor,
    opened,
    sparse_begin,
    sparse_write,
)
from reconciler.simulator.errors import SimulatorError
from reconciler.simulator.nodes import Node

PIECE = 1 << 20


def put_file(folder: Node, name: str, real: Path, now: float, mode: int = 0o600) -> None:
    """Copy a file of this machine into a folder of a volume; holes stay holes."""
    node = Node(folder.volume, "f", mode, now)
    folder.children[name] = node
    node.truncate(real.stat().st_size, now)
    with real.open("rb") as stream:
        offset = 0
        while piece := stream.read(PIECE):
            if piece.count(0) != len(piece):
                node.put(offset, piece, now)
            offset += len(piece)


def put_disk(
    folder: Node, stem: str, form: str, size: int, content: Mapping[int, bytes], now: float, mode: int = 0o600
) -> None:
    """A disk of `size` bytes that holds `content` (offset: bytes, each below one grain or grain-aligned).

    `form`: thin, zeroedthick, 2gbsparse.
    """
    if form == "2gbsparse":
        _put_sparse(folder, stem, size, content, now, mode)
    elif form in ("thin", "zeroedthick"):
        _put_flat(folder, stem, form, size, content, now, mode)
    else:
        raise SimulatorError(
            f"a disk in the form {form!r} can't be made here (would be right: thin, 2gbsparse)"
        )


def _put_flat(
    folder: Node, stem: str, form: str, size: int, content: Mapping[int, bytes], now: float, mode: int
) -> None:
    line = f'RW {size // SECTOR} VMFS "{stem}-flat.vmdk"'
    _text(folder, f"{stem}.vmdk", descriptor(stem, "vmfs", [line], size, thin=form == "thin"), now, mode)
    flat = folder.children[f"{stem}-flat.vmdk"] = Node(folder.volume, "f", mode, now)
    if form == "thin":
        flat.truncate(size, now)
    else:
        flat.preallocate(size, now)
    for offset, data in content.items():
        flat.put(offset, data, now)


def _put_sparse(
    folder: Node, stem: str, size: int, content: Mapping[int, bytes], now: float, mode: int
) -> None:
    left, extents, lines = size // SECTOR, [], []  # type: tuple[int, list[Node], list[str]]
    while left:
        sectors = min(left, SPARSE_SECTORS)
        file = f"{stem}-s{len(extents) + 1:03d}.vmdk"
        node = folder.children[file] = Node(folder.volume, "f", mode, now)
        sparse_begin(node, sectors, now)
        extents.append(node)
        lines.append(f'RW {sectors} SPARSE "{file}"')
        left -= sectors
    _text(folder, f"{stem}.vmdk", descriptor(stem, "twoGbMaxExtentSparse", lines, size), now, mode)
    for grain, data in sorted(_grains(content).items()):
        number, within = divmod(grain, SPARSE_SECTORS * SECTOR // GRAIN)
        sparse_write(extents[number], within, bytes(data), now)


def _grains(content: Mapping[int, bytes]) -> dict[int, bytearray]:
    grains: dict[int, bytearray] = {}
    for offset, data in content.items():
        at = 0
        while at < len(data):
            grain, within = divmod(offset + at, GRAIN)
            piece = data[at : at + GRAIN - within]
            grains.setdefault(grain, bytearray(GRAIN))[within : within + len(piece)] = piece
            at += len(piece)
    return grains


def _text(folder: Node, name: str, text: str, now: float, mode: int) -> None:
    node = folder.children[name] = Node(folder.volume, "f", mode, now)
    node.put(0, text.encode("utf-8", "surrogateescape"), now)


def disk_digest(folder: Node, name: str, volumes: Node | None = None) -> str:
    """MD5 of all that a guest sees."""
    disk = opened(folder, name, volumes or folder)
    digest, offset = hashlib.md5(usedforsecurity=False), 0
    while piece := disk.read(offset, PIECE) if offset < disk.capacity else b"":
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()
