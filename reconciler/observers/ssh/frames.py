"""Pieces that a script printed, each ended by a NUL: no name and no text of a shell can hold one."""

from __future__ import annotations

from reconciler.observers.ssh.errors import Unreadable, whole_number


class Frames:
    """A place in the output of a script, moved by what is read. Raises Unreadable where something is missing."""

    def __init__(self, out: bytes) -> None:
        self._out, self._at = out, 0

    @property
    def more(self) -> bool:
        """Whether anything follows."""
        return self._at < len(self._out)

    def piece(self) -> bytes:
        """The next piece."""
        end = self._out.find(b"\0", self._at)
        if end < 0:
            raise Unreadable("the host's answer ends too early", self.rest())
        piece = self._out[self._at : end]
        self._at = end + 1
        return piece

    def text(self) -> str:
        """The next piece; bytes that are no UTF-8 are kept as surrogates."""
        return self.piece().decode("utf-8", "surrogateescape")

    def number(self) -> int:
        """The next piece, a number."""
        return whole_number(self.text())

    def raw(self, length: int) -> bytes | None:
        """So many bytes, which a NUL, `0` and a NUL follow; None when they do not, and then nothing has moved."""
        end = self._at + length
        if self._out[end : end + 3] != b"\x000\0":
            return None
        piece = self._out[self._at : end]
        self._at = end + 3
        return piece

    def rest(self) -> str:
        """What follows, for people."""
        return self._out[self._at :].decode("utf-8", "replace")
