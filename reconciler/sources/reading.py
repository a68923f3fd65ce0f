"""A load that remembers what it read, so that it can be kept, compared and watched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from reconciler.desired import Mistake, SpecMistakes, Trust, load
from reconciler.desired.files import Reader, Unreadable
from reconciler.records import record
from reconciler.sources.revision import Rejected, Revision


@record
class SpecFile:
    """`name` as in messages, the absolute path, and where that leads with all links followed."""

    name: str
    location: str
    real: str


@dataclass
class Record:
    """What a load read: the spec files of each path that was given, the texts of all files by absolute path, and why
    others could not be read."""

    specs: dict[str, list[SpecFile]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> set[str]:
        """All files that matter, be they there or not."""
        return self.texts.keys() | self.failures.keys()

    def key(self) -> str:
        """A digest in hex: the same whenever the same was read."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Recorder:
    """A reader that writes down what another one reads."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self.record = Record()

    def spec_files(self, path: Path) -> tuple[list[str], dict[str, str]]:
        files, closed = self._inner.spec_files(path)
        found = [SpecFile(name, self.locate(name), self.real(self.locate(name))) for name in files]
        self.record.specs[str(path)] = found
        return files, closed

    def locate(self, name: str) -> str:
        return self._inner.locate(name)

    def real(self, path: str) -> str:
        return self._inner.real(path)

    def read_text(self, path: str, limit: int) -> str:
        try:
            self.record.texts[path] = text = self._inner.read_text(path, limit)
        except Unreadable as error:
            self.record.failures[path] = str(error)
            raise
        return text

    def exists(self, path: str) -> bool:
        return self._inner.exists(path)


@record
class Reading:
    """What came of a load, and what it read."""

    found: Revision | Rejected
    record: Record


def read(
    paths: Sequence[Path], reader: Reader, trust: Trust | None = None, commit: str | None = None
) -> Reading:
    """Load the specs. Without any host they count as empty: nobody lets a whole fleet go by a commit."""
    recorder = Recorder(reader)
    try:
        loaded = load(paths, recorder, trust)
    except SpecMistakes as wrong:
        return Reading(Rejected(commit, wrong.mistakes), recorder.record)
    if not loaded.hosts:
        what = "there is no host in the specs (would be right: a document with kind: Host)"
        mistake = Mistake(str(paths[0]), 1, 1, "path", what)
        return Reading(Rejected(commit, (mistake,)), recorder.record)
    return Reading(Revision(commit or loaded.digest, loaded.hosts, loaded.warnings), recorder.record)
