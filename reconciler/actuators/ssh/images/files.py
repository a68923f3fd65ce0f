"""The files of a disk on a host, fetched as they are: extents, descriptor and what else belongs to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from reconciler.actuators.ssh.images.runner import HostRunner, Stumbled, must
from reconciler.transports.shell import quote

FILE_SECONDS = 3600.0


def fetch_all(
    runner: HostRunner, folder: str, names: Iterable[str], into: Path, passing: Callable[[int], None]
) -> None:
    """Copy plain files of `folder` on the host; those that are there whole stay.

    `passing` hears the size of each piece that passes, in bytes, and may raise to end it.
    Raises Stumbled, OSError, faults.Unreachable.
    """
    into.mkdir(exist_ok=True)
    for name in names:
        _fetch(runner, f"{folder}/{name}", into / name, passing)


def plain(path: str) -> str:
    """A command that fails, with a word, unless a plain file stands there: a link may lead anywhere on the host."""
    file = quote(path)
    return (
        f"{{ [ -f {file} ] && [ ! -h {file} ] || {{ echo {quote(f'{path} is no plain file')}; false; }}; }}"
    )


def digest_of(path: Path) -> str:
    """MD5 of a file here, as `md5sum` prints it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def names_of(runner: HostRunner, folder: str, stem: str) -> tuple[str, ...]:
    """The plain files of a disk on the host: their names begin with `stem`, and lead nowhere else."""
    each = f'for f in {quote(stem)}*; do [ -f "$f" ] && [ ! -h "$f" ] && printf \'%s\\000\' "$f"; done'
    piece = must(runner, f"cd {quote(folder)} && {each}; true")
    names = [name.decode("utf-8", "surrogateescape") for name in piece.out.split(b"\0") if name]
    return tuple(name for name in names if "/" not in name and name not in (".", ".."))


def _fetch(runner: HostRunner, source: str, target: Path, passing: Callable[[int], None]) -> None:
    digest = must(runner, f"{plain(source)} && md5sum < {quote(source)}", FILE_SECONDS).text.split()[0]
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
