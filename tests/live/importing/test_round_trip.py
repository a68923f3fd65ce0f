"""Whatever a simulated host has: it is imported, the documents are valid, and a dry run finds nothing to do."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.report import Status
from reconciler.simulator import Farm, HostModel, Machine, NfsMount, PortGroup
from tests.live.importing.commands import dry_run, import_hosts, reached
from tests.live.passes.world import SERVER, VERSIONS, Keys, _shared_keys, standard_storage

EXPORTS = ("/install/vmware_images", "/export/vms", "/export/iso", '/it\'s a $(touch x) "q"')
NAMES = ("repository", "vms", "old iso", "a (1)", "on", "123", "a: b", "#x", "Käse", "it's")
KEYS = (
    b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAwEAAQ== some body\n",
    b'from="10.0.0.1",command="a \\"b\\"" ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAwEAAQ== x: y # z\n',
    b"ssh-rsa QUFBQQ== broken\n",
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHGF7lgP+C6aqNA5XZL9YXmrlnIfw86HHSbuU9kkB/J8 caf\xe9 \x1b[2J\n",
    b"# a comment\r\n",
    b"\n",
    b"garbage",
)
ROUND_TRIPS = settings(
    # two hosts over real SSH for each
    max_examples=settings().max_examples // 12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Case:
    """Hosts, the way to them, and what the last one is measured by: a profile, if any."""

    hosts: tuple[dict[str, Any], ...]
    way: str = "ssh"
    keys: tuple[bytes, ...] = field(default=())


@st.composite
def hosts(draw: st.DrawFn) -> dict[str, Any]:
    version = draw(st.sampled_from(VERSIONS))
    modern = version >= "6.0"
    places = draw(
        st.lists(
            st.tuples(st.sampled_from((SERVER, "10.10.0.9")), st.sampled_from(EXPORTS)),
            max_size=4,
            unique=True,
        )
    )
    names = draw(st.permutations(NAMES))
    mounts = tuple(
        NfsMount(
            name,
            *place,
            version=draw(st.sampled_from(("3", "4.1"))) if modern else "3",
            read_only=version >= "5.0" and draw(st.booleans()),
        )
        for name, place in zip(names, places, strict=False)
    )
    groups = st.builds(
        PortGroup, st.sampled_from(NAMES), vlan=st.integers(0, 4095), clients=st.integers(0, 2)
    )
    writable = [mount.name for mount in mounts if not mount.read_only]
    machines = [Machine(7, "vm (7)", name, "a/a.vmx") for name in writable[:1] if draw(st.booleans())]
    return {
        "version": version,
        "nfs": mounts,
        "port_groups": tuple(draw(st.lists(groups, max_size=3, unique_by=lambda it: it.name))),
        "machines": tuple(machines),
        "ssh_policy": draw(st.booleans()),
    }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    keys = tuple(draw(st.lists(st.sampled_from(KEYS), max_size=4, unique=True)))
    found = tuple(draw(st.lists(hosts(), min_size=1, max_size=3)))
    return Case(found, draw(st.sampled_from(("ssh", "sdk", "both"))), keys)


TWO_VERSIONS_OF_ONE_EXPORT = Case(
    (
        {"version": "6.7", "nfs": (NfsMount("vms", SERVER, "/export/vms", "4.1"),)},
        {"version": "4.1", "nfs": (NfsMount("vms", SERVER, "/export/vms"),)},
        {"version": "8.0", "nfs": (NfsMount("iso", SERVER, "/export/vms"),)},
    ),
    keys=KEYS,
)


def models(case: Case) -> list[HostModel]:
    root = Keys(_shared_keys()).public("root").encode() + b"\n"
    return [
        HostModel(name=f"esx-{at}", authorized_keys=root + b"".join(case.keys), sdk=case.way != "ssh", **it)
        for at, it in enumerate(case.hosts)
    ]


@ROUND_TRIPS
@given(cases())
@example(TWO_VERSIONS_OF_ONE_EXPORT)
def test_imported_valid_and_nothing_to_do(case: Case) -> None:
    if case.way != "ssh":
        # a thumbprint is that of one host
        case = Case(case.hosts[:1], case.way, case.keys)
    with tempfile.TemporaryDirectory() as name, Farm.start(models(case), storage=standard_storage()) as farm:
        folder, there = Path(name), list(farm.hosts.values())
        before = [host.digest() for host in there]
        legacy = ["--legacy-algorithms"] if any(host.version < "6.5" for host in there) else []
        out = folder / ("specs" if len(there) > 1 else "specs.yaml")
        addresses = [host.address for host in there]
        options = [*reached(there[0], folder, case.way), *legacy, "--virtual-disk", "datastore1"]
        assert import_hosts(folder, *addresses, *options, "--out", str(out)) == 0
        assert [host.digest() for host in there] == before
        report = dry_run(folder, out)
        assert [host.fault for host in report.hosts] == [None] * len(there)
        assert [host.status for host in report.hosts] == [Status.IN_SYNC] * len(there)
