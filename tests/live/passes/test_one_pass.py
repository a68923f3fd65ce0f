"""From a spec to a converged host and back from a power loss, on every version."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.report import HostReport, Outcome, Status
from reconciler.simulator import NfsMount
from tests.live.passes.world import PATH, SERVER, VERSIONS, World, full_spec, world

DRIFT = (NfsMount("repository", "10.10.0.9", PATH), NfsMount("old-iso", SERVER, "/export/iso"))


def outcomes(report: HostReport) -> dict[str, Outcome | None]:
    return {f"{step.resource} {step.verb}": step.outcome for step in report.steps}


def test_one_port_group(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {"portGroups": {"Private": {"vswitch": "vSwitch0", "vlan": 10}}}) as there:
        plan = there.look()
        assert [step.resource for step in plan.steps] == ["portGroup/Private"]
        assert plan.status is Status.DRIFTED
        assert there.changing() == []
        report = there.run()
        assert (report.status, outcomes(report)) == (
            Status.CONVERGED,
            {"portGroup/Private create": Outcome.DONE},
        )
        assert there.run().status is Status.IN_SYNC


@pytest.mark.parametrize("version", VERSIONS)
def test_a_host_is_put_right_and_stays_so_after_a_power_loss(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}, nfs=DRIFT) as there:
        there.spec = full_spec(there.keys)
        before = there.host.digest()
        plan = there.look()
        assert plan.status is Status.DRIFTED
        assert there.host.digest() == before, "a dry run leaves the host byte for byte as it was"

        report = there.run()
        assert report.fault is None
        assert report.status is Status.CONVERGED
        assert set(outcomes(report).values()) == {Outcome.DONE}
        _as_wished(there)

        done = len(there.changing())
        again = there.run()
        assert (again.status, again.steps) == (Status.IN_SYNC, ())
        assert len(there.changing()) == done, "a second run finds nothing to do"

        there.host.reboot(power_loss=True)
        after = there.look()
        assert (after.status, after.steps) == (Status.IN_SYNC, ())


def _as_wished(there: World) -> None:
    public = there.keys.public("second").encode()
    path = "/.ssh/authorized_keys" if there.host.version == "4.1" else "/etc/ssh/keys-root/authorized_keys"
    content = there.host.files.read(path)
    assert content is not None
    assert content.count(public.split()[1]) == 1
    for name in ("repository", "vms"):
        assert (
            sum(name in argv for argv in there.changing() if "nfs" in " ".join(argv) or "nas" in argv[0]) >= 1
        )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_plan_shows_the_commands_that_run(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}, nfs=DRIFT) as there:
        there.spec = full_spec(there.keys)
        shown = [line for step in there.look().steps for action in step.actions for line in action.commands]
        ran = [line for step in there.run().steps for action in step.actions for line in action.commands]
        assert ran == shown


@pytest.mark.parametrize("version", VERSIONS)
def test_a_look_takes_at_most_three_round_trips_over_one_connection(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}, nfs=DRIFT) as there:
        there.spec = full_spec(there.keys)
        there.look()
        assert there.host.execs <= 3
        assert len(there.host.logins) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_host_in_sync_is_seen_in_two_round_trips(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}, nfs=DRIFT) as there:
        there.spec = full_spec(there.keys)
        there.run()
        before = there.host.execs
        assert there.look().status is Status.IN_SYNC
        assert there.host.execs - before <= 2


@pytest.mark.parametrize("version", VERSIONS)
def test_with_its_working_directory_on_vmfs_it_is_seen_in_one(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}, nfs=DRIFT) as there:
        there.spec = full_spec(there.keys) | {"workingDirectory": "[datastore1] a b/${name}"}
        there.run()
        before = there.host.execs
        assert there.look().status is Status.IN_SYNC
        assert there.host.execs - before == 1
