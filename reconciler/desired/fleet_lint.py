"""What goes wrong between hosts: one address, one NFS export or one working directory in two hands."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.desired.host import DesiredHost, datastore_path
from reconciler.desired.mistakes import Mistake
from reconciler.kinds import datastores, images, working_directory
from reconciler.kinds.datastores import NfsWish
from reconciler.records import record

Export = tuple[str, str]


@record
class _Use:
    """One datastore of one host that comes from an NFS export; `server` is one of its servers."""

    host: DesiredHost
    datastore: str
    server: str
    nfs: NfsWish

    def place(self, field: str) -> tuple[str, ...]:
        return "datastores", self.datastore, "nfs", field

    def at(self, field: str) -> str:
        """`FILE:LINE` of a field, or of the map in which it could stand."""
        return str(self.host.source(self.place(field)))

    def mistake(self, field: str, what: str) -> Mistake:
        place = self.place(field)
        return self.host.root.nearest(place).mistake(("spec", *place), what)


def fleet_mistakes(hosts: Sequence[DesiredHost]) -> Iterator[Mistake]:
    """Everything that two hosts can't share."""
    yield from _shared_addresses(hosts)
    uses = [use for host in hosts for use in _uses(host)]
    full = _full_names(uses)
    exports: dict[Export, list[_Use]] = {}
    for use in uses:
        exports.setdefault(_export(use, full), []).append(use)
    for group in exports.values():
        yield from _spellings(group)
        yield from _versions(group)
        yield from _doubles(group)
    yield from _shared_directories(hosts, full)
    yield from _dedicated_twice(hosts, full)


def _shared_addresses(hosts: Sequence[DesiredHost]) -> Iterator[Mistake]:
    first: dict[tuple[str, int], DesiredHost] = {}
    for host in hosts:
        port = host.access.ssh.port
        other = first.setdefault((_address(host.address), port), host)
        if other is not host and other.name != host.name:
            what = f"is the address of {other.name!r} too, with the same SSH port {port} ({other.source('address')})"
            node = host.root.child("address")
            yield (
                node.mistake(("spec", "address"), what)
                if node is not None
                else Mistake(host.document.file, host.document.line, 1, "spec.address", what)
            )


@functools.lru_cache(4096)
def _address(text: str) -> str:
    """A name or IP address in the one spelling by which it is compared."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text.lower().rstrip(".")


def _uses(host: DesiredHost) -> Iterator[_Use]:
    for name, wish in (host.wish(datastores.KIND).datastores or {}).items():
        if wish != "absent" and wish.nfs is not None:
            for server in wish.nfs.server.split(","):
                yield _Use(host, name, server, wish.nfs)


def _full_names(uses: Iterable[_Use]) -> dict[str, str]:
    """Short server names whose full name is evident: only one such full name is used."""
    full: dict[str, set[str]] = {}
    for use in uses:
        server = _address(use.server)
        if "." in server and not server[0].isdigit():
            full.setdefault(server.partition(".")[0], set()).add(server)
    return {short: names.pop() for short, names in full.items() if len(names) == 1}


def _export(use: _Use, full: dict[str, str]) -> Export:
    """What the export is, however it is spelled."""
    server = _address(use.server)
    return full.get(server, server), re.sub("/+", "/", use.nfs.path).rstrip("/") or "/"


def _odd_ones(group: list[_Use], field: str, look: Callable[[_Use], str]) -> tuple[_Use, list[_Use]]:
    """A use of the most frequent sort, and those of other sorts, what one line of a spec says only once."""
    ((most, _),) = Counter(map(look, group)).most_common(1)
    usual = next(use for use in group if look(use) == most)
    odd = {(use.at(field), look(use)): use for use in group if look(use) != most}
    return usual, list(odd.values())


def _spellings(group: list[_Use]) -> Iterator[Mistake]:
    usual, odd = _odd_ones(group, "path", lambda use: f"{use.server}:{use.nfs.path}")
    for use in odd:
        field = "server" if use.server != usual.server else "path"
        what = (
            f"spells the export {usual.server}:{usual.nfs.path} in another way than {usual.at(field)}, "
            "which makes it another datastore to ESXi "
            f"(would be right: {usual.server if field == 'server' else usual.nfs.path})"
        )
        yield use.mistake(field, what)


def _versions(group: list[_Use]) -> Iterator[Mistake]:
    usual, odd = _odd_ones(group, "version", lambda use: use.nfs.version)
    for use in odd:
        what = (
            f"mounts {use.server}:{use.nfs.path} by NFS {use.nfs.version} on {use.host.name}, but {usual.host.name} "
            f"by {usual.nfs.version} ({usual.at('version')}); their locks don't know each other "
            "(would be right: one version everywhere)"
        )
        yield use.mistake("version", what)


def _doubles(group: list[_Use]) -> Iterator[Mistake]:
    first: dict[int, _Use] = {}
    for use in group:
        other = first.setdefault(id(use.host), use)
        if other.datastore != use.datastore:
            what = f"is the export of the datastore {other.datastore!r} too (would be right: one name for one export)"
            yield use.mistake("path", what)


def _shared_directories(hosts: Sequence[DesiredHost], full: dict[str, str]) -> Iterator[Mistake]:
    folders: dict[tuple[Export, str], list[DesiredHost]] = {}
    for host in hosts:
        text = host.wish(working_directory.KIND).working_directory
        if text is None:
            continue
        path = datastore_path(text)
        for use in _uses(host):
            if use.datastore == path.datastore:
                folders.setdefault((_export(use, full), path.relative), []).append(host)
                break
    for (_, relative), group in folders.items():
        if len({host.name for host in group}) > 1:
            yield from _shared(group, relative)


def _dedicated_twice(hosts: Sequence[DesiredHost], full: dict[str, str]) -> Iterator[Mistake]:
    """A dedicated disk is private to one host: another one on the same export, in whatever mode, is a mistake."""
    first: dict[tuple[Export, str], DesiredHost] = {}
    for host in hosts:
        wish = host.wish(images.KIND).virtual_disk
        if wish is None:
            continue
        path = datastore_path(wish.path)
        use = next((it for it in _uses(host) if it.datastore == path.datastore), None)
        if use is None:
            continue
        other = first.setdefault((_export(use, full), path.relative), host)
        modes = {wish.mode, getattr(other.wish(images.KIND).virtual_disk, "mode", "shared")}
        if other.name != host.name and "dedicated" in modes:
            what = f"is the virtual disk path of {other.name!r} too, on one export; dedicated means private to one host"
            place = ("virtualDisk", "path")
            node = host.root.nearest(place)
            yield node.mistake(("spec", *place), f"{what} (would be right: mode: shared for both)")


def _shared(group: list[DesiredHost], relative: str) -> Iterator[Mistake]:
    """At the last place that says so: the first host was there first."""
    nodes = {(node.file, node.line): node for host in group if (node := host.root.child("workingDirectory"))}
    names = [host.name for host in group]
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    text = group[0].wish(working_directory.KIND).working_directory or ""
    path = datastore_path(text)
    right = f"[{path.datastore}] {relative + '/' if relative else ''}${{name}}"
    what = f"is one folder for {', '.join(names[:3])}{rest}, on the same export (would be right: {right})"
    for node in list(nodes.values())[1:] or nodes.values():
        yield node.mistake(("spec", "workingDirectory"), what)
