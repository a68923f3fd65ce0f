"""Key files that specs name: public ones are read, of the others it is only seen whether they are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.desired.files import MAX_KEYS_BYTES, Reader, Unreadable
from reconciler.desired.mistakes import Mistake
from reconciler.desired.nodes import Node, Place
from reconciler.desired.public_keys import Judgement, judge_file
from reconciler.records import record


@record
class Found:
    """The texts of public key files by path, and why a pass can't do without one of them."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass
class KeyFiles:
    """The key files of a load, each read once. Warnings are collected in `warnings`."""

    reader: Reader
    warnings: list[Mistake] = field(default_factory=list)
    _read: dict[str, tuple[str, Judgement]] = field(default_factory=dict)
    _there: dict[str, bool] = field(default_factory=dict)

    def of(self, root: Node, files: Iterable[tuple[Place, Node]]) -> Found:
        """The key files of a host's merged spec, `files` being the places that name a file."""
        texts, problems = {}, []
        for place, node in files:
            if place[0] == "access":
                self._look(root, place, node)
                continue
            text, judged = self._public(node.value)
            if judged.wrong is None:
                texts[node.value] = text
            else:
                problems.append(f"{node.value}: {judged.wrong}")
            self._warn(place, node, judged.wrong or judged.weak)
        return Found(texts, tuple(problems))

    def _public(self, path: str) -> tuple[str, Judgement]:
        if path not in self._read:
            try:
                text = self.reader.read_text(path, MAX_KEYS_BYTES)
                self._read[path] = text, judge_file(text)
            except Unreadable as error:
                self._read[path] = "", Judgement(wrong=str(error))
        return self._read[path]

    def _look(self, root: Node, place: Place, node: Node) -> None:
        path = node.value
        if path not in self._there:
            self._there[path] = self.reader.exists(path)
        trust = root.find(("access", "ssh", "trustOnFirstUse"))
        made_later = place[-1] == "knownHosts" and trust is not None and trust.value is True
        if not self._there[path] and not made_later:
            self._warn(place, node, "no such file")

    def _warn(self, place: Place, node: Node, why: str | None) -> None:
        if why is not None:
            self.warnings.append(node.mistake(("spec", *place), f"{node.value}: {why}"))
