"""A repository on this machine: which images it holds, and what each is worth. Kept until a file changes."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

from reconciler.disks.chunks import taken
from reconciler.disks.descriptors import BadDisk
from reconciler.disks.nbd import MissingTool, tool
from reconciler.disks.sources import look, open_source
from reconciler.image_facts import FILE_BLOCKS, ImageState

__all__ = ["MissingTool", "folder_names", "image_state"]

_GATE = threading.Lock()
_CARRIED: dict[tuple[object, ...], ImageState] = {}
MOST_KEPT = 4096


def folder_names(base: str) -> tuple[str, ...] | None:
    """The folders directly below `base`, dot-folders left out. None: there is no such folder. Raises OSError."""
    try:
        with os.scandir(base) as entries:
            names = [
                it.name for it in entries if it.is_dir(follow_symlinks=False) and not it.name.startswith(".")
            ]
    except FileNotFoundError:
        return None
    return tuple(sorted(names))


def image_state(base: str, folder: str, disk: str, form: str) -> ImageState | None:
    """What lies in `base/folder`, judged as the image `disk`; `data` is what a copy would carry, and `spread` is told.

    None: no such folder. Raises OSError, MissingTool, QemuFailed (it can't be told what the disk is worth).
    """
    where = Path(base) / folder
    if where.is_symlink():
        return ImageState(False, "its folder is a link", folder=False)
    state = look(where, disk, form)
    if state is None or not state.whole:
        return state
    tool("qemu-img")
    tool("qemu-nbd")
    key = (str(where), disk, form, *(_stamp(where / file.name) for file in state.files))
    with _GATE:
        if key not in _CARRIED:
            if len(_CARRIED) >= MOST_KEPT:
                _CARRIED.clear()
            _CARRIED[key] = _carried(where, disk, form, state)
        return _CARRIED[key]


def _stamp(path: Path) -> tuple[str, int, int, int, int]:
    info = path.lstat()
    return path.name, info.st_size, info.st_mtime_ns, info.st_ino, info.st_mode


def _carried(where: Path, disk: str, form: str, state: ImageState) -> ImageState:
    try:
        source = open_source(where, disk, form)
    except BadDisk as bad:
        return replace(state, whole=False, runnable=False, why=str(bad))
    source.close()
    spread = tuple(taken(source.runs, block) for block in FILE_BLOCKS)
    return replace(state, data=sum(run.length for run in source.runs), spread=spread)
