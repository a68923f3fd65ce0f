"""Master images on the host: what lies in their folders, judged by the rule that holds on this machine as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.disks import descriptors
from reconciler.disks.judging import judge
from reconciler.facts import Place
from reconciler.image_facts import Descriptor, DiskFile, ImageFolder, ImageState
from reconciler.observers.ssh import folders, headers
from reconciler.observers.ssh.folders import DESCRIPTOR, HEADER, Contents
from reconciler.transports.shell import Piece

Pieces = Sequence[Piece]


def command(question: ImageFolder) -> str:
    """What is run for it, with ENTER and LOOK_INTO defined."""
    file = f"{question.disk}.{question.form}"
    return folders.look_into(f"{question.base}/{question.folder}", file, _length(question))


def _length(question: ImageFolder) -> int:
    return DESCRIPTOR if question.form == "vmdk" else HEADER


def state(question: ImageFolder) -> Callable[[Pieces], ImageState | None]:
    """Judge what `command` printed. None: there is no such folder. Raises Unreadable when that can't be told."""

    def read(pieces: Pieces) -> ImageState | None:
        listing, frames = folders.entered(pieces[0])
        if listing.place is Place.ABSENT:
            return None
        if listing.place is not Place.FOLDER:
            return ImageState(False, f"{question.folder} is {listing.kind}, no folder", folder=False)
        return judged(question, folders.contents(listing, frames, _length(question)))

    return read


def judged(question: ImageFolder, found: Contents) -> ImageState:
    """The state of an image whose folder holds that."""
    sizes = {file.name: file.size for file in found.files}
    said = {name: _described(question, name, head, sizes[name]) for name, head in found.heads.items()}
    folder = DiskFile(".", 0, found.mode, "d", 0)
    state = judge(question.disk, question.form, (folder, *found.files), said)
    locked = f"{found.locked[0]} is held by a running machine" if found.locked else state.locked
    return replace(state, machines=tuple(sorted({*state.machines, *found.machines})), locked=locked)


def _described(question: ImageFolder, name: str, head: bytes | None, size: int) -> Descriptor | str:
    """What a file says of the disk that it opens, or why it can't be told."""
    if head is None:
        return f"{name} can't be read"
    if question.form != "vmdk":
        return headers.described(question.form, name, head)
    text = headers.inside(head) if head.startswith(headers.SPARSE) else head
    if isinstance(text, str):
        return f"{name} can't be opened: {text}"
    if text is head and size > DESCRIPTOR:
        return f"{name} is no descriptor: it is {size} bytes long"
    try:
        return descriptors.parse(text)
    except descriptors.BadDisk as error:
        return f"{name}: {error}"
