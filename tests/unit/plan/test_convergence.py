"""Plan, do the first step, look again: on random hosts and wishes this ends, nothing is refused on the way, and what
the spec does not name stays as it was."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.kinds.model import Resource, Risk
from reconciler.plan import Plan, make_plan
from tests.unit.kinds.worlds import rules, wished
from tests.unit.plan.hosts import Host, hosts, specs

CHAIN = {
    "datastores": {
        "alpha": {"nfs": {"server": "filer", "path": "/one"}},
        "beta": {"nfs": {"server": "filer", "path": "/two"}},
        "gamma": "absent",
    },
    "workingDirectory": "[alpha] vms/deep",
    "portGroups": {"Private": {"vswitch": "vSwitch2", "vlan": 10}, "Public": {"vswitch": "vSwitch2"}},
}


def planned(resources: tuple[Resource, ...], host: Host, allow: Risk) -> Plan:
    return make_plan(resources, host.facts(), rules(allow))


def converge(resources: tuple[Resource, ...], host: Host, allow: Risk) -> Plan:
    """Do one step after the other, each by a plan of its own; the plan in the end."""
    first = planned(resources, host, allow)
    plan = first
    for _ in range(len(first.steps) + len(resources) + 1):
        if not plan.steps:
            return plan
        for verb in plan.steps[0].actions:
            host.do(verb)
        plan = planned(resources, host, allow)
    raise AssertionError(f"no end: {plan.steps}")


@given(hosts(), specs, st.sampled_from(Risk))
@example(Host({"beta": "/one", "gamma": "/two"}), CHAIN, Risk.LINK)
@example(Host({"beta": "/one", "gamma": "/two"}, machines=[("gamma", "")]), CHAIN, Risk.LINK)
@settings(deadline=None)
def test_step_by_step_the_plan_gets_empty(host: Host, spec: dict[str, Any], allow: Risk) -> None:
    resources = wished(spec)
    last = converge(resources, host, allow)
    told = {it.resource for it in last.held} | {it.resource for it in last.unknown}
    assert told | set(last.in_sync) == {resource.name for resource in resources}
    assert not host.changed or host.owed, "what was changed is saved, or a note says that it is not"
    assert not host.owed or not resources


@given(hosts(), specs, st.sampled_from(Risk))
@example(Host({"delta": "/three"}, ["beta"], groups={}, switches=["vSwitch0"]), CHAIN, Risk.DATA)
@settings(deadline=None)
def test_what_the_spec_does_not_name_stays_as_it_was(host: Host, spec: dict[str, Any], allow: Risk) -> None:
    before = deepcopy(host)
    converge(wished(spec), host, allow)
    stores, groups = spec.get("datastores", {}), spec.get("portGroups", {})
    assert {name: path for name, path in host.mounts.items() if name not in stores} == {
        name: path for name, path in before.mounts.items() if name not in stores
    }
    assert {name: it for name, it in host.groups.items() if name not in groups} == {
        name: it for name, it in before.groups.items() if name not in groups
    }
    assert host.volumes == before.volumes
    assert host.machines == before.machines
    assert host.folders >= before.folders
    wanted = {it.get("vswitch") for it in groups.values()}
    assert host.switches[: len(before.switches)] == before.switches
    assert set(host.switches) <= wanted | set(before.switches)


@given(hosts(), specs)
@example(Host({"beta": "/one", "gamma": "/two"}), CHAIN)
@settings(deadline=None)
def test_with_everything_allowed_all_that_can_be_done_is_done(host: Host, spec: dict[str, Any]) -> None:
    resources = wished(spec)
    last = converge(resources, host, Risk.DATA)
    assert all(
        held.step is None or "stands on" in held.why or "not there" in held.why for held in last.held
    ) or any("wait for one another" in held.why for held in last.held)


@given(hosts(), specs, st.sampled_from(Risk))
@example(Host({"beta": "/one", "gamma": "/two"}, machines=[("id-two", "")]), CHAIN, Risk.DATA)
@settings(deadline=None)
def test_no_mount_below_a_machine_is_touched(host: Host, spec: dict[str, Any], allow: Risk) -> None:
    below = {
        name: path
        for name, path in host.mounts.items()
        if {store for store, _ in host.machines} & {name, host.id(name)}
    }
    converge(wished(spec), host, allow)
    assert below.items() <= host.mounts.items()
