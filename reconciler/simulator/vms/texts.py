"""The text files of a machine: .vmx and .vmsd, written as VMware writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from reconciler.simulator.model import Disk, Machine

CONTROLLERS = ((16000, "sata", 30), (3000, "ide", 2), (2000, "scsi", 16))
LINE = re.compile(r'^\s*([^=\s]+)\s*=\s*"?(.*?)"?\s*$')


def address(key: int) -> str:
    """Where a device hangs, by its key: 2000 is `scsi0:0`, 3001 `ide0:1`."""
    start, bus, size = next(each for each in CONTROLLERS if key >= each[0])
    return f"{bus}{(key - start) // size}:{(key - start) % size}"


def key_of(device: str) -> int | None:
    """The key of `scsi0:0`; None for what is no place of a disk."""
    match = re.fullmatch(r"(scsi|ide|sata)(\d+):(\d+)", device)
    if match is None:
        return None
    start, size = next((start, size) for start, bus, size in CONTROLLERS if bus == match[1])
    return start + int(match[2]) * size + int(match[3])


def escaped(value: str) -> str:
    """A value of a .vmx: quotes, bars and control characters as `|22`."""
    return re.sub(r'["|\x00-\x1f\x7f]', lambda match: f"|{ord(match[0]):02X}", value)


def plain(value: str) -> str:
    return re.sub(r"\|([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), value)


def vmx(machine: Machine, files: Mapping[int, str]) -> str:
    """The .vmx; `files` are the disks as it names them, by key."""
    values = [
        (".encoding", "UTF-8"),
        ("config.version", "8"),
        ("virtualHW.version", str(int(machine.hardware.removeprefix("vmx-") or 7))),
        ("displayName", machine.name),
        ("guestOS", machine.guest.removesuffix("Guest").lower()),
        ("annotation", machine.annotation),
        ("snapshot.redoNotWithParent", "TRUE"),
    ]
    if machine.computer_id:
        values.insert(0, ("#computer_id", machine.computer_id))
    for disk in machine.disks:
        values += _disk(disk, files[disk.key], machine.redo.get(disk.key))
    return "".join(f'{key} = "{escaped(value)}"\n' for key, value in values)


def _disk(disk: Disk, file: str, redo: str | None) -> list[tuple[str, str]]:
    at = address(disk.key)
    bus = at.partition(":")[0]
    controller = [(f"{bus}.present", "TRUE"), (f"{bus}.virtualDev", "lsilogic")] if bus[0] == "s" else []
    kind = "scsi-hardDisk" if bus[0] == "s" else "ata-hardDisk"
    lines = [(f"{at}.present", "TRUE"), (f"{at}.fileName", file), (f"{at}.mode", disk.mode)]
    if disk.mode.endswith("nonpersistent"):
        lines.append((f"{at}.redo", f"./{redo}" if redo else ""))
    return [*controller, *lines, (f"{at}.deviceType", kind)]


def read_vmx(text: str) -> dict[str, str]:
    """The values of a .vmx, by their keys in small letters."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match is not None:
            found[match[1].lower()] = plain(match[2])
    return found


def vmsd(names: Sequence[str], disks: Sequence[Sequence[tuple[str, str]]], stem: str) -> str:
    """The .vmsd: each snapshot's name and its disks, (address, file) as they stood then. Empty without snapshots."""
    if not names:
        return ""
    last = len(names)
    text = f'.encoding = "UTF-8"\nsnapshot.lastUID = "{last}"\nsnapshot.current = "{last}"\n'
    for index, (name, frozen) in enumerate(zip(names, disks, strict=True)):
        text += _snapshot(f"snapshot{index}", index + 1, name, frozen, stem)
    return text + f'snapshot.numSnapshots = "{last}"\n'


def _snapshot(prefix: str, uid: int, name: str, frozen: Sequence[tuple[str, str]], stem: str) -> str:
    values = [("uid", str(uid)), ("filename", f"{stem}-Snapshot{uid}.vmsn")]
    if uid > 1:
        values.append(("parent", str(uid - 1)))
    values += [("displayName", name), ("numDisks", str(len(frozen)))]
    for index, (at, file) in enumerate(frozen):
        values += [(f"disk{index}.fileName", file), (f"disk{index}.node", at)]
    return "".join(f'{prefix}.{key} = "{escaped(value)}"\n' for key, value in values)
