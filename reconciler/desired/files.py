"""Files of this machine: which are spec files, and what stands in a file. Regular files only, and only so much."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

MAX_SPEC_BYTES = 8 * 1024 * 1024
MAX_KEYS_BYTES = 1024 * 1024
_SUFFIXES = (".yaml", ".yml")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unreadable(Exception):
    """A file or folder can't be used; the text says why. `line` and `column` (from 1) are where, in a text."""

    def __init__(self, why: str, line: int = 1, column: int = 1) -> None:
        super().__init__(why)
        self.line = line
        self.column = column


class Reader(Protocol):
    """Where a load gets its files. Spec files go by the names that messages show, all others by absolute paths."""

    def spec_files(self, path: Path) -> tuple[list[str], dict[str, str]]:
        """As the function `spec_files`."""

    def locate(self, name: str) -> str:
        """The absolute path of a spec file; relative paths in it are taken from its folder."""

    def real(self, path: str) -> str:
        """Where an absolute path leads, all links followed; nothing needs to be there."""

    def read_text(self, path: str, limit: int) -> str:
        """As the function `read_text`."""

    def exists(self, path: str) -> bool:
        """Whether there is something at an absolute path."""


class Disk:
    """Files as they lie on this machine."""

    def spec_files(self, path: Path) -> tuple[list[str], dict[str, str]]:
        return spec_files(path)

    def locate(self, name: str) -> str:
        return os.path.abspath(name)

    def real(self, path: str) -> str:
        return os.path.realpath(path)

    def read_text(self, path: str, limit: int) -> str:
        return read_text(path, limit)

    def exists(self, path: str) -> bool:
        return os.path.exists(path)


DISK = Disk()


def spec_files(path: Path) -> tuple[list[str], dict[str, str]]:
    """The spec files that a path stands for: itself, or every `*.yaml` and `*.yml` below it, sorted.

    Dot-files and dot-folders are left out; links are followed, each folder once. Beside them, each folder below it
    that can't be looked into, and why. Raises Unreadable.
    """
    closed: list[OSError] = []
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return [str(path)], {}
        files = sorted(_below(path, closed))
    except OSError as error:
        raise Unreadable(reason(error)) from error
    return files, {str(Path(error.filename)): reason(error) for error in closed}


def _below(top: Path, closed: list[OSError]) -> Iterator[str]:
    seen = set()
    for folder, folders, names in os.walk(top, onerror=closed.append, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        specs = (name for name in names if name.endswith(_SUFFIXES) and not name.startswith("."))
        yield from (str(Path(folder, name)) for name in specs)


def read_text(path: str, limit: int) -> str:
    """The text of a regular file in UTF-8, of at most `limit` bytes; a byte order mark is left out.

    Never waits for a pipe or a device. Raises Unreadable.
    """
    data = _read_bytes(path, limit)
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        spelling = "UTF-16" if data.startswith(_UTF16) else f"byte 0x{data[error.start]:02x} is no UTF-8"
        why = f"the file is not in UTF-8: {spelling} (would be right: save it as UTF-8)"
        raise Unreadable(why, before.count("\n") + 1, len(before) - before.rfind("\n")) from error


def _read_bytes(path: str, limit: int) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("this is no regular file, but a folder, device, pipe or socket")
            data = file.read(limit + 1) if status.st_size <= limit else b""
    except OSError as error:
        raise Unreadable(reason(error)) from error
    if len(data) > limit or status.st_size > limit:
        raise Unreadable(f"the file is larger than {limit // 1024 // 1024} MiB")
    return data


def reason(error: OSError) -> str:
    """What the system says, without number and path: `no such file or directory`."""
    text = error.strerror or type(error).__name__
    return text[:1].lower() + text[1:]
