"""Locks on files of datastores, which hold for every host that mounts the volume.

`exclusive`: the disk of a running machine, or one that is being written; nobody else reads, writes, renames or
removes it. `shared`: a parent in the chain of a running machine, or the source of a clone; it can be read. On NFS a
lock shows as a file `.lck-…` beside its file (documented by VMware).
"""

from __future__ import annotations

import hashlib

from reconciler.simulator.nodes import Node, walk

_HELD: dict[str, list[tuple[Node, Node | None, str]]] = {}


def hold(node: Node, kind: str, owner: str) -> None:
    """Lock a file for `owner`, who is unlike any other in this process. Raises EBUSY when another lock forbids it."""
    others = {who: how for who, how in node.locks.items() if who != owner}
    if "exclusive" in others.values() or (others and kind == "exclusive"):
        node.refuse_locked(writing=True)
    node.locks[owner] = "exclusive" if "exclusive" in (kind, node.locks.get(owner)) else kind
    folder = _folder_of(node) if node.volume.kind == "NFS" else None
    marker = f".lck-{hashlib.sha256(f'{owner}/{node.inode}'.encode()).hexdigest()[:16]}"
    if folder is not None:
        folder.children[marker] = Node(node.volume, "f", 0o600, node.mtime)
    _HELD.setdefault(owner, []).append((node, folder, marker))


def _folder_of(node: Node) -> Node | None:
    every = (it for _, it in walk(node.volume.root, ""))
    return next((it for it in every if any(child is node for child in it.children.values())), None)


def release(owner: str) -> None:
    """Let all go that an owner holds."""
    for node, folder, marker in _HELD.pop(owner, []):
        node.locks.pop(owner, None)
        if folder is not None:
            folder.children.pop(marker, None)
