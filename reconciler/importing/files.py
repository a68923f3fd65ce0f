"""Several files at once: all of them, or none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from reconciler.desired.files import reason

UNFINISHED = ".unfinished-"
"""How files are called that are not yet in their place; no spec, since the name begins with a dot."""


class CannotWrite(Exception):
    """No file was written; the text says why and what to do next."""


def see_free(paths: Iterable[Path], *, force: bool) -> None:
    """Raises CannotWrite when one of the files is there already, unless `force` says that it is written over."""
    taken = [path for path in paths if os.path.lexists(path)]
    if taken and not force:
        raise CannotWrite(f"{_listed(taken)} there already: nothing was written (--force writes over it)")


def write_files(texts: Mapping[Path, str], *, force: bool = False) -> None:
    """Write each text to its path, in folders that are made when they are missing. A file that is there already is
    written over only with `force`. Raises CannotWrite; then everything is as it was before."""
    see_free(texts, force=force)
    # a link stays one, and what it leads to is written
    places = {Path(os.path.realpath(path)): text for path, text in texts.items()}
    work = _Work()
    try:
        for path, text in places.items():
            work.prepare(path, text)
        for path in places:
            work.place(path, force)
    except OSError as error:
        work.undo()
        raise CannotWrite(f"can't write {path}: {reason(error)}; nothing was written") from None
    except BaseException:
        work.undo()
        raise


class _Work:
    """What was done so far, so that it can be undone."""

    def __init__(self) -> None:
        self._folders: list[Path] = []
        self._prepared: dict[Path, Path] = {}
        self._placed: dict[Path, bytes | None] = {}

    def prepare(self, path: Path, text: str) -> None:
        """Write the text beside its place."""
        missing = [folder for folder in path.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self._folders.append(folder)
        unfinished = path.with_name(f"{UNFINISHED}{token_hex(8)}")
        with unfinished.open("x", encoding="utf-8", newline="\n") as file:
            self._prepared[path] = unfinished
            if path.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def place(self, path: Path, force: bool) -> None:
        """Move what is prepared to its place."""
        before = _content(path) if force else None
        if before is None:
            # whoever came first keeps the name
            path.open("xb").close()
        self._placed[path] = before
        os.replace(self._prepared[path], path)
        del self._prepared[path]

    def undo(self) -> None:
        """Leave everything as it was, as far as that can be."""
        for unfinished in self._prepared.values():
            with suppress(OSError):
                unfinished.unlink()
        for path, before in self._placed.items():
            with suppress(OSError):
                path.unlink() if before is None else path.write_bytes(before)
        for folder in reversed(self._folders):
            with suppress(OSError):
                folder.rmdir()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _listed(paths: list[Path]) -> str:
    names = " and ".join(map(str, paths))
    return f"{names} {'are' if len(paths) > 1 else 'is'}"
