"""Which copies an image needs, by which way, and how much room each takes. Pure."""

from __future__ import annotations

from reconciler.facts import Facts, Identity, Unseen
from reconciler.image_facts import FILE_BLOCKS, FileBlock, ImageState, ModuleLoaded
from reconciler.image_verbs import (
    Cargo,
    CloneDisk,
    Copy,
    CopyVerb,
    FetchDisk,
    LoadModule,
    RelayDisk,
    SendDisk,
)
from reconciler.kinds.images.guard import reliable
from reconciler.kinds.images.setup import Base, Setup, Sight, Whole, seek
from reconciler.records import record
from reconciler.verbs import Verb

MULTIEXTENT = "multiextent"
FIRST_LOADED, FIRST_WITHOUT = (5, 1, 0), (6, 5, 0)
"""5.1 to 6.0 need the module to be loaded; from 6.5 on there is none (field guide, section 7.2)."""
FLAT_FORMS = ("vmfs", "monolithicFlat")
HOSTED = ("monolithicSparse", "streamOptimized")
"""Forms of one file that no vmkfstools reads."""
PACKED = ("streamOptimized", "qcow2")
"""Forms that may be compressed: on a host, where nobody can look inside, a copy may take all that a guest sees."""
LARGEST_BLOCK = 8 << 20
"""VMFS-3 has file blocks of up to 8 MiB: what holds where a host does not tell."""
LAST_BLOCK = 2 << 20
"""Some forms keep whole blocks, and their disks end a little later."""
GRAIN = 64 << 10
"""What stands in a disk is counted in stretches of so many bytes."""
PARTS_IN_FLIGHT = 16 << 20
"""A stream keeps so much beside the disk while it lasts."""
SMALL_FILES = 3
"""The descriptor, the reference file, and what we note."""


@record
class Move:
    """A copy that an image needs. `into` is where it goes; `needed` the room that it takes there, in bytes."""

    image: str
    verb: CopyVerb
    into: Base
    needed: int


def to_disk(setup: Setup, image: str, facts: Facts) -> Move | Unseen | None:
    """The copy from the repository to the virtual disk path; None when no whole one is there."""
    if setup.repository is None:
        return None
    sight = seek(setup.repository, image, facts)
    if isinstance(sight, Unseen):
        return sight
    if sight.state is None or not sight.state.whole:
        return None
    cargo = _cargo(image, setup.repository, sight, sight.state)
    room = setup.disk.room(image, image)
    verify = setup.wanted[image].verify
    verb: CopyVerb
    if setup.repository.here:
        verb = SendDisk(room, cargo, setup.wish.format, verify)
    elif setup.repository_format in ("qcow2", "vdi"):
        verb = RelayDisk(room, cargo, setup.wish.format, verify)
    else:
        verb = CloneDisk(room, cargo, setup.wish.format, verify, relay=_relays(cargo, facts))
    return Move(image, verb, setup.disk, needed(verb, setup.disk, facts))


def to_repository(setup: Setup, image: str, sight: Sight, facts: Facts) -> Move | None:
    """The capture of the disk at `sight`; None without a repository."""
    if setup.repository is None or sight.state is None:
        return None
    cargo = _cargo(image, setup.disk, sight, sight.state)
    room, form = setup.repository.room(image, image), setup.repository_format
    verify = setup.wanted[image].verify
    verb: CopyVerb
    if setup.repository.here:
        verb = FetchDisk(room, cargo, form, verify, readable=True)
    elif form in ("qcow2", "vdi"):
        verb = RelayDisk(room, cargo, form, verify, readable=True)
    else:
        as_vmfs = "2gbsparse" if form == "2gbsparse" else "thin"
        verb = CloneDisk(room, cargo, as_vmfs, verify, readable=True, relay=_relays(cargo, facts))
    return Move(image, verb, setup.repository, needed(verb, setup.repository, facts))


def actions(move: Move, facts: Facts) -> tuple[Verb, ...]:
    """What a copy takes, the module that vmkfstools needs included."""
    product = facts.see(Identity())
    sparse = "2gbsparse" in (move.verb.format, move.verb.cargo.form)
    sparse = sparse or move.verb.cargo.form == "twoGbMaxExtentSparse"
    if not isinstance(move.verb, CloneDisk) or not sparse or isinstance(product, Unseen):
        return (move.verb,)
    loaded = facts.see(ModuleLoaded(MULTIEXTENT))
    if FIRST_LOADED <= product.version < FIRST_WITHOUT and loaded is False:
        return (LoadModule(MULTIEXTENT), move.verb)
    return (move.verb,)


