"""The datastores of the host as they are just before a verb touches one."""

from __future__ import annotations

from typing import Any

from reconciler.actuators.sdk.reach import unspeakable
from reconciler.actuators.sdk.session import Session, Stumbled
from reconciler.facts import NfsSource
from reconciler.kinds.paths import VOLUMES, parse_datastore_path
from reconciler.records import record
from reconciler.transports.sdk import HOST_DATASTORES, Row, Want
from reconciler.transports.sdk.nas import nfs_source

PATHS = ("summary", "info", "host")


@record
class Volume:
    """`object` is the Datastore, `id` the name of its folder below /vmfs/volumes, `security` that of an NFS 4.1 mount;
    `nfs` is None for everything that is no NFS mount."""

    object: Any
    name: str
    id: str
    nfs: NfsSource | None
    security: str = ""


def volumes(session: Session) -> tuple[Volume, ...]:
    """All of them. Raises Stumbled when one can't be read: it could be the one that is meant."""
    return tuple(_volume(row) for row in session.read([Want("Datastore", PATHS, of=HOST_DATASTORES)]))


def volume_at(path: str, session: Session) -> Volume:
    """The datastore of an absolute path, by its name, or else by its folder below /vmfs/volumes; vSphere writes paths
    with the name only. Raises Stumbled."""
    wanted = parse_datastore_path(path).datastore
    there = volumes(session)
    fitting = [it for it in there if it.name == wanted] or [it for it in there if it.id == wanted]
    if not fitting:
        raise Stumbled(f"the host has no datastore {wanted!r}")
    against = unspeakable(fitting[0].name)
    if against is not None:
        raise Stumbled(against)
    return fitting[0]


def _volume(row: Row) -> Volume:
    for path in PATHS:
        if path not in row.values:
            raise Stumbled(f"a datastore does not show its {path}: {row.missing.get(path, 'it is not set')}")
    summary, nas = row.values["summary"], getattr(row.values["info"], "nas", None)
    folder = (summary.url or "").partition(VOLUMES)[2].strip("/")
    nfs = None if nas is None else nfs_source(nas, row.values["host"])
    return Volume(row.object, summary.name, folder, nfs, getattr(nas, "securityType", None) or "")
