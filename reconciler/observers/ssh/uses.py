"""Who uses which disk, put together from all that a host tells: layouts, running machines, files on its volumes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.image_facts import DiskUse
from reconciler.observers.ssh import esxcli, search, vimdump
from reconciler.observers.ssh.answers import text_of
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.locations import VOLUMES, Location, Volumes
from reconciler.observers.ssh.registered import Registered, registered
from reconciler.observers.ssh.search import Found
from reconciler.observers.ssh.vmx import Device, devices, parents, values
from reconciler.transports.shell import Piece

CONFIGS = (".vmx", ".vmtx")
Pieces = Sequence[Piece]


def disks_in_use(pieces: Pieces) -> tuple[DiskUse, ...]:
    """From LAYOUTS, the list of running machines, and SEARCH (5.0 and later)."""
    machines = registered(pieces[0].out, power=False)
    text, frames = search.listing(pieces[2])
    rows = esxcli.filesystems(text)
    volumes = Volumes({row.id: row.name for row in rows})
    reached = [row.id for row in rows if row.mounted and row.type not in search.NO_MACHINES]
    running = esxcli.running_machines(text_of(pieces[1]))
    # 8.0 U3 runs machines of its own from outside all volumes.
    configs = [f"{VOLUMES}{it.datastore}/{it.path}" for it in running if it.datastore]
    census = Census(volumes, {volumes.locate(config) for config in configs})
    return census.take(machines, search.found(frames, reached))


def disks_in_use_4x(pieces: Pieces) -> tuple[DiskUse, ...]:
    """From LAYOUTS_AND_POWER and SEARCH_4X."""
    machines = registered(pieces[0].out, power=True)
    text, frames = search.listing(pieces[1])
    rows = vimdump.datastore_summaries(text)
    nameless = [row.name for row in rows if row.accessible and row.id is None]
    if nameless:
        raise Unreadable("a volume does not tell where it is", ", ".join(nameless))
    volumes = Volumes({row.id: row.name for row in rows if row.id is not None})
    reached = [row.id for row in rows if row.accessible and row.id is not None]
    return Census(volumes, None).take(machines, search.found(frames, reached))


class Census:
    """All that uses a disk. `running` are the configuration files of running machines; None: it is not told."""

    def __init__(self, volumes: Volumes, running: Collection[Location] | None) -> None:
        self._volumes, self._running = volumes, running
        self._uses: dict[tuple[str | None, str, str], DiskUse] = {}
        self._machines: dict[Location, tuple[str, bool]] = {}
        self._chained: set[Location] = set()

    def take(self, registered: Sequence[Registered], files: Sequence[Found]) -> tuple[DiskUse, ...]:
        """The uses. Raises Unreadable when a machine runs of which nothing else is known."""
        configs = {
            Location(it.volume, it.path): devices(values(it.content))
            for it in files
            if it.content is not None and it.path.endswith(CONFIGS)
        }
        for machine in registered:
            self._registered(machine, configs)
        for config, named in configs.items():
            self._configured(config, named)
        for file in files:
            self._other(file)
        lost = set(self._running or ()) - set(self._machines)
        if lost:
            shown = ", ".join(sorted(self._volumes.show(it) for it in lost))
            raise Unreadable("a virtual machine runs whose disks can't be found out", shown)
        return tuple(self._uses.values())

    def _registered(self, machine: Registered, configs: Mapping[Location, Iterable[Device]]) -> None:
        config = self._volumes.locate(machine.config)
        running = self._runs(config) if machine.running is None else machine.running
        who = f"virtual machine {machine.name!r} (registered)"
        self._machines[config] = who, running
        self._use(config, who, running=running)
        spared = {
            self._volumes.locate(it.file, config) for it in configs.get(config, ()) if not it.persistent
        }
        for chain in machine.chains:
            located = [self._volumes.locate(file, config) for file in chain]
            self._chained.update(located)
            for place in located:
                self._use(place, who, running=running, writes=place == located[-1] and place not in spared)
        for file in machine.others:
            self._use(self._volumes.locate(file, config), who, running=running)

    def _runs(self, config: Location) -> bool:
        return self._running is None or config in self._running

    def _configured(self, config: Location, named: Iterable[Device]) -> None:
        shown = self._volumes.show(config)
        unregistered = f"the unregistered machine {shown}", self._runs(config)
        who, running = self._machines.setdefault(config, unregistered)
        for device in named:
            place = self._volumes.locate(device.file, config)
            self._use(place, who, running=running, writes=device.persistent)

    def _other(self, file: Found) -> None:
        place = Location(file.volume, file.path)
        if file.content is None:
            self._held(place)
        elif not file.path.endswith(CONFIGS):
            self._delta(place, file.content)

    def _held(self, place: Location) -> None:
        """A file that a running machine holds alone. Its content is known where the machine is one of this host's."""
        if place not in self._chained and place not in self._machines:
            self._use(place, f"the locked file {self._volumes.show(place)}", running=True, writes=True)

    def _delta(self, place: Location, descriptor: bytes) -> None:
        """Not told once more where a registered machine's chain has both it and its parent."""
        for hint in parents(descriptor):
            parent = self._volumes.locate(hint, place)
            if not {place, parent} <= self._chained:
                self._use(parent, f"the delta {self._volumes.show(place)}")

    def _use(self, place: Location, who: str, *, running: bool = False, writes: bool = False) -> None:
        """The same user is named once for a file, with the worst that is known."""
        key = (place.volume, place.path, who)
        known = self._uses.get(key, DiskUse(place.volume, place.path, who))
        self._uses[key] = replace(known, running=known.running or running, writes=known.writes or writes)
