"""Where a virtual disk or a .vmx lies: VMware's `[datastore] folder/file`, and paths below /vmfs/volumes."""

from __future__ import annotations

import errno
import posixpath
from typing import TYPE_CHECKING

from reconciler.simulator.shell.streams import error
from reconciler.simulator.volumes import Attached

if TYPE_CHECKING:
    from reconciler.simulator.host import Host

ROOT = "/vmfs/volumes/"


def located(host: Host, named: str) -> tuple[Attached, str]:
    """The volume, and the path on it, that `[datastore] folder/file` names; raises ENOENT when there is none.

    Names of datastores may hold brackets and blanks: the longest that fits is meant.
    """
    for volume in sorted(host.volumes.attached, key=lambda each: len(each.name), reverse=True):
        for name in (volume.name, volume.id):
            if name and named.startswith(f"[{name}] "):
                return volume, named[len(name) + 3 :]
    raise error(errno.ENOENT)


def absolute(host: Host, named: str) -> str:
    """`/vmfs/volumes/UUID/folder/file`; raises ENOENT when the datastore is not there."""
    volume, path = located(host, named)
    return f"{ROOT}{volume.id}/{path}"


def placed(host: Host, path: str) -> tuple[Attached, str] | None:
    """The volume of this host that an absolute path is on, and the path on it; None when it is on none."""
    real = posixpath.normpath(path)
    first, _, rest = real.removeprefix(ROOT).partition("/")
    volume = host.volumes.by_name(first) if real.startswith(ROOT) else None
    return None if volume is None else (volume, rest)


def named(host: Host, path: str) -> str:
    """`[datastore] folder/file` of an absolute path; `[] PATH` when it is on no datastore of this host."""
    found = placed(host, path)
    return f"[] {posixpath.normpath(path)}" if found is None else f"[{found[0].name}] {found[1]}"


def hint(host: Host, file: str, seen_from: str) -> str:
    """How VMware writes a disk into a file: by its name alone in the same folder, else by its absolute path."""
    path = absolute(host, file)
    if posixpath.dirname(path) == posixpath.dirname(absolute(host, seen_from)):
        return posixpath.basename(path)
    return path


def text_of(host: Host, path: str) -> str | None:
    """The text of a small file, or None: nothing there, or nothing that could be a text."""
    node = host.files.find(path)
    if node is None or node.kind != "f" or node.size > 1 << 16:
        return None
    return node.data.decode("utf-8", "surrogateescape")
