"""Tells profiles of ESX hosts from those of other hypervisors. VCL itself does not say: all that it ships name the
same image."""

from __future__ import annotations

import re

from reconciler.importing.vcl.paths import is_elsewhere, tidy
from reconciler.importing.vcl.rows import ProfileRow
from reconciler.kinds.paths import VOLUMES

_BRIDGE = re.compile(r"(?:vir)?br\d+")
_FOREIGN_FORMATS = frozenset(("qcow2", "vdi"))


def why_not_esx(row: ProfileRow) -> str | None:
    """What shows that a profile is for another hypervisor; None for one of ESX hosts.

    A path on a datastore, or elsewhere, decides; for a bare name it is disk format and switches.
    """
    paths = [tidy(path) for path in (row.datastore, row.vm_path) if path]
    if any(path.startswith(("[", VOLUMES)) for path in paths):
        return None
    outside = next((path for path in paths if is_elsewhere(path)), None)
    if outside is not None:
        return f"its path {outside} is on no datastore"
    if row.disk_format in _FOREIGN_FORMATS:
        return f"its disks are {row.disk_format}"
    bridges = [switch for switch in row.switches if switch and _BRIDGE.fullmatch(switch)]
    return f"its switch {bridges[0]} is a bridge of Linux" if bridges else None
