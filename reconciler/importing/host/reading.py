"""Documents that are not in files yet, read as if they were, beside the spec files of a profile."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reconciler.desired.files import DISK
from reconciler.desired.load import Loaded, load
from reconciler.importing.host.drafts import Draft, file_of
from reconciler.importing.writing import text
from reconciler.records import record


class _Beside:
    """A reader of texts by name, and of the disk for all else but what is to be overwritten."""

    def __init__(self, texts: Mapping[str, str], hidden: Iterable[Path]) -> None:
        self._texts = {os.path.abspath(name): text for name, text in texts.items()}
        self._hidden = {os.path.realpath(path) for path in hidden}

    def spec_files(self, path: Path) -> tuple[list[str], dict[str, str]]:
        if os.path.abspath(path) in self._texts:
            return [str(path)], {}
        files, closed = DISK.spec_files(path)
        return [file for file in files if os.path.realpath(file) not in self._hidden], closed

    def locate(self, name: str) -> str:
        return DISK.locate(name)

    def real(self, path: str) -> str:
        return path if path in self._texts else DISK.real(path)

    def read_text(self, path: str, limit: int) -> str:
        text = self._texts.get(path)
        return text if text is not None else DISK.read_text(path, limit)

    def exists(self, path: str) -> bool:
        return DISK.exists(path)


@record
class Beside:
    """The spec files among which new ones are to be. `hidden` are those that will be overwritten."""

    paths: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()

    def load(self, texts: Mapping[str, str]) -> Loaded:
        """The specs of these texts, by the names that messages show, and of the files. Raises SpecMistakes."""
        return load([*self.paths, *map(Path, texts)], _Beside(texts, self.hidden))

    def drafts(self, drafts: Sequence[Draft]) -> Loaded:
        """The specs of drafts. Raises SpecMistakes."""
        return self.load({file_of(draft): text([draft.document()]) for draft in drafts})
