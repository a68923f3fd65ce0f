"""What can be seen of master images: disks in folders of a datastore or a repository, and who uses them.

An image NAME is the disk `NAME.vmdk` (in a repository here also `NAME.qcow2` or `NAME.vdi`) in a folder NAME below a
*base*: VCL's Virtual Disk Path, or the repository. Sizes are in bytes, times in seconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.facts import Question
from reconciler.records import record

FILE_BLOCKS = (1 << 20, 2 << 20, 4 << 20, 8 << 20)
"""Sizes that file blocks of a VMFS volume may have, in bytes: all of them on VMFS-3, the first from VMFS-5 on."""


@record
class Extent:
    """One extent line of a descriptor: `RW 4192256 SPARSE "x-s001.vmdk"`. `file` is "" where none is named (ZERO)."""

    sectors: int
    type: str
    file: str
    offset: int = 0


@record
class Descriptor:
    """What a VMDK descriptor says. `parent` is its parentFileNameHint; a disk with one is no master. `adapter` is its
    ddb.adapterType: from it VCL reads which controller a machine needs."""

    create_type: str
    extents: tuple[Extent, ...]
    parent: str | None = None
    thin: bool = False
    adapter: str = ""

    @property
    def capacity(self) -> int:
        """The size of the disk that a guest sees."""
        return 512 * sum(extent.sectors for extent in self.extents)


@record
class DiskFile:
    """A file in an image's folder. `kind` is as in `ls -l` (`-`, `d`, `l`); `allocated` None: it is not told."""

    name: str
    size: int
    mode: int
    kind: str = "-"
    allocated: int | None = None
    modified: int | None = None


@record
class ImageState:
    """What lies in the folder of an image.

    `whole`: descriptor and every extent with its full size, and nothing that makes it a bad source; `why` says what is
    wrong otherwise, for people. `form` is the createType, or `qcow2`, `vdi`; "" when that can't be told. `runnable`:
    ESXi can run it in this form. `data` is what a copy of it has to carry at most: allocated bytes. `modified` is when
    the disk was last written, None when it is not known. `machines`: names of .vmx files in the folder, at any depth.
    `locked` says which file of it somebody holds (None: none). `unreadable`: names of what
    others than its owner can't read ("." is the folder). `disk_file` is the name of the file that opens the disk.
    `spread` is what a thin copy takes on volumes with blocks of each of FILE_BLOCKS, in bytes; empty where nobody can
    tell where in the disk its data lies (on a host). `files` is all that lies there, `parts` the names of those that
    are the disk: `disk_file` and its extents. `folder`: it is one; a file or a link in its place is no image.
    `adapter` is as in Descriptor.
    """

    whole: bool
    why: str = ""
    form: str = ""
    runnable: bool = False
    capacity: int = 0
    data: int = 0
    disk_file: str = ""
    reference: bool = False
    modified: int | None = None
    machines: tuple[str, ...] = ()
    locked: str | None = None
    unreadable: tuple[str, ...] = ()
    files: tuple[DiskFile, ...] = ()
    parts: tuple[str, ...] = ()
    folder: bool = True
    adapter: str = ""
    spread: tuple[int, ...] = ()

    @property
    def allocated(self) -> int:
        """What removing the folder gives back."""
        return sum(file.size if file.allocated is None else file.allocated for file in self.files)


@record
class ImageFolder(Question["ImageState | None"]):
    """What lies in `base/folder`, judged as the image `disk`. None: there is no such folder.

    `base` is absolute: on the host, or with `here` on this machine. `form` is how the disk is kept there: `vmdk` (any
    VMDK), `qcow2` or `vdi`.
    """

    base: str
    folder: str
    disk: str
    here: bool = False
    form: str = "vmdk"


@record
class Library(Question["tuple[str, ...] | None"]):
    """The names of all folders directly below `base`, dot-folders left out. None: there is no such folder."""

    base: str
    here: bool = False


