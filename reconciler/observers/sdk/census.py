"""Who uses which disk, as completely as over SSH: registered machines with their whole chains, and what lies on the
datastores: configuration files of others, and deltas."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from reconciler.image_facts import DiskUse
from reconciler.observers.sdk.browser import Browser, Entry, Held
from reconciler.observers.sdk.shown import Beyond, Unclear, need
from reconciler.observers.ssh.errors import Unreadable
from reconciler.observers.ssh.folders import NO_DESCRIPTORS
from reconciler.observers.ssh.locations import Location, Volumes
from reconciler.observers.ssh.registered import Registered
from reconciler.observers.ssh.search import Found
from reconciler.observers.ssh.uses import CONFIGS, Census
from reconciler.observers.ssh.vmx import LONGEST, parents
from reconciler.transports.sdk import Row

PATHS = (
    "name",
    "config.files.vmPathName",
    "summary.config.vmPathName",
    "runtime.powerState",
    "runtime.connectionState",
    "layoutEx",
)
PATTERNS = ["*.vmx", "*.vmtx", "*.vmdk*", "*.REDO_*"]
"""What refers to disks. Extents have the same ending as descriptors: they are told by their length, and not read."""
EXTENTS = (*NO_DESCRIPTORS.split("|"), "*-delta.REDO_*")


def uses(
    rows: Iterable[Row], names: Mapping[str, str], browsers: Mapping[str, Browser]
) -> tuple[DiskUse, ...]:
    """All uses. `names` are the names of the host's datastores by their ids, `browsers` those that are accessible.
    Raises Unclear when they may not be all."""
    machines = [_registered(row) for row in rows]
    volumes = Volumes(names)
    known = {place for machine in machines for place in _places(machine, volumes)}
    found = [file for volume, browser in browsers.items() for file in _files(volume, browser, known)]
    try:
        return Census(volumes, None).take(machines, found)
    except Unreadable as problem:
        raise Unclear(str(problem)) from problem


def _places(machine: Registered, volumes: Volumes) -> Iterable[Location]:
    """Files of which is known without them what they refer to."""
    config = volumes.locate(machine.config)
    yield config
    yield from (volumes.locate(file, config) for chain in machine.chains for file in chain)


def _registered(row: Row) -> Registered:
    name = str(need(row, "name"))
    if row.values.get("runtime.connectionState") in ("invalid", "inaccessible", "orphaned"):
        raise Unclear(f"the registered virtual machine {name!r} can't be read (its datastore may be lost)")
    layout = need(row, "layoutEx")
    files = {it.key: it for it in layout.file or ()}
    chains = tuple(tuple(_descriptor(unit, files) for unit in disk.chain or ()) for disk in layout.disk or ())
    if not all(chains):
        raise Unclear(f"the layout of the virtual machine {name!r} has a disk without files")
    config = row.values.get("config.files.vmPathName") or need(row, "summary.config.vmPathName")
    running = need(row, "runtime.powerState") != "poweredOff"
    return Registered(name, str(config), chains, tuple(_snapshots(layout, files)), running)


def _descriptor(unit: Any, files: Mapping[int, Any]) -> str:
    """The file that opens a disk of a chain. Raises Unclear."""
    named = [files[key] for key in unit.fileKey if key in files]
    opening = [it for it in named if it.type == "diskDescriptor"] or named
    if not opening:
        raise Unclear("a layout names a disk whose files it does not tell")
    return str(opening[0].name)


def _snapshots(layout: Any, files: Mapping[int, Any]) -> Iterable[str]:
    for taken in layout.snapshot or ():
        if taken.dataKey in files:
            yield str(files[taken.dataKey].name)
        for disk in taken.disk or ():
            yield from (_descriptor(unit, files) for unit in disk.chain or ())


def _files(volume: str, browser: Browser, known: Collection[Location]) -> Iterable[Found]:
    """Configuration files and deltas on a datastore. Raises Unclear."""
    listed = browser.tree("", PATTERNS)
    if listed is None:
        raise Unclear(f"the datastore {browser.datastore.name} could not be searched for virtual machines")
    for path, it in listed.items():
        config = path.endswith(CONFIGS)
        if it.folder or "/.snapshot/" in f"/{path}" or (not config and _is_long(path, it, browser)):
            continue
        content = _content(Location(volume, path), browser, known)
        if content is None or config or list(parents(content)):
            yield Found(volume, path, content)


def _content(place: Location, browser: Browser, known: Collection[Location]) -> bytes | None:
    """The beginning of a file; None: a machine holds it, and nothing is missed by that.

    Why a host does not hand out a file is not told: it may be held by a machine of another host, which refers to disks
    that nobody else knows, or it may be broken. Raises Beyond then.
    """
    shown = f"[{browser.datastore.name}] {place.path}"
    try:
        content = browser.head(place.path, LONGEST + 1)
    except Held as problem:
        if place in known or _is_extent(place.path):
            return None
        raise Beyond(
            f"{shown} can't be read: {problem}; only SSH shows whether a machine holds it"
        ) from problem
    if content is None:
        raise Unclear(f"{shown} went away while users of disks were looked for")
    return content


def _is_extent(path: str) -> bool:
    """Whether a file is called as data of a disk is, not what describes it."""
    name = path.rpartition("/")[2]
    return any(fnmatchcase(name, pattern) for pattern in EXTENTS)


def _is_long(path: str, it: Entry, browser: Browser) -> bool:
    """Whether it is no descriptor, by its length. What the browser tells of a disk is the length of all its files."""
    if it.size is not None and it.size <= LONGEST:
        return False
    size = browser.size(path)
    return size is not None and size > LONGEST
