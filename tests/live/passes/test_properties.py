"""What must hold, over random worlds and wishes, on real SSH: each property with one pinned example."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.report import HostReport, Outcome, Status
from reconciler.simulator import Machine, NfsMount, PortGroup
from tests.live.passes.world import PREFER, SERVER, VERSIONS, Keys, World, _shared_keys, world

EXPORTS = ("/install/vmware_images", "/export/vms", "/export/iso")
SERVERS = (SERVER, "10.10.0.9")
NAMES = ("repository", "vms", "old iso", "a (1)")
GROUPS = ("Private", "Public", "Net (1)", "a'b $(x)")
SWITCHES = ("vSwitch0", "vSwitch1")
FOREIGN = (
    b"ssh-rsa QUFBQQ== some body\n",
    b"# a comment\r\n",
    b"\n",
    b'from="10.0.0.1" ssh-rsa QkJCQg== x\n',
    b"garbage",
)

ONCE = settings(
    # real SSH costs more than a pure function: an eighth of the profile's examples
    max_examples=settings().max_examples // 8,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


@dataclass(frozen=True)
class Case:
    """A host, and a spec for it."""

    version: str
    spec: dict[str, Any]
    model: dict[str, Any] = field(default_factory=dict)
    keys: tuple[bytes, ...] = ()
    way: str = "ssh"


@st.composite
def mounts(draw: st.DrawFn) -> tuple[NfsMount, ...]:
    places = st.tuples(st.sampled_from(SERVERS), st.sampled_from(EXPORTS))
    chosen = draw(st.lists(places, unique=True, max_size=3))
    names = draw(st.permutations(NAMES))
    return tuple(NfsMount(name, *place) for name, place in zip(names, chosen, strict=False))


@st.composite
def datastores(draw: st.DrawFn) -> dict[str, Any]:
    """Each name absent, anything, or a place of its own."""
    places = draw(st.permutations([(server, path) for server in SERVERS[:1] for path in EXPORTS]))
    wishes: dict[str, Any] = {}
    for name, (server, path) in zip(draw(st.permutations(NAMES)), places, strict=False):
        wish: dict[str, Any] = {"nfs": {"server": server, "path": path}}
        chosen = draw(st.sampled_from([wish, wish, "absent", {}, None]))
        if chosen is not None:
            wishes[name] = chosen
    return {"datastore1": {"vmfs": {}}, **wishes}


groups = st.dictionaries(
    st.sampled_from(GROUPS),
    st.fixed_dictionaries({}, optional={"vswitch": st.sampled_from(SWITCHES), "vlan": st.integers(0, 4095)}),
    max_size=3,
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    spec: dict[str, Any] = {
        "allow": draw(st.sampled_from(["safe", "service", "link"])),
        "datastores": draw(datastores()),
        "portGroups": draw(groups),
        "ssh": {
            "authorizedKeys": [Keys(_shared_keys()).public("second")],
            "exclusiveKeys": draw(st.booleans()),
            "persistKeys": draw(st.booleans()),
        },
    }
    named = [name for name, wish in spec["datastores"].items() if wish != "absent"]
    if draw(st.booleans()):
        spec["workingDirectory"] = f"[{draw(st.sampled_from(named))}] x y/${{name}}"
    there = draw(
        st.lists(
            st.builds(PortGroup, st.sampled_from(GROUPS), vlan=st.integers(0, 20)),
            max_size=2,
            unique_by=lambda it: it.name,
        )
    )
    found = draw(mounts())
    machines = [Machine(7, "vm (7)", mount.name, "a/a.vmx") for mount in found[:1] if draw(st.booleans())]
    model = {"nfs": found, "port_groups": tuple(there), "machines": tuple(machines)}
    return Case(
        draw(st.sampled_from(VERSIONS)),
        spec,
        model,
        tuple(draw(st.lists(st.sampled_from(FOREIGN), max_size=3))),
        draw(st.sampled_from(tuple(PREFER))),
    )


SWAP = Case(
    "6.7",
    {
        "allow": "link",
        "datastores": {
            "vms": {"nfs": {"server": SERVER, "path": EXPORTS[0]}},
            "repository": {"nfs": {"server": SERVER, "path": EXPORTS[1]}},
        },
    },
    {"nfs": (NfsMount("vms", SERVER, EXPORTS[1]), NfsMount("repository", SERVER, EXPORTS[0]))},
)
MOVES_ON = Case(
    "8.0",
    {
        "allow": "link",
        "datastores": {"vms": {"nfs": {"server": SERVER, "path": EXPORTS[0]}}, "old iso": "absent"},
        "workingDirectory": "[vms] x",
        "ssh": {
            "authorizedKeys": [Keys(_shared_keys()).public("second")],
            "exclusiveKeys": True,
            "persistKeys": True,
        },
    },
    {"nfs": (NfsMount("old iso", SERVER, EXPORTS[0]),)},
)


def on(case: Case, folder: str) -> Any:
    installed = Keys(_shared_keys()).public("root").encode() + b"\n" + b"".join(case.keys)
    spec = {**case.spec, "access": {"prefer": PREFER[case.way]}}
    sdk = case.way != "ssh"
    return world(Path(folder), case.version, spec, authorized_keys=installed, sdk=sdk, **case.model)


@ONCE
@given(cases())
@example(SWAP)
@example(replace(SWAP, way="sdk"))
@example(MOVES_ON)
@example(replace(MOVES_ON, way="sdk"))
@example(replace(MOVES_ON, way="both"))
def test_one_pass_does_all_that_may_be_done_and_the_next_finds_nothing(case: Case) -> None:
    with tempfile.TemporaryDirectory() as folder, on(case, folder) as there:
        first = there.run()
        assert first.fault is None, first.fault
        assert {step.outcome for step in first.steps} <= {Outcome.DONE}
        done = len(there.changing())
        again = there.run()
        assert again.steps == ()
        assert len(there.changing()) == done
        assert again.status is (Status.HELD if again.held or again.unknown else Status.IN_SYNC)


@ONCE
@given(cases())
@example(MOVES_ON)
@example(replace(MOVES_ON, way="sdk"))
@example(replace(MOVES_ON, way="both"))
def test_a_dry_run_leaves_the_host_byte_for_byte_as_it_was(case: Case) -> None:
    with tempfile.TemporaryDirectory() as folder, on(case, folder) as there:
        before = there.host.digest()
        there.look()
        assert there.host.digest() == before


@ONCE
@given(cases())
@example(MOVES_ON)
@example(replace(MOVES_ON, way="sdk"))
@example(replace(MOVES_ON, way="both"))
@example(replace(MOVES_ON, keys=(b"garbage", b'from="10.0.0.1" ssh-rsa QkJCQg== x\n')))
def test_what_the_spec_does_not_name_is_left_alone(case: Case) -> None:
    with tempfile.TemporaryDirectory() as folder, on(case, folder) as there:
        before = unnamed(there, case)
        report = there.run()
        assert unnamed(there, case) == before
        assert no_step_above_what_is_allowed(report, case.spec["allow"])


def unnamed(there: World, case: Case) -> object:
    """Mounts, port groups and key lines that no wish names, as the host has them."""
    stores = case.spec["datastores"]
    mounts_left = sorted((it.name, it.server, it.share) for it in there.host.mounts if it.name not in stores)
    wished = case.spec.get("portGroups", {})
    groups_left = sorted(
        (it.name, it.vswitch, it.vlan) for it in there.host.port_groups if it.name not in wished
    )
    path = "/.ssh/authorized_keys" if case.version == "4.1" else "/etc/ssh/keys-root/authorized_keys"
    lines = b"".join(case.keys).splitlines(keepends=True)
    kept = [line for line in lines if not case.spec["ssh"].get("exclusiveKeys") or b"ssh-rsa" not in line]
    content = there.host.files.read(path) or b""
    return mounts_left, groups_left, [line in content for line in kept]


def no_step_above_what_is_allowed(report: HostReport, allow: str) -> bool:
    order = ["safe", "service", "link", "outage", "data"]
    return all(order.index(step.risk) <= order.index(allow) for step in report.steps)
