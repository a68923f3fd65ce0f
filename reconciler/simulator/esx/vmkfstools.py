"""`vmkfstools`: which volume a path is on, and making, cloning, removing and renaming virtual disks.

Texts are field captures (field guide, section 7.1); where only the number in parentheses is known they are inferred.
"""

from __future__ import annotations

import errno
import posixpath
import re

from reconciler.simulator.disks import SECTOR, Disk, Missing, NoDisk, descriptor, opened
from reconciler.simulator.esx.clone import Cloning
from reconciler.simulator.nodes import Node
from reconciler.simulator.shell.process import Shell
from reconciler.simulator.shell.redirect import passing
from reconciler.simulator.tools.call import Call, Usage, program

FLAT = {
    "thin": "VMFS thin-provisioned",
    "zeroedthick": "VMFS zeroedthick",
    "eagerzeroedthick": "VMFS eagerzeroedthick",
}
FORMS = {**FLAT, "2gbsparse": "sparse with 2GB maximum extent size"}
UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "s": 512}


def _changes(shell: Shell, argv: list[str]) -> bool:
    return bool({"-c", "-i", "-U", "-E", "-x"} & set(argv[1:])) and not passing(shell, argv[-1])


@program("/sbin/vmkfstools", changing=_changes)
async def vmkfstools(call: Call) -> int:
    options, words = call.options("Phi:d:c:a:UEx:et:qv:")
    for letter, work in (
        ("P", _volume), ("c", _create), ("i", _clone), ("U", _remove), ("E", _rename), ("x", _check), ("e", _chain),
        ("t", _mapping), ("q", _query),
    ):  # fmt: skip
        if letter in options:
            return await work(call, options, words)
    raise Usage("vmkfstools: no action was named (this one is not simulated)")


def place(call: Call, path: str) -> tuple[Node, str]:
    """The folder of a disk and its descriptor's name; raises Usage when there is no such folder."""
    try:
        folder, name, _ = call.files.place(path, call.cwd)
    except OSError as problem:
        raise Usage(refusal(call, "open", 25)) from problem
    return folder, name


def refusal(call: Call, verb: str, code: int) -> str:
    """What it says when it does not `clone`, `create`, … something."""
    if code == 13 and not call.host.release.since(5):
        return f"Failed to {verb} disk : No space left on device (1835017)."
    texts = {
        13: f"Failed to {verb} disk: There is not enough space on the file system for the selected operation (13).",
        # inferred: the words are those of another program for the same trouble, the number is the library's
        14: "DiskLib_Check() failed for source disk The specified virtual disk needs repair (14).",
        15: "DiskLib_Check() failed for source disk The file specified is not a virtual disk (15).",
        25: "DiskLib_Check() failed for source disk The system cannot find the file specified (25).",
        39: f"Failed to {verb} disk: The file already exists (39).",
        16392: "Failed to lock the file (16392)",
    }
    return texts[code]


async def _volume(call: Call, options: dict[str, str], words: list[str]) -> int:
    """Which volume a path is on."""
    if len(words) != 1:
        raise Usage("vmkfstools: name one path")
    try:
        volume = call.files.node(words[0], call.cwd).volume
    except OSError as problem:
        raise Usage(f"Could not open {words[0]}\nError: {problem.strerror}") from problem
    found = next((each for each in call.host.volumes.attached if each.volume is volume), None)
    if found is None:
        raise Usage(
            "Could not retrieve max file size: Inappropriate ioctl for device\n"
            "visorfs-1.00 file system spanning 0 partitions.\nFile system label (if any): \nMode: private"
        )
    size, free = volume.capacity, volume.free
    block = 4096 if volume.block == 1 else volume.block
    await call.out(
        f"{found.type} file system spanning 1 partitions.\nFile system label (if any): {found.name}\n"
        f"Mode: {'public' if found.type != 'vfat' else 'private'}\n"
        f"Capacity: {size} ({size // block} file blocks * {block}), {free} ({free // block} blocks) avail\n"
        f"UUID: {found.id}\n"
    )
    return 0


