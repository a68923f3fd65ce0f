"""When the host can't be seen, or changes its mind in the middle of a pass: never twice, never on stale knowledge,
never called done."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.contact.ssh import SshWay
from reconciler.facts import AuthorizedKeys, Datastores, Unseen
from reconciler.faults import Unreachable
from reconciler.kinds.model import Risk
from reconciler.observers.ssh import answers
from reconciler.report import Outcome, Status
from reconciler.simulator import Machine, NfsMount, PortGroup
from reconciler.verbs import Verb
from tests.live.passes.hooks import Answers, Hooks, mount, outcomes
from tests.live.passes.world import PATH, full_spec, world

WRONG = (NfsMount("repository", "10.10.0.9", PATH),)


def inaccessible(name: str) -> Callable[[Answers], None]:
    """Makes a look show the datastore as one that can't be reached."""

    def see(seen: Answers) -> None:
        stores = seen.get(Datastores(), ())
        if not isinstance(stores, Unseen):
            changed = (dataclasses.replace(it, accessible=it.accessible and it.name != name) for it in stores)
            seen[Datastores()] = tuple(changed)

    return see


def test_a_key_is_not_appended_again_because_a_look_failed(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"ssh": {"authorizedKeys": [there.keys.public("second")]}}

        def see(seen: Answers) -> None:
            if "AppendKeys" in hooks.verbs and AuthorizedKeys() in seen:
                seen[AuthorizedKeys()] = Unseen("the disk is gone")

        hooks.see = see
        report = there.run()
        assert report.status is Status.FAILED
        assert hooks.verbs.count("AppendKeys") == 1
        content = there.host.files.read(there.host.keys_path) or b""
        assert content.count(there.keys.public("second").split()[1].encode()) == 1


@pytest.mark.parametrize("mounted", [WRONG, ()], ids=["replaced", "new"])
def test_a_mount_that_comes_up_out_of_reach_is_not_made_again(
    tmp_path: Path, hooks: Hooks, mounted: tuple[NfsMount, ...]
) -> None:
    with world(tmp_path, "6.7", {}, nfs=mounted) as there:
        there.spec = {
            "allow": "link",
            "datastores": {"repository": mount()},
            "workingDirectory": "[repository] x",
        }
        hooks.after = lambda verb: setattr(hooks, "see", inaccessible("repository"))
        report = there.run()
        assert [verb for verb in hooks.verbs if "Nfs" in verb] == ["RemountNfs" if mounted else "MountNfs"]
        assert report.status is Status.FAILED
        assert "MakeFolder" not in hooks.verbs
        assert outcomes(report).get("workingDirectory create") in (None, Outcome.SKIPPED)


def test_a_machine_that_appears_during_the_pass_keeps_its_mount(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}, nfs=WRONG) as there:
        there.spec = {"allow": "link", "datastores": {"aaa": mount("/export/iso"), "repository": mount()}}

        def register(verb: Verb) -> None:
            if type(verb).__name__ == "MountNfs":
                there.host.register_vm(Machine(5, "web", "repository", "web/web.vmx"))

        hooks.after = register
        report = there.run()
        assert "RemountNfs" not in hooks.verbs
        assert ("repository", "10.10.0.9") in [(it.name, it.server) for it in there.host.mounts]
        # what is held stands there only
        assert "datastore/repository update" not in outcomes(report)
        assert any("'web'" in it.why for it in report.held)


@pytest.mark.parametrize("wish", ["absent", mount()], ids=["absent", "from elsewhere"])
def test_what_stands_on_a_lost_mount_is_not_taken_for_nothing(tmp_path: Path, wish: object) -> None:
    machine = Machine(5, "web", "repository", "web/web.vmx")
    with world(tmp_path, "6.7", {}, nfs=WRONG, machines=(machine,)) as there:
        there.spec = {"allow": "data", "datastores": {"repository": wish}}
        there.host.fault("nfs-down")
        report = there.run()
        assert [it.resource for it in report.unknown] == ["datastore/repository"]
        assert there.changing() == []


def test_ssh_stays_on_when_something_went_wrong(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"allow": "link", "ssh": {"enabled": False}, "datastores": {"repository": mount()}}
        there.host.fault("nfs-deny")
        report = there.run()
        assert report.status is Status.FAILED
        assert there.host.ssh == (True, True)
        assert outcomes(report)["ssh update"] is Outcome.SKIPPED


