"""The last good spec files, kept in the state folder: a restart with broken specs still has them."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reconciler.desired.files import DISK
from reconciler.sources.reading import Record, SpecFile, read
from reconciler.sources.revision import Rejected, Revision
from reconciler.state.files import write_atomically
from reconciler.state.trouble import StateTrouble

NAME = "last-good-specs.json"
_FORMAT = 1
_LOG = logging.getLogger("reconciler")


class Kept:
    """The last good revision of some paths, below the state folder; what others left there is not theirs."""

    def __init__(self, paths: Sequence[Path], state_dir: Path) -> None:
        self._owner = sorted({os.path.abspath(path) for path in paths})
        self._file = state_dir / NAME
        self._told = False

    def keep(self, record: Record) -> bool:
        """Keep what a good load read; whether that was possible. If not, an older one goes if it can: a start must not
        put a revision into force that was followed by others."""
        content = {
            "format": _FORMAT,
            "owner": self._owner,
            "key": record.key(),
            "specs": {path: [asdict(file) for file in files] for path, files in record.specs.items()},
            "texts": record.texts,
            "failures": record.failures,
        }
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._file, json.dumps(content).encode())
            self._told = False
            return True
        except (OSError, StateTrouble) as error:
            if not self._told:
                self._told = True
                _LOG.warning("the specs in force can't be kept for the next start: %s", error)
            with suppress(OSError):
                self._file.unlink()
            return False

    def restore(self) -> tuple[Revision, str] | None:
        """The revision, and the key of its record; None when none is kept, or (with a warning) it can't be used."""
        try:
            return self._restored()
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _LOG.warning("the last good specs, kept in %s, can't be used: %s", self._file, error)
            return None

    def _restored(self) -> tuple[Revision, str] | None:
        content = json.loads(self._file.read_bytes())
        if content["format"] != _FORMAT:
            raise ValueError("they were kept by another version of this program")
        if content["owner"] != self._owner:
            return None
        record = _record(content)
        if record.key() != content["key"]:
            raise ValueError("the file is damaged")
        found = read([Path(path) for path in record.specs], _Snapshot(record)).found
        if isinstance(found, Rejected):
            raise ValueError(f"this version of the program finds a mistake: {found.mistakes[0]}")
        return found, content["key"]


def _record(content: Any) -> Record:
    specs = {path: [SpecFile(**file) for file in files] for path, files in content["specs"].items()}
    return Record(specs, dict(content["texts"]), dict(content["failures"]))


class _Snapshot:
    """A reader of what was recorded. What was not, such as a private key, is asked of the disk."""

    def __init__(self, record: Record) -> None:
        self._record = record
        files = [file for files in record.specs.values() for file in files]
        self._locations = {file.name: file.location for file in files}
        self._real = {file.location: file.real for file in files}

    def spec_files(self, path: Path) -> tuple[list[str], dict[str, str]]:
        return [file.name for file in self._record.specs[str(path)]], {}

    def locate(self, name: str) -> str:
        return self._locations[name]

    def real(self, path: str) -> str:
        return self._real.get(path) or DISK.real(path)

    def read_text(self, path: str, limit: int) -> str:
        text = self._record.texts.get(path)
        return text if text is not None else DISK.read_text(path, limit)

    def exists(self, path: str) -> bool:
        return DISK.exists(path)