async def _create(call: Call, options: dict[str, str], words: list[str]) -> int:
    match = re.fullmatch(r"(\d+)([a-zA-Z]?)", options["c"])
    form = options.get("d", "zeroedthick")
    if match is None or match[2].lower() not in UNITS or len(words) != 1 or form not in FLAT:
        raise Usage("Invalid disk size or type")
    capacity = int(match[1]) * UNITS[match[2].lower()]
    folder, name = place(call, words[0])
    if not name.endswith(".vmdk") or capacity < 1 << 20 or capacity % SECTOR:
        raise Usage("Failed to create virtual disk: One of the parameters supplied is invalid (1).")
    zeroing = " and zeroing it out" if form == "eagerzeroedthick" else ""
    await call.out(f"Creating disk '{words[0]}'{zeroing}...\n")
    new_flat(call, folder, name, capacity, form, "create")
    await call.out("Create: 100% done.\n")
    return 0


def new_flat(call: Call, folder: Node, name: str, capacity: int, form: str, verb: str) -> Node:
    """A descriptor and its flat file, in full size; raises Usage as vmkfstools refuses."""
    stem, now = name.removesuffix(".vmdk"), call.host.now()
    if name in folder.children or f"{stem}-flat.vmdk" in folder.children:
        raise Usage(refusal(call, verb, 39))
    try:
        text = descriptor(
            stem, "vmfs", [f'RW {capacity // SECTOR} VMFS "{stem}-flat.vmdk"'], capacity, thin=form == "thin"
        )
        new_file(call, folder, name, 0o600).put(0, text.encode("utf-8", "surrogateescape"), now)
        flat = new_file(call, folder, f"{stem}-flat.vmdk", 0o600)
        flat.eager = form == "eagerzeroedthick"
        if form == "thin":
            flat.truncate(capacity, now)
        else:
            flat.preallocate(capacity, now)
    except OSError as problem:
        raise Usage(refusal(call, verb, 13 if problem.errno == errno.ENOSPC else 25)) from problem
    return flat


def new_file(call: Call, folder: Node, name: str, mode: int) -> Node:
    """An empty file in a folder; raises OSError."""
    folder.volume.writable()
    folder.volume.charge(0)
    node = Node(folder.volume, "f", mode, call.host.now())
    folder.children[name] = node
    folder.mtime = call.host.now()
    return node


async def _clone(call: Call, options: dict[str, str], words: list[str]) -> int:
    form = options.get("d", "zeroedthick")
    if len(words) != 1 or form not in FORMS:
        raise Usage("Invalid disk type")
    source, name = place(call, options["i"])
    target, new_name = place(call, words[0])
    cloning = Cloning(call, form, refusal)
    try:
        disk = opened(source, name, call.files.node("/vmfs/volumes"))
    except NoDisk:
        raise Usage(refusal(call, "clone", 15)) from None
    except Missing:
        raise Usage(refusal(call, "clone", 25)) from None
    except OSError as problem:
        raise Usage(refusal(call, "clone", 16392 if problem.errno == errno.EBUSY else 25)) from problem
    cloning.may_read(disk)
    if disk.needs_repair:
        raise Usage(refusal(call, "clone", 14))
    if form == "2gbsparse":
        cloning.may_write_sparse()
    if new_name in target.children:
        raise Usage(refusal(call, "clone", 39))
    await call.out(f"Destination disk format: {FORMS[form]}\nCloning disk '{options['i']}'...\n")
    await cloning.run(disk, target, new_name)
    return 0


async def _remove(call: Call, options: dict[str, str], words: list[str]) -> int:
    """The descriptor and all its extents, or nothing."""
    folder, name = place(call, words[0] if words else "")
    try:
        disk = opened(folder, name, call.files.node("/vmfs/volumes"))
        nodes = [extent.node for extent in disk.extents if extent.node is not None]
        files = [child for child, node in folder.children.items() if node in nodes] + [name]
        for file in files:
            folder.children[file].refuse_locked(writing=True)
    except NoDisk:
        raise Usage(refusal(call, "delete", 15)) from None
    except Missing:
        raise Usage(refusal(call, "delete", 25)) from None
    except OSError as problem:
        raise Usage(refusal(call, "delete", 16392)) from problem
    for file in files:
        call.files.unlink(posixpath.join(posixpath.dirname(words[0]), file), call.cwd)
    return 0


