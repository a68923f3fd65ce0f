"""From the pieces that a question's commands printed to the answer. Pure; raises Unreadable when it can't be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum

from reconciler.facts import (
    BootModules,
    Datastore,
    KeysFile,
    Machine,
    Network,
    Place,
    Product,
    SavedState,
    SshService,
)
from reconciler.observers.ssh import (
    esxcfg,
    esxcli,
    files,
    services,
    vimdump,
)
from reconciler.observers.ssh import (
    identity as identities,
)
from reconciler.observers.ssh import (
    machines as vms,
)
from reconciler.observers.ssh.errors import Unreadable
from reconciler.transports.shell import Piece

Pieces = Sequence[Piece]
HARDWARE = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
NOT_WHOLE, NO_MEMBER, NO_ARCHIVE, NO_ROOM = 1, 3, 4, 90
NOT_NOW = 75
"""The exit status of what was not tried (sysexits.h: EX_TEMPFAIL)."""


class Later(Enum):
    """Instead of an answer: ask once more is known."""

    LATER = "later"


LATER = Later.LATER


def text_of(piece: Piece) -> str:
    """What a command printed, if it ended well. esxcli prints errors on standard output, vim-cmd faults with 0.

    Raises Unreadable with what the host said.
    """
    fault = vimdump.fault(piece.text)
    if piece.status != 0 or fault is not None:
        raise Unreadable(f"the host answered with exit status {piece.status}", fault or piece.said)
    return piece.text


def identity(pieces: Pieces) -> Product:
    return identities.product(pieces[0].said)


def datastores(pieces: Pieces) -> tuple[Datastore, ...]:
    newer = esxcli.nfs41(text_of(pieces[2])) if len(pieces) > 2 else []
    return esxcli.datastores(esxcli.nfs3(text_of(pieces[0])), newer, esxcli.filesystems(text_of(pieces[1])))


def datastores_4x(pieces: Pieces) -> tuple[Datastore, ...]:
    """esxcfg-nas tells servers and paths to the letter; hostd tells the rest, and what VMFS there is."""
    mounts = {it.name: it for it in esxcfg.nas_list(text_of(pieces[0]))}
    listed = vimdump.datastore_summaries(text_of(pieces[1]))
    told = {it.name: it for it in listed}
    nfs = [_mount_4x(it, told.get(it.name)) for it in mounts.values()]
    return (*nfs, *(it for it in listed if it.name not in mounts))


def _mount_4x(it: Datastore, told: Datastore | None) -> Datastore:
    if told is None:
        return replace(it, accessible=False, read_only_known=False)
    reached = it.accessible and told.accessible
    return replace(told, type=it.type, accessible=reached, nfs=it.nfs, read_only_known=False)


def machines(pieces: Pieces) -> tuple[Machine, ...]:
    """All registered machines, and all running ones, which may be registered nowhere."""
    if b"Skipping invalid VM" in pieces[0].err + pieces[0].out:
        raise Unreadable(
            "a registered virtual machine can't be read (its datastore may be lost)", pieces[0].said
        )
    registered = vms.getallvms(text_of(pieces[0]))
    running = [machine for piece in pieces[1:] for machine in esxcli.running_machines(text_of(piece))]
    return (*registered, *running)


def network(pieces: Pieces) -> Network:
    vswitches = esxcli.vswitches(text_of(pieces[0]))
    return Network(tuple(esxcli.port_groups(text_of(pieces[1]))), tuple(vswitches))


def network_4x(pieces: Pieces) -> Network:
    return esxcfg.vswitch_list(text_of(pieces[0]))


def ssh(pieces: Pieces) -> SshService:
    try:
        running = services.running(pieces[1].status, pieces[1].said)
    except Unreadable:
        running = None
    return SshService(running, services.chkconfig(text_of(pieces[0])))


def shell_timeout(pieces: Pieces) -> int:
    return esxcli.advanced_int(text_of(pieces[0]))


def hardware(pieces: Pieces) -> str:
    """`esxcfg-info -u`: the UUID of the hardware, on a line of its own (field guide, section 3; no capture)."""
    text = text_of(pieces[0]).strip()
    found = HARDWARE.search(text)
    if found is None:
        raise Unreadable("no UUID of the hardware", text)
    return found[0]


def folder(pieces: Pieces) -> Place | Later:
    if pieces[0].status == NOT_NOW:
        return LATER
    return _listed(pieces[0]).place


def keys_file(path: str) -> Callable[[Pieces], KeysFile]:
    """A reader of the file at `path`, from its listing and its content."""

    def read(pieces: Pieces) -> KeysFile:
        listing = _listed(pieces[0])
        if listing.place is Place.ABSENT:
            return KeysFile(path, None)
        if not listing.mode:
            return KeysFile(path, None, odd="below something that is no folder")
        if listing.kind != "a file":
            return KeysFile(path, None, odd=listing.kind)
        text_of(pieces[1])
        folder = path.rpartition("/")[0]
        loose = tuple(name for name, it in ((path, listing), (folder, _listed(pieces[2]))) if it.loose)
        marked = listing.sticky if path.startswith("/etc/") else None
        return KeysFile(path, pieces[1].out, marked, loose=loose)

    return read


def boot_modules(pieces: Pieces) -> BootModules:
    bank, config, other, archive = pieces
    if archive.status not in (0, NOT_WHOLE, NO_MEMBER, NO_ARCHIVE) or _no_space(archive):
        raise Unreadable("vcl.tgz could not be unpacked to look into it", archive.said)
    return BootModules(
        text_of(bank).strip(),
        _content(config),
        _content(other),
        archive=archive.status != NO_ARCHIVE,
        whole=archive.status in (0, NO_MEMBER),
        archived_keys=archive.out if archive.status == 0 else None,
    )


def saved_state(pieces: Pieces) -> SavedState:
    bank, state, leftover, config, other = pieces
    if state.status not in (0, NO_MEMBER, NO_ARCHIVE):
        raise Unreadable(f"the saved state could not be unpacked (exit status {state.status})", state.said)
    keys = state.out if state.status == 0 else None
    return SavedState(
        text_of(bank).strip(), keys, bool(leftover.out.strip()), _content(config), _content(other)
    )


def owed(pieces: Pieces) -> frozenset[str]:
    return frozenset((_content(pieces[0]) or b"").decode("utf-8", "replace").splitlines())


def _listed(piece: Piece) -> files.Listing:
    return files.listed(piece.status, piece.text, piece.err.decode("utf-8", "surrogateescape"))


def _content(piece: Piece) -> bytes | None:
    """A file's content; None when there is no such file. Raises Unreadable for every other failure."""
    if piece.status == 0:
        return piece.out
    if piece.said.lower().endswith("no such file or directory"):
        return None
    raise Unreadable("a file could not be read", piece.said)


def _no_space(piece: Piece) -> bool:
    return piece.status == NO_ROOM or "no space left" in piece.said.lower()
