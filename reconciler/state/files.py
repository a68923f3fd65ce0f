"""Small files that change whole or not at all, whatever ends the program, and never stop it when they are broken."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.desired.files import reason
from reconciler.state.trouble import StateTrouble

UNFINISHED = ".unfinished-"
"""How the names of files begin that are not yet in their place."""


def write_atomically(path: Path, data: bytes, *, lasting: bool = True) -> None:
    """Have `data` in a file that only its owner may read. When this returns it outlasts a power loss, or, if it need
    not be `lasting`, the end of this program; until then, and when it raises StateTrouble, the file is as it was."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                if lasting:
                    os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        if lasting:
            sync_folder(path.parent)
    except OSError as error:
        raise StateTrouble(
            f"can't write {path}: {reason(error)}", next="make room or give the right there"
        ) from error


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power loss. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # a file system that knows no such thing
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what a killed program has left unfinished; for whoever is the only one that writes there."""
    for left in folder.rglob(f"{UNFINISHED}*"):
        with suppress(OSError):
            left.unlink()


def write_json(path: Path, value: Any, *, lasting: bool = True) -> None:
    """A JSON value as a file, as `write_atomically` does it. Raises StateTrouble."""
    write_atomically(path, json.dumps(value, indent=2).encode() + b"\n", lasting=lasting)


def read_json(path: Path, warn: Callable[[str], None]) -> Any:
    """What `write_json` wrote; None when there is none. A file that is none is set aside, and one that can't be read is
    left; `warn` is told of either, and it is as if there were none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        warn(f"can't read {path}: {reason(error)}; going on as if it were not there")
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        warn(f"{path} is broken; {_put_away(path)}; going on as if it were not there")
        return None


def _put_away(path: Path) -> str:
    try:
        return f"it is {set_aside(path)} now"
    except OSError as error:
        return f"it can't be set aside: {reason(error)}"


def set_aside(path: Path) -> Path:
    """Give a broken file another name, so that a person can look at it; that name. Raises OSError."""
    stem = f"{path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside, number = path.with_name(stem), 1
    while aside.exists():
        aside, number = path.with_name(f"{stem}-{number}"), number + 1
    return path.rename(aside)
