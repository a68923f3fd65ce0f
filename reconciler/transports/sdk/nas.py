"""What the API tells of an NFS mount."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.facts import NfsSource


def nfs_source(nas: Any, mounts: Iterable[Any]) -> NfsSource | None:
    """Where a mount comes from, as it was made (HostNasVolume); None for CIFS. Its mounts tell if it is read-only."""
    kind = nas.type.upper()
    if kind not in ("NFS", "NFS41"):
        return None
    names = getattr(nas, "remoteHostNames", None) or [nas.remoteHost]
    server = ",".join(names) if kind == "NFS41" else nas.remoteHost
    read_only = any(it.mountInfo.accessMode == "readOnly" for it in mounts)
    return NfsSource(server, nas.remotePath, "4.1" if kind == "NFS41" else "3", read_only)
