"""Which master images hosts get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.importing.notes import Note, Sort
from reconciler.importing.vcl.rows import RevisionRow, Snapshot
from reconciler.importing.vcl.work import refusal
from reconciler.kinds.images.setup import short_name

NONE = "noimage"
VMWARE = "vmware"


def production(rows: Snapshot, notes: list[Note]) -> tuple[str, ...]:
    """The names of all production revisions of images for VMware, in the order of the alphabet."""
    wanted = (row for row in rows.revisions if row.production and row.install_type == VMWARE)
    return tuple(_names(wanted, notes))


def loaded(rows: Snapshot, notes: list[Note]) -> dict[int, tuple[str, ...]]:
    """The names of those that the machines of each vmhost have loaded."""
    revisions = {row.id: row for row in rows.revisions}
    by_host: dict[int, set[RevisionRow]] = {}
    for host, revision in rows.loaded:
        if revision in revisions:
            by_host.setdefault(host, set()).add(revisions[revision])
    return {host: tuple(_names(wanted, notes)) for host, wanted in by_host.items()}


def _names(revisions: Iterable[RevisionRow], notes: list[Note]) -> Iterator[str]:
    """The names of those that are not deleted and that a spec can carry side by side; the others are noted once."""
    short: dict[str, str] = {}
    for name in sorted({row.name for row in revisions if not row.gone and NONE not in (row.name, row.image)}):
        other = short.setdefault(short_name(name), name)
        if refusal({"images": {name: {}}}) is not None:
            _say(notes, f"image {name!r}: it is no name of an image")
        elif other != name:
            _say(notes, f"image {name!r}: it is one name with {other!r} to vCenter")
        else:
            yield name


def _say(notes: list[Note], what: str) -> None:
    note = Note(Sort.LEFT_OUT, what)
    if note not in notes:
        notes.append(note)
