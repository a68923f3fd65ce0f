"""One pure module per kind of resource; `KINDS` is the explicit list of them."""

from __future__ import annotations

from typing import Any

from reconciler.kinds import (
    authorized_keys,
    datastores,
    images,
    placement,
    port_groups,
    ssh,
    working_directory,
)
from reconciler.kinds.model import Kind

KINDS: tuple[Kind[Any], ...] = (
    ssh.KIND,
    authorized_keys.KIND,
    datastores.KIND,
    working_directory.KIND,
    images.KIND,
    port_groups.KIND,
    placement.KIND,
)
