"""Disks on this machine that are read: only after they are seen to be whole and to name nothing but themselves."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from reconciler.disks import headers
from reconciler.disks.chunks import BLOCK, Run, aligned, joined
from reconciler.disks.descriptors import MAX_BYTES, BadDisk, parse
from reconciler.disks.judging import judge
from reconciler.disks.nbd import Export, image_options, run
from reconciler.image_facts import Descriptor, DiskFile, ImageState

PIECE = 1 << 20
_ZEROS = bytes(BLOCK)


def look(folder: Path, disk: str, form: str) -> ImageState | None:
    """What lies in a folder, judged as the image `disk`. None: there is no such folder. Raises OSError.

    Nothing is opened but plain files, and links are not followed.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        mode = folder.stat().st_mode & 0o7777
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return ImageState(False, "a file is in the way", folder=False)
    files = tuple(_file(Path(entry.path)) for entry in entries)
    plain = {file.name for file in files if file.kind == "-"}
    said: dict[str, Descriptor | str] = {
        name: headers.described(name, _head(folder / name))
        for name in plain & {f"{disk}.qcow2", f"{disk}.vdi"}
    }
    said |= {name: _descriptor(folder / name) for name in plain & {f"{disk}.vmdk"}}
    state = judge(disk, form, (DiskFile(".", 0, mode, "d"), *files), said)
    return _deeper(state, folder) if state.whole and form not in ("qcow2", "vdi") else state


def _file(path: Path) -> DiskFile:
    info = path.lstat()
    kind = {stat.S_IFREG: "-", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}.get(stat.S_IFMT(info.st_mode), "?")
    allocated = info.st_blocks * 512
    return DiskFile(path.name, info.st_size, info.st_mode & 0o7777, kind, allocated, int(info.st_mtime))


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)


def _head(path: Path) -> bytes:
    with open(_open(path), "rb") as stream:
        return stream.read(headers.HEADER_BYTES)


def _descriptor(path: Path) -> Descriptor | str:
    """What a `.vmdk` says: a text, or the text inside a hosted sparse file."""
    try:
        with open(_open(path), "rb") as stream:
            text = stream.read(MAX_BYTES + 1)
            if text[:4] != b"KDMV":
                return parse(text)

            def read(offset: int, size: int) -> bytes:
                stream.seek(offset)
                return stream.read(size)

            inner = headers.embedded_descriptor(headers.sparse_header(text), read)
            return parse(inner) if inner else "it is a sparse extent without a descriptor"
    except BadDisk as bad:
        return str(bad)


def _deeper(state: ImageState, folder: Path) -> ImageState:
    """Follow the tables of sparse extents: one that was cut off is found by what they point to."""
    descriptor = _descriptor(folder / state.disk_file)
    assert isinstance(descriptor, Descriptor)
    for extent in descriptor.extents:
        if extent.type != "SPARSE":
            continue
        why = _cut_off(folder / extent.file, extent.sectors)
        if why is not None:
            return ImageState(
                False,
                f"the extent {extent.file}: {why}",
                state.form,
                disk_file=state.disk_file,
                files=state.files,
            )
    return state


def _cut_off(path: Path, sectors: int) -> str | None:
    with open(_open(path), "rb") as stream:
        size = os.fstat(stream.fileno()).st_size

        def read(offset: int, length: int) -> bytes:
            stream.seek(max(0, offset))
            return stream.read(length)

        try:
            header = headers.check_sparse(read, size)
        except BadDisk as bad:
            return str(bad)
    return None if header.capacity >= sectors else "it is smaller than its descriptor says"


