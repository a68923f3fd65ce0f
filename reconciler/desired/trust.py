"""What specs may name, when whoever writes them must not reach all that this program can: specs from git."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from reconciler.desired.lint import SECRETS
from reconciler.desired.mistakes import Mistake, listed
from reconciler.desired.nodes import Node, Place
from reconciler.records import record

SPEC = ("spec",)
PRIVATE_KEY = ("access", "ssh", "key")
KNOWN_HOSTS = ("access", "ssh", "knownHosts")


@record
class Trust:
    """The border round specs. Folders are absolute paths.

    A secret comes from a program only with `allow_exec`, from a file only below one of `secrets_dirs`, from the
    environment only by a name that fits one of `secrets_env`. All other files lie in `repository`, the folder in which
    the specs are, or below one of `secrets_dirs`; but private keys, of which nothing is ever shown, lie anywhere.
    """

    allow_exec: bool = False
    secrets_dirs: tuple[str, ...] = ("/run/secrets",)
    secrets_env: tuple[str, ...] = ("ESXI_*",)
    repository: str | None = None

    @property
    def folders(self) -> tuple[str, ...]:
        """Where files may lie."""
        return self.secrets_dirs if self.repository is None else (self.repository, *self.secrets_dirs)


class Border:
    """Finds what specs name beyond their border; without `trust` there is none. `real` follows the links of a path."""

    def __init__(self, trust: Trust | None, real: Callable[[str], str]) -> None:
        self._trust = trust
        self._real = functools.cache(real)

    def crossed(self, root: Node, files: Iterable[tuple[Place, Node]]) -> list[Mistake]:
        """The mistakes of one spec whose paths are absolute, `files` being the places that name a file."""
        return list(self._crossed(self._trust, root, files)) if self._trust is not None else []

    def _crossed(self, trust: Trust, root: Node, files: Iterable[tuple[Place, Node]]) -> Iterator[Mistake]:
        for place in SECRETS:
            for part, wrong in (("env", self._variable), ("file", self._file), ("exec", self._program)):
                node = root.find((*place, part))
                what = wrong(trust, node.value) if node is not None and node.value is not None else None
                if node is not None and what is not None:
                    yield node.mistake((*SPEC, *place, part), what)
        for place, node in files:
            if place != PRIVATE_KEY and not self._within(node.value, trust.folders):
                right = f"a path in the repository, or {_below(trust)}"
                yield node.mistake((*SPEC, *place), f"leads out of the repository (would be right: {right})")
        yield from _written(root)

    def _variable(self, trust: Trust, name: Any) -> str | None:
        if any(fnmatchcase(str(name), glob) for glob in trust.secrets_env):
            return None
        right = f"a name that fits {listed(trust.secrets_env)}; --secrets-env allows others"
        return f"is a variable that specs from git must not read (would be right: {right})"

    def _file(self, trust: Trust, path: Any) -> str | None:
        if self._within(str(path), trust.secrets_dirs):
            return None
        return f"is no file from which specs from git may take a secret (would be right: one {_below(trust)})"

    def _program(self, trust: Trust, _: Any) -> str | None:
        right = "{env: NAME} or {file: PATH}; --allow-exec allows programs"
        return None if trust.allow_exec else f"must not run in specs from git (would be right: {right})"

    def _within(self, path: str, folders: Iterable[str]) -> bool:
        if "\0" in path or not path.startswith("/"):
            return True  # a mistake already: no path of a file
        real = self._real(path)
        return any(real.startswith(self._real(folder).rstrip("/") + "/") for folder in folders)


def _written(root: Node) -> Iterator[Mistake]:
    """A file that trustOnFirstUse would write to: whoever pushes must not choose it, and what is written into a
    revision is lost with it, so that the next key would be the first one again."""
    file, trusting = root.find(KNOWN_HOSTS), root.find((*KNOWN_HOSTS[:-1], "trustOnFirstUse"))
    if file is not None and file.value is not None and trusting is not None and trusting.value is True:
        right = "no knownHosts, then keys are kept in the state folder; or trustOnFirstUse: false"
        what = f"can't be written to by trustOnFirstUse in specs from git (would be right: {right})"
        yield file.mistake((*SPEC, *KNOWN_HOSTS), what)


def _below(trust: Trust) -> str:
    return f"below {listed(trust.secrets_dirs)}; --secrets-dir allows other folders"
