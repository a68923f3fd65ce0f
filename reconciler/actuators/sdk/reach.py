"""What the SDK can't do at all, whatever the licence: each with the reason that people read. Pure.

Sources: field guide sdk.md (keys over HTTPS: documented 5.1 to 8.0); the vSphere API reference has no call that loads a
VMkernel module, and HostFirmwareSystem does not tell what reached the boot bank.
"""

from __future__ import annotations

from reconciler.image_verbs import CloneDisk, DeleteFolder, ImageVerb, LoadModule, PutInPlace, SetAside
from reconciler.kinds.paths import parse_datastore_path
from reconciler.verbs import (
    AppendKeys,
    ArchiveKeys,
    MakeFolder,
    MarkKeys,
    OweBackup,
    ReplaceBootConfig,
    RewriteKeys,
    SaveConfiguration,
    Verb,
)

Version = tuple[int, ...]
FIRST_KEYS: Version = (5, 1, 0)
BOOT_BANK = "only SSH can write the boot bank"
_REASONS: dict[type[Verb], str] = {
    MarkKeys: "only SSH can set ESXi's mark for saving on the keys file",
    ArchiveKeys: BOOT_BANK,
    ReplaceBootConfig: BOOT_BANK,
    SaveConfiguration: "the SDK does not show whether a backup reached the boot bank: only SSH can save and prove it",
    OweBackup: "only SSH can leave a note on the host that a backup is owed",
    LoadModule: "the SDK has no call that loads a VMkernel module",
}
_LOCKED = "deletions and renames of image folders are made below a lock that only SSH can hold"
_STREAMED = "streams need SSH"
DISK_TYPES = {"thin": "thin", "zeroedthick": "thick", "eagerzeroedthick": "eagerZeroedThick"}
"""`VirtualDiskType` by the format of the spec."""
ADAPTERS = {"lsilogic": "lsiLogic", "buslogic": "busLogic", "ide": "ide"}
"""`VirtualDiskAdapterType` by what a descriptor says; it has no other ones."""


def cannot(verb: Verb, version: Version) -> str | None:
    """Why the SDK of that version can't do a verb; None when it can."""
    if isinstance(verb, ImageVerb):
        return _image(verb)
    if isinstance(verb, AppendKeys | RewriteKeys) and version < FIRST_KEYS:
        return "ESXi before 5.1 does not offer root's keys over HTTPS, so only SSH can write them"
    if isinstance(verb, MakeFolder):
        return unspeakable(parse_datastore_path(verb.path).datastore)
    return _REASONS.get(type(verb))


def unspeakable(datastore: str) -> str | None:
    """Why no datastore path of vSphere can name that datastore; None when one can. A path is `[NAME] sub/dir`, and
    nothing says how a bracket in the name would be written."""
    if "[" in datastore or "]" in datastore:
        return f"the SDK has no way to write the bracket in the name of the datastore {datastore!r}; SSH can reach it"
    return None


def _image(verb: ImageVerb) -> str | None:
    if isinstance(verb, SetAside | DeleteFolder | PutInPlace):
        return _LOCKED
    return _clone(verb) if isinstance(verb, CloneDisk) else _STREAMED


def _clone(verb: CloneDisk) -> str | None:
    """Why the SDK can't make that copy as well as SSH does."""
    cargo = verb.cargo
    if verb.format not in DISK_TYPES:
        return f"the SDK can't write the format {verb.format}"
    if verb.relay and not cargo.flat:
        return f"the host may refuse to read {cargo.form or 'that form'}, and then the disk has to be read over SSH"
    if cargo.adapter not in ADAPTERS:
        return f"the SDK can't keep the adapter type {cargo.adapter!r} of that disk; SSH can"
    if verb.verify == "full":
        return "the full proof of a copy is a checksum that only SSH can make"
    if verb.readable:
        return "only SSH can make a copy readable for other management nodes"
    places = (parse_datastore_path(path).datastore for path in (cargo.folder, verb.room.volume))
    return next((why for why in map(unspeakable, places) if why is not None), None)
