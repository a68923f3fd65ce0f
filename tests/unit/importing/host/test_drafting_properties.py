"""Whatever a host shows, the document is valid, says nothing that the host is not like, and can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.facts import (
    AuthorizedKeys,
    BackupOwed,
    Datastore,
    Datastores,
    Facts,
    Identity,
    KeysFile,
    Machines,
    Network,
    NetworkState,
    NfsSource,
    PortGroup,
    Product,
    Question,
    ShellTimeout,
    SshService,
    SshState,
)
from reconciler.fleet import Options, task_of
from reconciler.importing.host.documents import whole
from reconciler.importing.host.drafting import Order, drafted
from reconciler.importing.host.portrait import trouble
from reconciler.importing.host.reading import Beside
from reconciler.importing.writing import text
from tests.unit.kinds.worlds import keys as named_keys

ORDER = Order({}, Beside(), Options(True, None, (), 1, Path("state")))
ODD = (
    "on",
    "123",
    "a: b",
    "a=b",
    "a.nfs",
    "a",
    "#x",
    "-x",
    "b\udcff",
    "x\n",
    "\x1b[2J",
    "\u202e",
    "null",
    "~",
    "'",
    " ",
)
NAMES = st.sampled_from(ODD) | st.text(max_size=8)
SERVERS = st.sampled_from(["10.0.0.1", "filer", "filer.example.org", "a b", ""])
SOURCES = st.builds(
    NfsSource, SERVERS, NAMES.map(lambda it: f"/{it}") | NAMES, st.sampled_from(["3", "4.1"]), st.booleans()
)
LINES = st.sampled_from(
    [*(it.encode() for it in named_keys().values()), b"ssh-rsa QUFBQQ== x", b"", b"\xff"]
) | st.binary(max_size=20)


def unique(items: Any) -> Any:
    return st.lists(items, max_size=4, unique_by=lambda it: it.name).map(tuple)


def facts(**seen: Any) -> Facts:
    answers: dict[Question[Any], Any] = {
        Identity(): Product("VMware ESXi", seen.pop("version", (6, 7, 0)), "1"),
        BackupOwed(): frozenset(),
        Machines(): (),
        ShellTimeout(): 0,
    }
    return Facts(answers | {SEEN[name]: value for name, value in seen.items()})


SEEN: dict[str, Question[Any]] = {
    "stores": Datastores(),
    "network": NetworkState(),
    "keys": AuthorizedKeys(),
    "ssh": SshState(),
}
STORES = st.builds(
    Datastore, NAMES, st.sampled_from(["VMFS-6", "NFS", "vfat", "vsan"]), st.booleans(), st.none() | SOURCES
)
GROUPS = st.builds(PortGroup, NAMES, NAMES, st.integers(-1, 5000), st.just(0))
HOSTS = st.builds(
    facts,
    version=st.sampled_from([(4, 1, 0), (5, 0, 0), (6, 7, 0), (9, 0, 0)]),
    stores=unique(STORES),
    network=unique(GROUPS).map(lambda groups: Network(groups, tuple({it.vswitch for it in groups}))),
    keys=st.lists(LINES, max_size=4).map(lambda lines: KeysFile("/x", b"\n".join(lines))),
    ssh=st.builds(SshService, st.none() | st.booleans(), st.none() | st.booleans()),
)


@settings(max_examples=settings().max_examples // 2, suppress_health_check=[HealthCheck.too_slow])
@given(HOSTS)
@example(facts(stores=tuple(Datastore(name, "VMFS-6", True) for name in ODD)))
@example(facts(network=Network(tuple(PortGroup(name, "vSwitch0", 0, 0) for name in ODD), ("vSwitch0",))))
def test_a_document_is_valid_and_true_of_its_host(seen: Facts) -> None:
    made = drafted(ORDER, ORDER.seed("h1", "h1"), lambda resources: seen)
    (host,) = ORDER.beside.load({"written": text(whole([made]))}).hosts
    assert trouble(task_of(host, ORDER.options).resources, seen) == []
    assert all(note.why for note in made.omitted)
