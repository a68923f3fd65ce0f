"""The keys that a person names for an import: what root's authorized keys become, and with which one to log in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.desired.files import MAX_KEYS_BYTES, Unreadable, read_text
from reconciler.desired.public_keys import judge_file
from reconciler.importing.notes import CannotImport
from reconciler.kinds.key_lines import KeyLine, parse_key_line
from reconciler.records import record

PUBLIC = ".pub"


@record
class Keys:
    """`private`: the absolute path of the private key to log in with; `public`: lines of authorized_keys, each with
    the file that it is from."""

    private: str | None = None
    public: tuple[tuple[str, str], ...] = ()


NO_KEYS = Keys()


def read_keys(paths: Sequence[str]) -> Keys:
    """The keys of some files: public ones, or private ones whose public half lies beside them with `.pub` at the end
    of its name. Private keys are not read. Raises CannotImport for a file that holds none."""
    private = [path for path in paths if _is_private(path)]
    lines: dict[tuple[str, str], tuple[str, str]] = {}
    for path in paths:
        file = path + PUBLIC if path in private else path
        for line, key in _public(file):
            lines.setdefault(key.identity, (line, file))
    return Keys(_absolute(private[0]) if private else None, tuple(lines.values()))


def _is_private(path: str) -> bool:
    return not path.endswith(PUBLIC) and Path(path + PUBLIC).expanduser().exists()


def _public(path: str) -> list[tuple[str, KeyLine]]:
    try:
        text = read_text(str(Path(path).expanduser()), MAX_KEYS_BYTES)
    except Unreadable as error:
        raise CannotImport(f"--key {path}: {error}") from None
    if "PRIVATE KEY" in text:
        raise CannotImport(
            f"--key {path}: its public half {path}{PUBLIC} is not there; make it with "
            f"`ssh-keygen -y -f {path} > {path}{PUBLIC}`"
        )
    wrong = judge_file(text).wrong
    if wrong is not None:
        raise CannotImport(f"--key {path}: {wrong}")
    lines = [line.strip() for line in text.splitlines()]
    return [(line, key) for line in lines if (key := parse_key_line(line)) is not None]


def _absolute(path: str) -> str:
    absolute = os.path.abspath(os.path.expanduser(path))
    if "${" in absolute or not absolute.isprintable():
        raise CannotImport(f"--key {path}: a spec can't carry this path; give the key another name")
    return absolute