class Source:
    """A disk that can be read inside its `with`; who does not enter it closes it. `runs` are the stretches that hold
    something, in whole blocks."""

    def __init__(self, folder: Path, state: ImageState, form: str) -> None:
        self.state, self.capacity = state, state.capacity
        self._stack = ExitStack()
        self._driver = form if form in ("qcow2", "vdi") else "vmdk"
        self._file = folder / state.disk_file
        self._folder, self.fingerprint = folder, _fingerprint(folder, state)
        if self._driver == "vmdk" and _is_text(self._file):
            self._file = self._stack.enter_context(_CleanDescriptor(folder, state)).path
        try:
            self.runs = joined(aligned(self._mapped(), self.capacity))
        except BaseException:
            self.close()
            raise

    def _mapped(self) -> Iterator[Run]:
        command = [
            "qemu-img",
            "map",
            "--output=json",
            "--image-opts",
            image_options(self._driver, self._file),
        ]
        end = self._file.stat().st_size
        for part in json.loads(run(command)):
            if part["data"] and not part["zero"]:
                # compressed clusters have no offset; what is cut off there fails when it is read
                if self._driver != "vmdk" and "offset" in part and part["offset"] + part["length"] > end:
                    raise BadDisk(f"it is cut off: {self._file.name} ends before its data does")
                yield Run(part["start"], part["length"])

    def __enter__(self) -> Source:
        self._export = Export(self._driver, self._file)
        self._stack.callback(self._export.close)
        if self._export.size < self.capacity:
            self._stack.close()
            raise BadDisk(f"qemu reads {self._export.size} bytes of it and its header says {self.capacity}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def close(self) -> None:
        """Let go of it; never raises."""
        self._stack.close()

    def is_same(self) -> bool:
        """Whether its files are still those that were opened, as far as can be seen from outside."""
        try:
            return _fingerprint(self._folder, self.state) == self.fingerprint
        except OSError:
            return False

    def read(self, offset: int, length: int) -> bytes:
        """What a guest would read. Raises OSError, QemuFailed."""
        return self._export.read(offset, min(length, self.capacity - offset))

    def read_into(self, offset: int, room: memoryview) -> None:
        """Fill `room`, which ends where the disk does or before. Raises OSError, QemuFailed."""
        self._export.read_into(offset, room)

    def digest(self) -> str:
        """MD5 of all that a guest sees. Reads all that is there, and nothing of what is not."""
        digest, at = hashlib.md5(usedforsecurity=False), 0
        for stretch in (*self.runs, Run(self.capacity, 0)):
            for offset in range(at, stretch.offset, BLOCK):
                digest.update(_ZEROS[: min(BLOCK, stretch.offset - offset)])
            for offset in range(stretch.offset, stretch.end, PIECE):
                digest.update(self.read(offset, min(PIECE, stretch.end - offset)))
            at = stretch.end
        return digest.hexdigest()


class _CleanDescriptor:
    """A descriptor that we wrote, beside links to the extents: qemu sees nothing of what else the original says."""

    def __init__(self, folder: Path, state: ImageState) -> None:
        self._folder, self._state = folder.absolute(), state

    def __enter__(self) -> _CleanDescriptor:
        self._temporary = tempfile.TemporaryDirectory(prefix="reconciler-disk-")
        inside = Path(self._temporary.name)
        descriptor = _descriptor(self._folder / self._state.disk_file)
        assert isinstance(descriptor, Descriptor)
        lines = ["# Disk DescriptorFile", "version=1", "CID=fffffffe", "parentCID=ffffffff"]
        lines += [f'createType="{_as_hosted(descriptor.create_type)}"', ""]
        for number, extent in enumerate(descriptor.extents):
            name = f"e{number:05d}.vmdk"
            if extent.file:
                (inside / name).symlink_to(self._folder / extent.file)
            kind = "FLAT" if extent.type in ("VMFS", "FLAT") else extent.type
            where = f' "{name}"' + (f" {extent.offset}" if kind == "FLAT" else "") if extent.file else ""
            lines.append(f"RW {extent.sectors} {kind}{where}")
        self.path = inside / "disk.vmdk"
        self.path.write_text("\n".join([*lines, "", 'ddb.adapterType = "lsilogic"', ""]))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._temporary.cleanup()


def _as_hosted(create_type: str) -> str:
    """The name under which qemu knows a form with extents."""
    return {"vmfs": "monolithicFlat"}.get(create_type, create_type)


def _is_text(path: Path) -> bool:
    return _head(path)[:4] != b"KDMV"


def _fingerprint(folder: Path, state: ImageState) -> str:
    """Changes when the content could have: name, size, time and inode of every file."""
    whole = hashlib.sha256(f"{state.form} {state.capacity}".encode())
    for file in state.files:
        info = (folder / file.name).lstat()
        facts = (file.name, info.st_size, info.st_mtime_ns, info.st_ino)
        whole.update(repr(facts).encode("utf-8", "surrogateescape"))
    return whole.hexdigest()[:32]


def open_source(folder: Path, disk: str, form: str) -> Source:
    """Open a disk for reading. Raises BadDisk (nothing was opened by qemu), MissingTool, QemuFailed, OSError."""
    state = look(folder, disk, form)
    if state is None:
        raise BadDisk(f"there is no folder {folder}")
    if not state.whole:
        raise BadDisk(state.why)
    return Source(folder, state, form)