def _cargo(image: str, base: Base, sight: Sight, state: ImageState) -> Cargo:
    folder = f"{base.base}/{sight.folder}"
    return Cargo(
        image,
        folder,
        state.disk_file,
        state.form,
        state.capacity,
        state.data,
        state.reference,
        base.here,
        state.spread,
        state.parts,
        _flat(state),
        state.adapter,
    )


def reliance(copy: Whole, disk: Base, there: ImageState, facts: Facts) -> Copy | None:
    """The copy, if the deletion of what is `there` on `disk` may rely on it: it is of that disk, and can be trusted."""
    return relied(copy) if is_one_disk(copy.state, there) and reliable(copy, disk, facts) else None


def relied(copy: Whole) -> Copy:
    """A copy, for a deletion that relies on it."""
    sizes = {file.name: file.size for file in copy.state.files}
    files = tuple((name, sizes[name]) for name in copy.state.parts if name in sizes)
    return Copy(f"{copy.base.base}/{copy.folder}", copy.state.form, files, copy.base.here)


def is_one_disk(one: ImageState, other: ImageState) -> bool:
    """Whether two disks can be one: a guest sees as much of both, give or take what fills a last block. Of one without
    a descriptor the flat extents tell it; of one without those nobody knows."""
    return is_one_size(guest_size(one), guest_size(other))


def is_one_size(first: int, second: int) -> bool:
    """Whether two disks of so many bytes can be one; of 0 nothing is known."""
    return not first or not second or abs(first - second) < LAST_BLOCK


def guest_size(state: ImageState) -> int:
    """What a guest sees of a disk, in bytes; 0 where nothing tells it."""
    return state.capacity or sum(file.size for file in state.files if file.name.endswith("-flat.vmdk"))


def _flat(state: ImageState) -> str:
    """The one file that is what a guest sees, under the name that the descriptor gives it."""
    extents, sizes = state.parts[1:], {file.name: file.size for file in state.files}
    alone = len(extents) == 1 and sizes.get(extents[0]) == state.capacity
    return extents[0] if alone and state.form in FLAT_FORMS else ""


def _relays(cargo: Cargo, facts: Facts) -> bool:
    """Whether vmkfstools may refuse the form of a whole disk: then it goes by way of this machine."""
    if cargo.form in HOSTED:
        return True
    product = facts.see(Identity())
    return not isinstance(product, Unseen) and product.version >= FIRST_WITHOUT


def needed(verb: CopyVerb, into: Base, facts: Facts) -> int:
    """The room that a copy takes on its volume: whole file blocks, and what lies beside it while it lasts.

    Of a source on this machine it is known where its data lies, so that every file block counts in which something
    stands. Of one on a host nobody knows that: its allocated bytes count, rounded up to file blocks, as if they stood
    together. There each grain of 64 KiB may take a file block of its own; the reserve is for that.
    """
    block = 4096 if into.here else _block(into, facts)
    thick = verb.format in ("zeroedthick", "eagerzeroedthick")
    packed = verb.cargo.form in PACKED and not verb.cargo.here
    full = thick or packed
    carried = verb.cargo.capacity if full else min(verb.cargo.data, verb.cargo.capacity)
    disk = carried if full else max(carried, _spread(verb.cargo, block))
    relayed = isinstance(verb, CloneDisk) and verb.relay and verb.cargo.form not in FLAT_FORMS
    streamed = isinstance(verb, SendDisk | RelayDisk) or relayed
    beside = min(PARTS_IN_FLIGHT, carried) if streamed else 0
    return _rounded(disk, block) + _rounded(beside, block) + SMALL_FILES * block


def _spread(cargo: Cargo, block: int) -> int:
    """What a thin copy takes in blocks of that size, where it is known; 0 elsewhere, and for blocks that are no larger
    than what data is counted in."""
    if not cargo.spread or block <= GRAIN:
        return 0
    told = (taken for size, taken in zip(FILE_BLOCKS, cargo.spread, strict=True) if block <= size)
    return next(told, cargo.capacity)


def _block(into: Base, facts: Facts) -> int:
    seen = facts.see(FileBlock(into.volume))
    return LARGEST_BLOCK if isinstance(seen, Unseen) or seen <= 0 else seen


def _rounded(size: int, block: int) -> int:
    return -(-size // block) * block
