"""Folders on datastores over the SDK: FileManager."""

from __future__ import annotations

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.session import Session
from reconciler.actuators.sdk.volumes import volume_at
from reconciler.kinds.paths import DatastorePath, parse_datastore_path
from reconciler.transports.sdk.answers import MethodFault
from reconciler.verbs import MakeFolder

THERE = "vim.fault.FileAlreadyExists"


def make_folder(verb: MakeFolder, session: Session) -> Answer:
    """Make it, and those above it. Raises MethodFault, Stumbled, faults.Unreachable."""
    found = volume_at(verb.path, session)
    name = DatastorePath(found.name, parse_datastore_path(verb.path).relative).spelled
    try:
        session.call(session.content.fileManager, "MakeDirectory", name=name, createParentDirectories=True)
    except MethodFault as fault:
        if fault.name != THERE:
            raise
    return Answer(True)