@record
class HalfCopy:
    """A copy of ours that is not in its place yet. `target` is the folder that it is to become, relative to the volume.

    `folder` is where it grows, relative to the volume.
    """

    folder: str
    image: str
    target: str
    allocated: int = 0


@record
class HalfCopies(Question[tuple[HalfCopy, ...]]):
    """Copies of ours that grow, or were left, at the root of a volume (`/vmfs/volumes/datastore1`)."""

    volume: str


@record
class FileBlock(Question[int]):
    """The size of a volume's file blocks: a file takes whole ones. `volume` is `/vmfs/volumes/datastore1`."""

    volume: str


@record
class RefusedCopies(Question[Mapping[str, str]]):
    """Copies that were looked at to their ground in this pass and are no whole ones: folder, and why. Nobody is asked
    for them: a pass notes them for itself."""


@record
class HostTime(Question[int]):
    """The host's own time, in seconds since 1970: when its files were written is told by the same clock."""


@record
class HereTime(Question[int]):
    """This machine's own time, in seconds since 1970: by it files in a repository here were written."""


@record
class RoomHere(Question["int | None"]):
    """The free bytes on this machine where a repository is (`base`); None: that is not told."""

    base: str


@record
class Filled(Question["str | None"]):
    """What was being copied when this volume filled up in this pass; None: it did not."""

    volume: str


@record
class DiskUse:
    """A file of a disk that something refers to, and what: `virtual machine 'vm9' on vmhost-b`.

    `volume` is the volume's id, or the name where only that is known, or None: then `path` is what was written, and any
    volume may be meant. `path` is relative to the volume: `img/img.vmdk`. `running`: the machine is running now.
    `writes`: it is the end of a chain, where a running machine writes. `wished`: nothing refers to it yet, but a spec
    wants it there.
    """

    volume: str | None
    path: str
    who: str
    running: bool = False
    writes: bool = False
    wished: bool = False


@record
class DisksInUse(Question[tuple[DiskUse, ...]]):
    """All that this one host knows: layouts of its registered machines with whole snapshot chains, and .vmx files,
    deltas and redo logs in the folders of all volumes that it reaches."""


@record
class InUse:
    """Who uses what on one volume, over all hosts that mount it. `blind`: why more may be in use than can be seen."""

    uses: tuple[DiskUse, ...] = ()
    blind: tuple[str, ...] = ()

    def of(self, folder: str) -> tuple[DiskUse, ...]:
        """What uses a file below `folder` (relative to the volume: `sub/img`).

        A use on a volume that can't be told counts when its path ends in a file of a folder of that name.
        """
        last = folder.rpartition("/")[2]
        return tuple(
            use
            for use in self.uses
            if use.path.startswith(folder + "/") or (use.volume is None and f"/{last}/" in _as_path(use.path))
        )


def _as_path(written: str) -> str:
    """What was written of a disk, as a path: `[unknown] img/img.vmdk`, `..\\img\\img.vmdk`."""
    return "/" + re.sub(r"^\[[^\]]*\] ?", "", written).replace("\\", "/")


@record
class VolumeUse(Question[InUse]):
    """Who uses what on the volume `/vmfs/volumes/datastore1`: every host that mounts it is asked, and every loaded spec
    speaks for the images that it wants there."""

    volume: str


@record
class TopDisk:
    """A disk of a registered machine as its .vmx names it: the one that is written. `file` is absolute.

    `persistent` is False for the modes in which a guest's writes go elsewhere (independent-nonpersistent, undoable).
    """

    machine: str
    file: str
    persistent: bool = True


@record
class TopDisks(Question[tuple[TopDisk, ...]]):
    """The disks that the configuration files `configs` (absolute paths of .vmx files) name."""

    configs: tuple[str, ...]


@record
class ModuleLoaded(Question[bool]):
    """Whether a VMkernel module is loaded (`multiextent`)."""

    module: str
