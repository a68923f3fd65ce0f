"""What a lab says of its hosts when it starts: each on a line, or, of many, how many there are of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reconciler.simulator.handle import HostHandle

FEW = 40
"""So many hosts have a line each."""


def lines(hosts: Sequence[HostHandle], drift: Mapping[str, str]) -> list[str]:
    """The hosts, in lines; `drift` says in words what is wrong with each, by name."""
    if len(hosts) <= FEW:
        return [f"{_where(host)}  ESXi {host.version}: {drift[host.name]}" for host in hosts]
    versions = Counter(host.version for host in hosts)
    first: dict[str, HostHandle] = {}
    for host in hosts:
        first.setdefault(drift[host.name], host)
    counts = Counter(drift[host.name] for host in hosts)
    width = len(str(len(hosts)))
    return [
        "hosts by ESXi version: " + ", ".join(f"{name}: {count}" for name, count in versions.items()),
        *(f"{count:{width}} like {_where(first[what])}: {what}" for what, count in counts.items()),
    ]


def _where(host: HostHandle) -> str:
    return f"{host.name}  {host.address}:{host.port}"
