"""Spec files into desired hosts, or into every mistake that is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.desired.check import check
from reconciler.desired.files import DISK, MAX_SPEC_BYTES, Reader, Unreadable
from reconciler.desired.host import DesiredHost
from reconciler.desired.key_files import Found, KeyFiles
from reconciler.desired.lint import lint, lint_keys, lint_together
from reconciler.desired.merge import NAME_VARIABLE, Localiser
from reconciler.desired.mistakes import Mistake, SpecMistakes
from reconciler.desired.model import Document, HostSpec, ProfileSpec
from reconciler.desired.nodes import Node, Place
from reconciler.desired.profiles import Profiles, Resolved, named
from reconciler.desired.shape import shape_of
from reconciler.desired.trust import Border, Trust
from reconciler.desired.yaml import parse
from reconciler.kinds.model import Source
from reconciler.records import record

SPEC = ("spec",)
NAME = ("metadata", "name")


@record
class Loaded:
    """What a set of spec files says. `digest` is a SHA-256 in hex that names this revision of the files."""

    hosts: tuple[DesiredHost, ...]
    warnings: tuple[Mistake, ...]
    digest: str


@record
class _Written:
    """A document whose head is right."""

    name: str
    labels: dict[str, str]
    spec: Node
    document: Node


@dataclass
class _Load:
    """One load at work. `complete`: all that the files say could be read; `texts` are by real path."""

    reader: Reader
    border: Border
    mistakes: list[Mistake] = field(default_factory=list)
    complete: bool = True
    documents: list[Node] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    hosts: list[_Written] = field(default_factory=list)
    profiles: list[_Written] = field(default_factory=list)
    paths: dict[tuple[str, str], str] = field(default_factory=dict)

    def wrong(self, file: str, where: str, what: str, line: int = 1, column: int = 1) -> None:
        self.mistakes.append(Mistake(file, line, column, where, what))
        self.complete = False


def load(paths: Sequence[Path], reader: Reader = DISK, trust: Trust | None = None) -> Loaded:
    """Read, merge and check all specs below some files and folders. Opens no connection and resolves no secret.

    `trust` is what the specs may name; None: whatever they like. Raises SpecMistakes with every mistake of every file.
    """
    work = _Load(reader, Border(trust, reader.real))
    for path in paths:
        _read_path(work, path)
    for document in work.documents:
        _read_document(work, document)
    hosts, warnings = _desired(work)
    if work.mistakes:
        raise SpecMistakes(work.mistakes, warnings)
    return Loaded(tuple(hosts), tuple(sorted(set(warnings))), _digest(work.texts))


def _digest(texts: dict[str, str]) -> str:
    whole = hashlib.sha256()
    for _, text in sorted(texts.items()):
        whole.update(hashlib.sha256(text.encode()).digest())
    return whole.hexdigest()


def _read_path(work: _Load, path: Path) -> None:
    try:
        files, closed = work.reader.spec_files(path)
    except Unreadable as error:
        work.wrong(str(path), "path", str(error))
        return
    before = len(work.documents), len(work.mistakes)
    for folder, why in closed.items():
        work.wrong(folder, "path", why)
    unread = [file for file in files if _identity(work, file) not in work.texts]
    for file in unread:
        _read_file(work, file)
    if (len(work.documents), len(work.mistakes)) == before and len(unread) == len(files):
        work.wrong(str(path), "path", "there are no specs here (would be right: a *.yaml file with a Host)")


def _identity(work: _Load, file: str) -> str:
    return work.reader.real(work.reader.locate(file))


def _read_file(work: _Load, file: str) -> None:
    try:
        text = work.reader.read_text(work.reader.locate(file), MAX_SPEC_BYTES)
    except Unreadable as error:
        work.wrong(file, "file", str(error), error.line, error.column)
        return
    work.texts[_identity(work, file)] = text
    parsed = parse(text, file)
    work.documents += parsed.documents
    work.mistakes += parsed.mistakes
    work.complete = work.complete and parsed.complete


def _read_document(work: _Load, document: Node) -> None:
    """Check what stands around the spec, and keep the document."""
    if not isinstance(document.value, dict):
        work.mistakes.append(
            document.mistake(("document",), "must be a map with apiVersion, kind, metadata and spec")
        )
        return
    head = document.with_value({key: node for key, node in document.value.items() if key != "spec"})
    checked = check(head, Document, ())
    work.mistakes += checked.mistakes
    spec = _spec(work, document)
    kind = document.child("kind")
    if spec is None or kind is None:
        return
    labels = checked.value.metadata.labels if checked.value is not None else None
    written = _Written(_name(document), dict(labels or {}), spec, document)
    if kind.value == "Host":
        work.hosts.append(written)
    elif kind.value == "Profile":
        work.mistakes += check(spec, ProfileSpec, SPEC, partial=True).mistakes
        work.profiles.append(written)


def _spec(work: _Load, document: Node) -> Node | None:
    spec = document.child("spec")
    if spec is None or spec.value is None:
        return (spec or document).with_value({})
    if isinstance(spec.value, dict):
        return spec
    work.mistakes.append(spec.mistake(SPEC, "must be a map"))
    return None


def _name(document: Node) -> str:
    node = document.find(NAME)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _by_name(work: _Load, documents: Iterable[_Written], kind: str) -> dict[str, _Written]:
    """The documents by name; a second one of the same name is a mistake."""
    named: dict[str, _Written] = {}
    for written in documents:
        first = named.setdefault(written.name, written)
        if first is not written and written.name:
            other = first.document.nearest(NAME)
            what = f"there are two {kind}s {written.name!r}: the other one is at {other.file}:{other.line}"
            work.mistakes.append(written.document.nearest(NAME).mistake(NAME, what))
    return named


def _desired(work: _Load) -> tuple[list[DesiredHost], list[Mistake]]:
    """The hosts, and the warnings."""
    _by_name(work, work.hosts, "host")
    specs = {name: written.spec for name, written in _by_name(work, work.profiles, "profile").items()}
    profiles, keys = Profiles(specs, work.complete), KeyFiles(work.reader)
    merged = [profiles.over(written.spec) for written in work.hosts]
    hosts = [_host(work, written, over, keys) for written, over in zip(work.hosts, merged, strict=True)]
    whole = (host for host, over in zip(hosts, merged, strict=True) if over.whole)
    mistakes, weak = lint(hosts, whole)
    _lint_profiles(work, profiles, keys, weak)
    work.mistakes += mistakes + profiles.mistakes
    return hosts, keys.warnings + weak


def _lint_profiles(work: _Load, profiles: Profiles, keys: KeyFiles, warnings: list[Mistake]) -> None:
    """A key or a path that is wrong is so in every profile, whoever may replace it. What does not go together is
    looked for where all has come together: in hosts, and in the profiles on which nothing builds."""
    base = {name for written in (*work.hosts, *work.profiles) for name, _ in named(written.spec)}
    for written in work.profiles:
        # which host it will be is open, and so are the names of its files
        local = Localiser(NAME_VARIABLE, work.reader.locate, work.paths)
        root = local.localise(written.spec, shape_of(HostSpec))
        lint_keys(root, work.mistakes, warnings)
        work.mistakes += local.mistakes + work.border.crossed(root, local.files)
        if written.name not in base:
            _lint_top(work, profiles.over(written.spec).spec, keys)


def _lint_top(work: _Load, spec: Node, keys: KeyFiles) -> None:
    local = Localiser(NAME_VARIABLE, work.reader.locate, work.paths)
    root = local.localise(spec, shape_of(HostSpec))
    wrong = work.border.crossed(root, local.files)
    found = keys.of(root, (it for it in local.files if _is_certain(*it))) if not wrong else Found()
    work.mistakes += [*wrong, *lint_together(root, found.texts)]


def _is_certain(place: Place, node: Node) -> bool:
    """Whether a host can't make it another file, nor do without it: known hosts may be written on first use."""
    return NAME_VARIABLE not in node.value and place[-1] != "knownHosts"


def _host(work: _Load, written: _Written, merged: Resolved, keys: KeyFiles) -> DesiredHost:
    local = Localiser(written.name, work.reader.locate, work.paths)
    root = local.localise(merged.spec, shape_of(HostSpec))
    checked = check(root, HostSpec, SPEC, partial=not merged.whole)
    mistakes = local.mistakes + work.border.crossed(root, local.files) + checked.mistakes
    work.mistakes += mistakes
    spec: Any = checked.value or HostSpec()
    found = keys.of(root, local.files) if not mistakes else Found()
    document = written.document
    return DesiredHost(
        name=written.name,
        address=spec.address or written.name,
        labels=written.labels,
        spec=spec,
        document=Source(document.file, document.line),
        root=root,
        key_files=found.texts,
        problems=found.problems,
    )
