"""Which master images hosts get."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping

from reconciler.importing.notes import Note, Sort
from reconciler.importing.vcl.rows import RevisionRow, Snapshot
from reconciler.importing.vcl.work import refusal
from reconciler.kinds.images.setup import short_name

NONE = "noimage"
VMWARE = "vmware"


def production(rows: Snapshot, notes: list[Note]) -> tuple[str, ...]:
    """The names of all production revisions of images for VMware, in the order of the alphabet."""
    wanted = (row for row in rows.revisions if row.production and row.install_type == VMWARE)
    left_out: dict[str, str] = {}
    names = tuple(_names(wanted, left_out))
    notes += _noted(left_out)
    return names


def loaded(rows: Snapshot, notes: list[Note]) -> dict[int, tuple[str, ...]]:
    """The names of those that the machines on each computer have loaded, whichever of its vmhosts they belong to."""
    revisions = {row.id: row for row in rows.revisions}
    computers = {row.id: row.computer for row in rows.hosts}
    by_host: dict[int, set[RevisionRow]] = {}
    for host, revision in rows.loaded:
        if revision in revisions and host in computers:
            by_host.setdefault(computers[host], set()).add(revisions[revision])
    left_out: dict[str, str] = {}
    names = {host: tuple(_names(wanted, left_out)) for host, wanted in by_host.items()}
    notes += _noted(left_out)
    return names


def _names(revisions: Iterable[RevisionRow], left_out: dict[str, str]) -> Iterator[str]:
    """The names of those that are not deleted and that a spec can carry side by side."""
    short: dict[str, str] = {}
    for name in sorted({row.name for row in revisions if not row.gone and NONE not in (row.name, row.image)}):
        if _is_unfit(name):
            left_out[name] = "it is no name of an image"
        elif (other := short.setdefault(short_name(name), name)) != name:
            left_out[name] = f"it is one name with {other!r} to vCenter"
        else:
            yield name


@functools.lru_cache(4096)
def _is_unfit(name: str) -> bool:
    return refusal({"images": {name: {}}}) is not None


def _noted(left_out: Mapping[str, str]) -> Iterator[Note]:
    return (Note(Sort.LEFT_OUT, f"image {name!r}: {why}") for name, why in sorted(left_out.items()))
