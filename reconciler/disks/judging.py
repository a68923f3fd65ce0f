"""What counts as a whole disk: one rule for datastores and repositories, on a host and here. Pure.

Whole is: a descriptor, and every extent that it names, a plain file beside it, with its full size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.disks.descriptors import MAX_CAPACITY
from reconciler.image_facts import Descriptor, DiskFile, Extent, ImageState

SECTOR = 512
FLAT = ("VMFS", "FLAT")
SPARSE = ("SPARSE",)
RUNNABLE = ("vmfs", "monolithicFlat", "twoGbMaxExtentFlat")
"""Forms that ESXi powers on; their extents have to be flat."""
MACHINES = (".vmx", ".vmtx")
ONE_FILE = ("qcow2", "vdi")


def judge(
    disk: str, form: str, files: Sequence[DiskFile], descriptors: Mapping[str, Descriptor | str]
) -> ImageState:
    """What a folder holds of the image `disk`, kept as `form`: `vmdk`, `qcow2` or `vdi`.

    `files` are those directly in it; one called "." tells the folder's own mode. `descriptors` maps the name of each
    file that opens a disk to what it says (a qcow2 or vdi: a disk with one extent, itself), or why it says nothing.
    """
    folder = next((file for file in files if file.name == "."), None)
    inside = tuple(file for file in files if file.name != ".")
    state = (
        _one_file(disk, form, inside, descriptors) if form in ONE_FILE else _vmdk(disk, inside, descriptors)
    )
    locks = [file.name for file in inside if file.name.startswith(".lck-")]
    times = [file.modified for file in inside if _is_of(file, disk) and file.modified is not None]
    return replace(
        state,
        reference=any(file.name == f"{disk}.vmx.reference" and file.kind == "-" for file in inside),
        modified=max(times, default=None),
        machines=tuple(sorted(file.name for file in inside if file.name.endswith(MACHINES))),
        locked=f"{locks[0]} is there" if locks else None,
        unreadable=_unreadable(folder, inside),
        files=inside,
    )


def _is_of(file: DiskFile, disk: str) -> bool:
    return file.kind == "-" and file.name.startswith(disk) and not file.name.endswith(".vmx.reference")


def _unreadable(folder: DiskFile | None, files: Sequence[DiskFile]) -> tuple[str, ...]:
    """What others than the owner can't read; a folder has to be entered as well."""
    shut = sorted(file.name for file in files if file.kind == "-" and not file.mode & 0o004)
    return (*(["."] if folder is not None and folder.mode & 0o005 != 0o005 else []), *shut)


def _one_file(
    disk: str, form: str, files: Sequence[DiskFile], descriptors: Mapping[str, Descriptor | str]
) -> ImageState:
    name = f"{disk}.{form}"
    file = next((it for it in files if it.name == name), None)
    if file is None:
        return ImageState(False, f"there is no {name} in it", form)
    said = descriptors.get(name, "its header can't be read")
    if file.kind != "-":
        said = f"{name} is no plain file"
    if not isinstance(said, str) and not 0 < said.capacity <= MAX_CAPACITY:
        said = f"its header tells of an absurd size ({said.capacity} bytes)"
    if isinstance(said, str):
        return ImageState(False, said, form, disk_file=name)
    return ImageState(True, "", form, False, said.capacity, _carried(file), name, parts=(name,))


def _vmdk(disk: str, files: Sequence[DiskFile], descriptors: Mapping[str, Descriptor | str]) -> ImageState:
    name = f"{disk}.vmdk"
    names = {file.name: file for file in files}
    if name not in names:
        some = any(_is_of(file, disk) and file.name.endswith(".vmdk") for file in files)
        return ImageState(False, "it has extents, but no descriptor" if some else f"there is no {name} in it")
    descriptor = descriptors.get(name, "its descriptor can't be read")
    if names[name].kind != "-":
        descriptor = f"{name} is no plain file"
    if isinstance(descriptor, str):
        return ImageState(False, descriptor, disk_file=name)
    wrong = _wrong(descriptor, names)
    return ImageState(
        wrong is None,
        wrong or "",
        descriptor.create_type,
        wrong is None and _runnable(descriptor),
        descriptor.capacity,
        _data(descriptor, names),
        name,
        parts=(name, *(extent.file for extent in descriptor.extents if extent.file)),
        adapter=descriptor.adapter,
    )


def _wrong(descriptor: Descriptor, names: Mapping[str, DiskFile]) -> str | None:
    """Why it is no whole disk."""
    if descriptor.parent is not None:
        return f"it is a snapshot that hangs on {descriptor.parent or 'another disk'}, no master"
    if not 0 < descriptor.capacity <= MAX_CAPACITY:
        return f"its descriptor tells of an absurd size ({descriptor.capacity} bytes)"
    return next((why for extent in descriptor.extents if (why := _wrong_extent(extent, names))), None)


def _wrong_extent(extent: Extent, names: Mapping[str, DiskFile]) -> str | None:
    if extent.type == "ZERO":
        return None
    if extent.type not in (*FLAT, *SPARSE):
        return f"it has an extent of the type {extent.type}, which is no disk of its own"
    if "/" in extent.file or extent.file in ("", ".", ".."):
        return f"its descriptor points out of its folder ({extent.file!r})"
    file = names.get(extent.file)
    if file is None:
        return f"the extent {extent.file} is missing"
    if file.kind != "-":
        return f"the extent {extent.file} is no plain file"
    wanted = (extent.offset + extent.sectors) * SECTOR if extent.type in FLAT else SECTOR
    if file.size < wanted:
        return f"the extent {extent.file} has {file.size} bytes and should have {wanted}"
    return None


def _runnable(descriptor: Descriptor) -> bool:
    flat = all(extent.type in (*FLAT, "ZERO") for extent in descriptor.extents)
    return flat and descriptor.create_type in RUNNABLE


def _data(descriptor: Descriptor, names: Mapping[str, DiskFile]) -> int:
    """The bytes that a copy carries at most."""
    return sum(
        _carried(names[name]) for name in {extent.file for extent in descriptor.extents} if name in names
    )


def _carried(file: DiskFile) -> int:
    """An NFS server may tell no allocation: then a file counts in full."""
    return min(file.size, file.allocated) if file.allocated else file.size
