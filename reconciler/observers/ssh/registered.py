"""The disks of registered machines: `vim-cmd vmsvc/getallvms`, and `get.filelayout` of each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.observers.ssh import machines, vimdump
from reconciler.observers.ssh.errors import QUOTED, Away, Unreadable
from reconciler.observers.ssh.frames import Frames
from reconciler.records import record
from reconciler.transports.hostd import restarting

LOST = "Skipping invalid VM"
FILES, LAYOUT = "vim.vm.FileInfo", "vim.vm.FileLayout"

# One vim-cmd at a time: each is a process of 30 to 50 MB. A line of an annotation that looks like a row is asked for as
# well; hostd knows no such machine.
_LIST = """a=$(vim-cmd vmsvc/getallvms 2>&1 </dev/null); s=$?; printf '%s\\0%s\\0' $s "$a"; [ $s = 0 ] || exit 0
k=; for n in $(printf '%s\\n' "$a" | sed -n 's/^\\([0-9][0-9]*\\) .*\\.vmt*x.*/\\1/p'); do
case " $k " in *" $n "*) continue;; esac; k="$k $n"
l=$(vim-cmd vmsvc/get.filelayout $n 2>&1 </dev/null); printf '%s\\0%s\\0' $n "$l"
"""
LAYOUTS = _LIST + "done"
LAYOUTS_AND_POWER = (
    _LIST + "p=$(vim-cmd vmsvc/power.getstate $n 2>&1 </dev/null); printf '%s\\0' \"$p\"\ndone"
)


@record
class Registered:
    """A registered machine. `config` is its .vmx as hostd names it, each of `chains` a disk with its parents, the base
    first; `others` are files of its snapshots. `running` None: the list does not tell."""

    name: str
    config: str
    chains: tuple[tuple[str, ...], ...]
    others: tuple[str, ...]
    running: bool | None = None


def registered(out: bytes, *, power: bool) -> list[Registered]:
    """What LAYOUTS printed, or with `power` LAYOUTS_AND_POWER. Raises Unreadable when it is not all of them."""
    frames = Frames(out)
    status, listing = frames.number(), frames.text()
    _answered(listing)
    if status != 0 or vimdump.fault(listing) is not None:
        raise Unreadable("the registered machines could not be listed", listing)
    if LOST in listing:
        raise Unreadable("a registered virtual machine can't be read (its datastore may be lost)", listing)
    names = {number: _name(row) for number, row in machines.rows(listing) if machines.is_whole(row)}
    found = []
    while frames.more:
        number, text = frames.number(), frames.text()
        state = frames.text() if power else None
        machine = _machine(names.pop(number, None), text, state)
        found += [machine] if machine is not None else []
    if names:
        raise Unreadable("a registered machine was not asked for its disks", ", ".join(names.values()))
    return found


def _name(row: str) -> str:
    return next((machine.name for machine in machines.of_row(row)), row.strip()[:QUOTED])


def _answered(text: str) -> None:
    if restarting(text):
        raise Away("hostd is not answering", text)


def _machine(name: str | None, text: str, state: str | None) -> Registered | None:
    """None for a number that is no machine's."""
    _answered(text)
    fault = vimdump.fault(text)
    if fault is not None and fault.startswith("NotFound") and name is None:
        return None
    if fault is not None:
        raise Unreadable(f"the disks of the virtual machine {name!r} can't be listed", fault)
    dumps = [dump for dump in vimdump.parse_all(text) if isinstance(dump, dict)]
    by_type = {dump["_type"]: dump for dump in dumps}
    config, layout = by_type.get(FILES, {}).get("vmPathName"), by_type.get(LAYOUT)
    if not isinstance(config, str) or layout is None:
        raise Unreadable(f"the layout of the virtual machine {name!r} does not tell its files", text)
    return Registered(
        name or config,
        config,
        tuple(_files(disk, "diskFile") for disk in _objects(layout.get("disk"), text)),
        tuple(it for taken in _objects(layout.get("snapshot"), text) for it in _files(taken, "snapshotFile")),
        None if state is None else not _is_off(state),
    )


def _objects(value: vimdump.Value, text: str) -> list[dict[str, vimdump.Value]]:
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    objects = [item for item in items if isinstance(item, dict)]
    if len(objects) < len(items):
        raise Unreadable("a layout with something else than disks", text)
    return objects


def _files(fields: dict[str, vimdump.Value], name: str) -> tuple[str, ...]:
    """The names in a list. Raises Unreadable for anything else: a disk without files hides something."""
    value = fields.get(name)
    names: Sequence[vimdump.Value] = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(it, str) for it in names):
        raise Unreadable(f"a layout without {name}", str(fields))
    return tuple(str(it) for it in names)


def _is_off(state: str) -> bool:
    """`Retrieved runtime info`, `Powered off`: whatever else it says, the machine may run."""
    return re.search(r"^Powered off\s*$", state, re.MULTILINE) is not None
