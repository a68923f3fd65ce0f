"""Disks on this machine that are written: empty ones in every form of a repository, grown by a copy."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from reconciler.disks.descriptors import with_adapter
from reconciler.disks.nbd import Export, run

FORMS = {
    "2gbsparse": ("vmdk", "vmdk", ["subformat=twoGbMaxExtentSparse"]),
    "vmdk": ("vmdk", "vmdk", ["subformat=monolithicFlat"]),
    "qcow2": ("qcow2", "qcow2", ["compat=1.1"]),
    "vdi": ("vdi", "vdi", []),
}
"""Driver, ending and options of each form of a repository. `vmdk` is a flat file, which vmkfstools reads as well."""


def disk_file(disk: str, form: str) -> str:
    """The name of the file that opens a disk of that form."""
    return f"{disk}.{FORMS[form][1]}"


def create(folder: Path, disk: str, form: str, capacity: int) -> None:
    """Make an empty disk. Raises MissingTool, QemuFailed."""
    driver, _, options = FORMS[form]
    words = [word for option in options for word in ("-o", option)]
    run(
        ["qemu-img", "create", "-q", "-f", driver, *words, str(folder / disk_file(disk, form)), str(capacity)]
    )


class Target:
    """A disk open for writing; a context manager."""

    def __init__(self, folder: Path, disk: str, form: str, adapter: str = "") -> None:
        """`adapter` is the ddb.adapterType that the descriptor gets in the end."""
        self._folder, self._driver, self._adapter = folder, FORMS[form][0], adapter
        self._file = folder / disk_file(disk, form)

    def __enter__(self) -> Target:
        """Raises MissingTool, QemuFailed."""
        self._export = Export(self._driver, self._file, writable=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._export.close()
        if self._driver == "vmdk":
            _finish(self._file, self._adapter)

    def write(self, offset: int, data: bytes) -> None:
        """Raises OSError when the disk is full, QemuFailed."""
        self._export.write(offset, data)

    def read(self, offset: int, length: int) -> bytes:
        return self._export.read(offset, length)

    def flush(self) -> None:
        self._export.flush()


def open_to_all(folder: Path) -> None:
    """What a capture makes can be read by everybody: 0755, as VCL sets it, so that other management nodes fetch it."""
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o755)
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _finish(descriptor: Path, adapter: str) -> None:
    """Take away what qemu leaves behind a descriptor's text when it writes it anew: zeros, and the end of a longer
    one; not every reader stops at the first zero. And name the adapter that the source has."""
    text = descriptor.read_bytes()
    whole = text.partition(b"\0")[0]
    if adapter:
        whole = with_adapter(whole, adapter)
    if whole != text:
        descriptor.write_bytes(whole)
