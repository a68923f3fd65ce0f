"""What can be done to master images, as frozen values. All paths on a host are absolute, below /vmfs/volumes.

A copy grows in a folder of ours at the root of its volume and gets its own name when it is whole and proved.
"""

from __future__ import annotations

from typing import Literal

from reconciler.records import record
from reconciler.sizes import size_text
from reconciler.verbs import Verb

Proof = Literal["auto", "full"]


@record
class Room:
    """A place for an image. `volume` is the root of the volume (`/vmfs/volumes/datastore1`), `folder` the image's own
    folder (`/vmfs/volumes/datastore1/sub/img`), `disk` the disk's name without its ending (`img`).

    With `here` both are on this machine and `volume` is the repository's path.
    """

    volume: str
    folder: str
    disk: str
    here: bool = False


@record
class Cargo:
    """A disk to be copied. `folder` and `file` tell where it is (`…/img`, `img.vmdk`), `form` what it is there (vmdk,
    qcow2, vdi); `capacity` is what a guest sees, `data` the allocated bytes; `reference`: there is a .vmx.reference.

    `spread` is as in ImageState; `parts` are the files that hold it, the one that opens it first; `flat` is the one
    among them that is, byte by byte, what a guest sees, empty where there is none; `adapter` is as in ImageState.
    """

    image: str
    folder: str
    file: str
    form: str
    capacity: int
    data: int
    reference: bool = False
    here: bool = False
    spread: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    flat: str = ""
    adapter: str = ""


@record
class ImageVerb(Verb):
    """A verb that works below a lock on `room`'s volume."""

    room: Room


@record
class LoadModule(Verb):
    """Load a VMkernel module; a boot forgets it."""

    module: str

    @property
    def title(self) -> str:
        return f"load the VMkernel module {self.module}"


@record
class CopyVerb(ImageVerb):
    """Copy `cargo` to `room` as `format`: thin, zeroedthick, eagerzeroedthick, 2gbsparse, vmdk, qcow2 or vdi.

    `readable`: everybody may read the copy, as in a repository from which other management nodes fetch.
    """

    cargo: Cargo
    format: str
    verify: Proof = "auto"
    readable: bool = False

    @property
    def bytes(self) -> str:
        """The bytes that it carries, with a unit."""
        return size_text(self.cargo.data)


@record
class CloneDisk(CopyVerb):
    """Both ends on the host: one vmkfstools clones and converts, apart from the session.

    `relay`: where vmkfstools refuses the form of the source although it is whole, or can't write the target's form
    (2gbsparse from 6.5 on), the disk is read over SSH, put together here and streamed back.
    """

    relay: bool = False

    @property
    def title(self) -> str:
        return f"clone {self.cargo.image} ({self.bytes}) from {self.cargo.folder} as {self.format}"


@record
class SendDisk(CopyVerb):
    """From this machine to the host: only the data travels, into a disk that vmkfstools made there."""

    @property
    def title(self) -> str:
        return f"send {self.cargo.image} ({self.bytes}) from {self.cargo.folder} here"


@record
class FetchDisk(CopyVerb):
    """From the host to a repository on this machine; the master stays untouched."""

    @property
    def title(self) -> str:
        return f"fetch {self.cargo.image} ({self.bytes}) to {self.room.folder} here, as {self.format}"


@record
class RelayDisk(CopyVerb):
    """Both ends on the host, in a form that vmkfstools does not know (qcow2, vdi): read over SSH, put together here,
    written back over SSH."""

    @property
    def title(self) -> str:
        what = f"{self.cargo.image} ({self.bytes}) from {self.cargo.folder}"
        return f"copy {what} as {self.format}, by way of this machine"


@record
class Copy:
    """A whole copy of an image on which a deletion relies. `files` are its disk's, the one that opens it first, with
    their sizes in bytes as they were seen; `form` is as in `Cargo`."""

    folder: str
    form: str
    files: tuple[tuple[str, int], ...]
    here: bool = False


@record
class SetAside(ImageVerb):
    """Rename an image's folder to `_delete_NAME`, as VCL does: an open file makes that fail, and nothing is lost.

    `copy` is looked at to its ground before: what is no whole one there is no reason to delete this one.
    """

    copy: Copy | None = None

    @property
    def aside(self) -> str:
        """Where it goes."""
        above, _, name = self.room.folder.rpartition("/")
        return f"{above}/_delete_{name}"

    @property
    def title(self) -> str:
        return f"set {self.room.folder} aside as {self.aside.rpartition('/')[2]}"


@record
class DeleteFolder(ImageVerb):
    """Delete a folder that is set aside, a leftover of VCL, or a half copy of ours; `bytes` is what it gives back.

    `copy` as in `SetAside`.
    """

    bytes: int = 0
    copy: Copy | None = None

    @property
    def title(self) -> str:
        return f"delete {self.room.folder} ({size_text(self.bytes)})"


@record
class PutInPlace(ImageVerb):
    """Rename a folder that holds the whole image (`NAME~`, `_delete_NAME`) to the image's own name."""

    source: str

    @property
    def title(self) -> str:
        return f"rename {self.source} to {self.room.folder.rpartition('/')[2]}"
