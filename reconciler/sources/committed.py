"""Spec files of a commit: called by their paths within the repository, read where they were written to."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.desired.files import DISK, spec_files


class CommittedFiles:
    """A reader of the files below `tree`, which are told to lie below `shown`.

    `shown` is the same for every commit, so that specs which name files of the repository stay equal over commits.
    """

    def __init__(self, shown: Path, tree: Path) -> None:
        self._shown, self._tree = str(shown), str(tree)

    def spec_files(self, path: Path) -> tuple[list[str], dict[str, str]]:
        files, closed = spec_files(Path(self._tree, path))
        return [self._name(file) for file in files], {self._name(file): why for file, why in closed.items()}

    def locate(self, name: str) -> str:
        return os.path.join(self._shown, name)

    def real(self, path: str) -> str:
        return DISK.real(self._place(path))

    def read_text(self, path: str, limit: int) -> str:
        return DISK.read_text(self._place(path), limit)

    def exists(self, path: str) -> bool:
        return DISK.exists(self._place(path))

    def _name(self, file: str) -> str:
        return os.path.relpath(file, self._tree)

    def _place(self, path: str) -> str:
        """Where a file really lies that is told to lie below `shown`."""
        below = path == self._shown or path.startswith(self._shown + "/")
        return self._tree + path[len(self._shown) :] if below else path
