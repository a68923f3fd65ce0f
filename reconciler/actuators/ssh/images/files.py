"""The files of a disk on a host, fetched as they are: extents, descriptor and what else belongs to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from reconciler.actuators.ssh.images.runner import HostRunner, Stumbled, must
from reconciler.transports.shell import quote

FILE_SECONDS = 3600.0


def fetch_all(runner: HostRunner, folder: str, stem: str, into: Path, passing: Callable[[int], None]) -> None:
    """Copy all files of `folder` on the host whose names begin with `stem`; those that are there whole stay.

    `passing` hears the size of each piece that passes, in bytes, and may raise to end it.
    Raises Stumbled, OSError, faults.Unreachable.
    """
    into.mkdir(exist_ok=True)
    for name in _names(runner, folder, stem):
        _fetch(runner, f"{folder}/{name}", into / name, passing)


def digest_of(path: Path) -> str:
    """MD5 of a file here, as `md5sum` prints it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _names(runner: HostRunner, folder: str, stem: str) -> list[str]:
    """The files of a disk on the host; names that lead out of its folder are none."""
    each = f'for f in {quote(stem)}*; do [ -f "$f" ] && printf \'%s\\000\' "$f"; done'
    piece = must(runner, f"cd {quote(folder)} && {each}; true")
    names = [name.decode("utf-8", "surrogateescape") for name in piece.out.split(b"\0") if name]
    return [name for name in names if "/" not in name and name not in (".", "..")]


def _fetch(runner: HostRunner, source: str, target: Path, passing: Callable[[int], None]) -> None:
    digest = must(runner, f"md5sum < {quote(source)}", FILE_SECONDS).text.split()[0]
    if target.is_file() and digest_of(target) == digest:
        return
    taken = hashlib.md5(usedforsecurity=False)
    with target.open("wb") as stream:

        def take(piece: bytes) -> None:
            taken.update(piece)
            stream.write(piece)
            passing(len(piece))

        output = runner.session.receive(f"cat {quote(source)}", take, limit=FILE_SECONDS)
    if output.status != 0 or taken.hexdigest() != digest:
        said = output.err.decode("utf-8", "replace").strip()
        raise Stumbled(said or f"{source} changed while it was read")