async def _rename(call: Call, options: dict[str, str], words: list[str]) -> int:
    """`-E OLD NEW`: the descriptor and its extents, and their names in it; nothing is printed (field guide). Inferred:
    the refusals, which are those of the other actions."""
    if len(words) != 2:
        raise Usage("vmkfstools: name the old and the new disk")
    (folder, name), (target, new_name) = place(call, words[0]), place(call, words[1])
    disk = _opened(call, folder, name, "rename")
    old, new = name.removesuffix(".vmdk"), new_name.removesuffix(".vmdk")
    if folder.volume is not target.volume or not new_name.endswith(".vmdk"):
        raise Usage("vmkfstools: -E to another volume, or to no .vmdk, is not simulated")
    nodes = [extent.node for extent in disk.extents if extent.node is not None]
    names = {file: new + file.removeprefix(old) for file, node in folder.children.items() if node in nodes}
    if not all(file.startswith(old) for file in names):
        raise Usage("vmkfstools: -E of a disk whose extents have names of their own is not simulated")
    if any(each in target.children for each in (new_name, *names.values())):
        raise Usage(refusal(call, "rename", 39))
    text = folder.children[name].data.decode("utf-8", "surrogateescape")
    for file, moved in names.items():
        text = text.replace(f'"{file}"', f'"{moved}"')
    try:
        for each in (name, *names):
            folder.children[each].refuse_locked(writing=True)
        for file, moved in (*names.items(), (name, new_name)):
            into = posixpath.join(posixpath.dirname(words[1]), moved)
            call.files.rename(posixpath.join(posixpath.dirname(words[0]), file), into, call.cwd)
        call.files.write(words[1], text.encode("utf-8", "surrogateescape"), call.cwd)
    except OSError as problem:
        raise Usage(refusal(call, "rename", 16392 if problem.errno == errno.EBUSY else 25)) from problem
    return 0


async def _check(call: Call, options: dict[str, str], words: list[str]) -> int:
    """`-x check`. Inferred: its status, and what it says of a good disk."""
    if options["x"] != "check":
        raise Usage("vmkfstools: only -x check is simulated")
    disk = _opened(call, *place(call, words[0] if words else ""), "open")
    await call.out("Disk needs repair.\n" if disk.needs_repair else "Disk is error free.\n")
    return int(disk.needs_repair)


async def _chain(call: Call, options: dict[str, str], words: list[str]) -> int:
    await _opens(call, words)
    await call.out("Disk chain is consistent.\n")
    return 0


async def _opens(call: Call, words: list[str]) -> None:
    _opened(call, *place(call, words[0] if words else ""), "open")


def _opened(call: Call, folder: Node, name: str, verb: str) -> Disk:
    """Open a disk; raises Usage as vmkfstools refuses."""
    try:
        return opened(folder, name, call.files.node("/vmfs/volumes"))
    except NoDisk:
        raise Usage(refusal(call, verb, 15)) from None
    except Missing:
        raise Usage(refusal(call, verb, 25)) from None
    except OSError as problem:
        raise Usage(refusal(call, verb, 16392)) from problem


async def _mapping(call: Call, options: dict[str, str], words: list[str]) -> int:
    """`-t0 DISK`: what each stretch lies on. The kinds are the field guide's: `VMFS Z-` is zeroedthick, `VMFS --`
    written or eagerzeroedthick, `NOMP --` unmapped. Inferred: the rest of the lines."""
    if options["t"] != "0" or len(words) != 1:
        raise Usage("vmkfstools: only -t0 of one disk is simulated")
    folder, name = place(call, words[0])
    disk = _opened(call, folder, name, "open")
    if disk.create_type != "vmfs" or folder.volume.kind != "VMFS":
        raise Usage("vmkfstools: -t0 is simulated for flat disks on VMFS only")
    thin = b'ddb.thinProvisioned = "1"' in folder.children[name].data
    await call.out(f"Mapping for file {words[0]} ({disk.capacity} bytes in size):\n")
    for start, size, written in _stretches(disk):
        flat = disk.extents[0].node
        eager = flat is not None and flat.eager
        kind = "NOMP -- :" if thin and not written else f"VMFS {'--' if written or eager else 'Z-'} LVID:"
        await call.out(f"[{start:12d}:{size:12d}] --> [{kind}]\n")
    return 0


def _stretches(disk: Disk) -> list[tuple[int, int, bool]]:
    """The disk from end to end: offset, length, and whether something was written there."""
    found: list[tuple[int, int, bool]] = []
    end = 0
    for start, size in disk.regions():
        found += [(end, start - end, False)] if start > end else []
        found.append((start, size, True))
        end = start + size
    return [*found, (end, disk.capacity - end, False)] if end < disk.capacity else found


async def _query(call: Call, options: dict[str, str], words: list[str]) -> int:
    await _opens(call, words)
    await call.out(f"Disk {words[0]} is not an rdm\n")
    return 0
