"""What is read of managed objects: wishes, and how the API is asked for all of them in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.records import record

HOST_DATASTORES = "datastore"
"""All datastores of the session's host."""
HOST_VMS = "vm"
"""All virtual machines that are registered on the session's host."""


@record
class Through:
    """All objects that a managed object names in one of its properties: a view's `view`."""

    start: Any
    path: str


@record
class Want:
    """Properties of objects of one kind (`VirtualMachine`), by their paths (`config.files.vmPathName`).

    `of` is a managed object, several, a `Through`, or the name of a list on the host (HOST_DATASTORES, HOST_VMS).
    """

    kind: str
    paths: tuple[str, ...]
    of: Any


@record
class Row:
    """What one object shows. `missing` has the paths that it would not show, and why; what is in neither is not set."""

    object: Any
    values: Mapping[str, Any]
    missing: Mapping[str, str]
