"""When the host complains, refuses or stays away: what is done is saved once, and told where it belongs."""

from __future__ import annotations

from pathlib import Path

from reconciler.actuators.answer import Answer
from reconciler.events import Waiting
from reconciler.report import Action, HostReport, Outcome, Status
from reconciler.simulator import NfsMount, PortGroup
from reconciler.verbs import AddPortGroup, SaveConfiguration, UnmountNfs, Verb
from tests.live.passes.hooks import Hooks, mount, outcomes
from tests.live.passes.world import PATH, SERVER, full_spec, world

GONE = "Connect to localhost failed: Connection failure"


def titles(report: HostReport, resource: str) -> list[str]:
    return [action.title for step in report.steps for action in step.actions if step.resource == resource]


def commands_of(report: HostReport) -> list[Action]:
    return [action for step in report.steps for action in step.actions]


def test_nothing_is_tried_that_stands_on_a_failure_from_afar(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}, nfs=(NfsMount("a", SERVER, PATH),)) as there:
        there.spec = {"datastores": {"a": "absent", "b": mount()}, "workingDirectory": "[b] x"}
        hooks.reply = lambda verb: Answer(False, "busy") if isinstance(verb, UnmountNfs) else None
        report = there.run()
        assert hooks.verbs == ["OweBackup", "UnmountNfs"]
        assert outcomes(report) == {
            "datastore/a delete": Outcome.FAILED,
            "datastore/b create": Outcome.SKIPPED,
            "workingDirectory create": Outcome.SKIPPED,
        }


def test_keys_are_saved_although_the_removal_of_others_is_held(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}) as there:
        foreign = b"ssh-rsa QUFBQQ== x\n"
        there.host.files.write(there.host.keys_path, there.keys.public("root").encode() + b"\n" + foreign)
        there.spec = {
            "allow": "safe",
            "ssh": {
                "authorizedKeys": [there.keys.public("root"), there.keys.public("second")],
                "exclusiveKeys": True,
                "persistKeys": True,
            },
        }
        report = there.run()
        assert report.status is Status.HELD
        assert hooks.verbs.count("SaveConfiguration") == 1
        assert report.fault is None


def test_what_took_effect_although_the_host_complained_is_saved(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch0"}}}

        def complain(verb: Verb) -> Answer | None:
            if not isinstance(verb, AddPortGroup):
                return None
            there.host.add_port_group("Lab", "vSwitch0", 0)
            return Answer(False, GONE, passing=True)

        hooks.reply = complain
        assert there.run().status is Status.CONVERGED
        assert hooks.verbs == ["OweBackup", "AddPortGroup", "SaveConfiguration"]
        assert there.run().status is Status.IN_SYNC


def test_a_complaint_that_never_ends_is_quoted(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch0"}}}
        gone = Answer(False, GONE, passing=True)
        hooks.reply = lambda verb: gone if isinstance(verb, AddPortGroup) else None
        report = there.run()
        assert report.fault is not None
        assert GONE in report.fault.message
        assert "without an error" not in report.fault.message


def test_a_backup_that_is_a_step_is_asked_once_too(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"ssh": {"authorizedKeys": [there.keys.public("second")], "persistKeys": True}}
        there.host.fault("silent-backup")
        report = there.run()
        assert report.status is Status.FAILED
        assert hooks.verbs == ["OweBackup", "AppendKeys", "SaveConfiguration"]
        there.host.clear_faults()
        assert there.run().status is Status.CONVERGED


def test_the_closing_backup_belongs_to_what_it_saves(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"datastores": {"a": mount(), "b": mount("/no/such/export")}}
        there.host.fault("silent-backup")
        report = there.run()
        assert outcomes(report)["datastore/a create"] is Outcome.FAILED
        assert titles(report, "datastore/a")[-1] == SaveConfiguration().title
        assert len(titles(report, "datastore/b")) == 1


def test_a_host_whose_agent_stays_away_is_waited_for_once(tmp_path: Path, hooks: Hooks) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch0"}}}

        def die(verb: Verb) -> None:
            if isinstance(verb, AddPortGroup):
                there.host.fault("hostd-down", polls=10_000)

        hooks.after = die
        assert there.run().status is Status.FAILED
        waits = [it for it in there.events if isinstance(it, Waiting)]
        assert sum(it.seconds for it in waits) <= 125


def test_the_note_that_comes_anew_after_a_backup_is_in_the_plan(tmp_path: Path) -> None:
    groups = (PortGroup("Busy", vlan=5, clients=2),)
    with world(tmp_path, "6.7", {}, port_groups=groups) as there:
        there.spec = {**full_spec(there.keys), "portGroups": {"Busy": {"vlan": 6}}}
        shown = commands_of(there.look())
        report = there.run()
        assert report.status is Status.CONVERGED
        assert commands_of(report) == shown
