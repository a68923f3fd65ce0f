"""Small pictures for the documentation: a browser's PNG with few colours, packed well."""

from __future__ import annotations

import struct
import zlib
from collections import Counter

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256


def packed(png: bytes) -> bytes:
    """The same picture with a palette. It must have 8 bits a channel and no interlacing, as screenshots have."""
    chunks = dict[bytes, bytes]()
    place = len(SIGNATURE)
    while place < len(png):
        size, kind = struct.unpack_from(">I4s", png, place)
        chunks[kind] = chunks.get(kind, b"") + png[place + 8 : place + 8 + size]
        place += size + 12
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, interlaced) == (8, 0)
    channels = {2: 3, 6: 4}[colour]
    rows = _rows(zlib.decompress(chunks[b"IDAT"]), width * channels, channels)
    pixels = [[row[at : at + 3] for at in range(0, len(row), channels)] for row in rows]
    assert len(pixels) == height
    palette = [pixel for pixel, _ in Counter(it for row in pixels for it in row).most_common(COLOURS)]
    nearest = {
        pixel: palette.index(_nearest(pixel, palette)) for pixel in {it for row in pixels for it in row}
    }
    data = b"".join(b"\0" + bytes(nearest[pixel] for pixel in row) for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return SIGNATURE + b"".join(
        _chunk(kind, text)
        for kind, text in (
            (b"IHDR", header),
            (b"PLTE", b"".join(palette)),
            (b"IDAT", zlib.compress(data, 9)),
            (b"IEND", b""),
        )
    )


def _rows(data: bytes, length: int, step: int) -> list[bytes]:
    """The rows without the filters that PNG knows."""
    rows, above = [], bytearray(length)
    for start in range(0, len(data), length + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + length])
        for at in range(length):
            left = row[at - step] if at >= step else 0
            corner = above[at - step] if at >= step else 0
            row[at] = (row[at] + _guess(kind, left, above[at], corner)) & 255
        rows.append(bytes(row))
        above = row
    return rows


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda it: abs(guess - it))
    return (0, left, up, (left + up) // 2)[kind]


def _nearest(pixel: bytes, palette: list[bytes]) -> bytes:
    return min(palette, key=lambda it: sum((one - two) ** 2 for one, two in zip(it, pixel, strict=True)))


def _chunk(kind: bytes, text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + kind + text + struct.pack(">I", zlib.crc32(kind + text))
