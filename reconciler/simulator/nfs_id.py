"""The name that ESXi gives an NFS 3 volume below /vmfs/volumes, computed from its server and share.

Bob Jenkins' public-domain 64-bit hash of 1997 (lookup8): h1 = hash(server, 42), h2 = hash(share, h1); the name is
the low word of h2, a dash, and the high word. Proved against real ids of 4.x and 5.x.
"""

from __future__ import annotations

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C13
SHIFTS = ((43, 9, 8), (38, 23, 5), (35, 49, 11), (12, 18, 22))


def volume_id(server: str, share: str) -> str:
    """`95e378c2-863dd2b4` for a server and a share, both letter by letter as given when mounting."""
    value = lookup8(
        share.encode("utf-8", "surrogateescape"), lookup8(server.encode("utf-8", "surrogateescape"), 42)
    )
    return f"{value & 0xFFFFFFFF:08x}-{value >> 32:08x}"


def lookup8(key: bytes, level: int) -> int:
    """The 64-bit hash of `key`; `level` is the previous hash or any start value."""
    first = second = level & MASK
    third, size = GOLDEN, len(key)
    while len(key) >= 24:
        words = [int.from_bytes(key[start : start + 8], "little") for start in (0, 8, 16)]
        first, second, third = _mixed(first + words[0], second + words[1], third + words[2])
        key = key[24:]
    third += size + (int.from_bytes(key[16:24], "little") << 8)
    first += int.from_bytes(key[:8], "little")
    second += int.from_bytes(key[8:16], "little")
    return _mixed(first, second, third)[2]


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    a, b, c = a & MASK, b & MASK, c & MASK
    for right, left, last in SHIFTS:
        a = ((a - b - c) & MASK) ^ (c >> right)
        b = ((b - c - a) & MASK) ^ ((a << left) & MASK)
        c = ((c - a - b) & MASK) ^ (b >> last)
    return a, b, c