def test_a_network_path_is_changed_after_all_else_is_saved(tmp_path: Path, hooks: Hooks) -> None:
    groups = (PortGroup("Busy", vlan=5, clients=2),)
    with world(tmp_path, "6.7", {}, port_groups=groups) as there:
        there.spec = {
            **full_spec(there.keys),
            "portGroups": {"Busy": {"vlan": 6}, "Zed": {"vswitch": "vSwitch0"}},
        }
        assert there.run().status is Status.CONVERGED
        assert hooks.verbs[-2:] == ["SetVlan", "SaveConfiguration"]
        assert "SaveConfiguration" in hooks.verbs[:-2]


@pytest.mark.parametrize("version", ["4.1", "6.7"])
def test_a_port_group_keeps_its_vlan_when_it_moves(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}, port_groups=(PortGroup("Lab", vlan=20),)) as there:
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch5"}}}
        assert there.run(allow=Risk.LINK).status is Status.CONVERGED
        moved = next(it for it in there.host.port_groups if it.name == "Lab")
        assert (moved.vswitch, moved.vlan) == ("vSwitch5", 20)


def test_a_refused_part_of_a_step_is_asked_once(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch0", "vlan": 5}}}
        there.host.fault("cut-after", count=3)
        there.run()
        there.host.clear_faults()
        assert there.run().status in (Status.CONVERGED, Status.IN_SYNC)
        assert there.run().status is Status.IN_SYNC


def test_a_backup_that_fails_is_told_once_and_keeps_nothing_else_from_being_done(
    tmp_path: Path, hooks: Hooks
) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"datastores": {"repository": mount()}, "workingDirectory": "[repository] x"}
        there.host.fault("silent-backup")
        report = there.run()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert "could not be saved" in report.fault.message
        assert hooks.verbs.count("SaveConfiguration") == 1
        assert outcomes(report)["workingDirectory create"] is Outcome.DONE
        there.host.clear_faults()
        assert there.run().status is Status.CONVERGED


def test_a_proof_that_can_not_be_made_fails_its_step_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: SshWay, lines: object, product: object) -> None:
        raise Unreachable("connection refused", next="try later")

    monkeypatch.setattr(SshWay, "prove_keys", refused)
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {
            "ssh": {"authorizedKeys": [{"file": str(there.keys.folder / "second.pub")}]},
            "portGroups": {"Lab": {"vswitch": "vSwitch0"}},
        }
        report = there.run()
        assert report.status is Status.FAILED
        assert outcomes(report) == {
            "authorizedKeys update": Outcome.FAILED,
            "portGroup/Lab create": Outcome.DONE,
        }
        assert there.host.saved is not None


def test_a_bug_in_the_middle_still_tells_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"datastores": {"repository": mount()}, "portGroups": {"Lab": {"vswitch": "vSwitch0"}}}
        calls: list[object] = []
        network = answers.network

        def broken(pieces: Any) -> object:
            calls.append(pieces)
            if len(calls) > 1:
                raise ZeroDivisionError("oops")
            return network(pieces)

        _reread(monkeypatch, broken)
        report = there.run()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert report.fault.kind.value == "bug"
        assert "ZeroDivisionError" in report.fault.message
        assert outcomes(report)["datastore/repository create"] is Outcome.DONE


def _reread(monkeypatch: pytest.MonkeyPatch, broken: Callable[[Any], object]) -> None:
    """Let the table of readings use another reader for the network."""
    from reconciler.facts import NetworkState
    from reconciler.observers.ssh import inquiries, readings

    # what is sent for these questions may be known from another test
    monkeypatch.setattr(inquiries, "inquiry", inquiries.inquiry.__wrapped__)
    release = readings._FIXED[readings.Release.V6]
    plain = release[NetworkState()]
    monkeypatch.setitem(release, NetworkState(), dataclasses.replace(plain, read=broken))


def test_the_plan_of_a_missing_archive_shows_all_that_will_run(tmp_path: Path) -> None:
    with world(tmp_path, "4.1", {}) as there:
        there.spec = full_spec(there.keys)
        assert there.run().status is Status.CONVERGED
        there.host.files.remove("/bootbank/vcl.tgz")
        extra = there.keys.public("third")
        there.spec["ssh"]["authorizedKeys"].append(extra)
        plan = there.look()
        shown = [action for step in plan.steps for action in step.actions]
        report = there.run()
        assert report.status is Status.CONVERGED
        assert [action for step in report.steps for action in step.actions] == shown
        assert "would not boot" in plan.steps[0].why
