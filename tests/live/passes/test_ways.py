"""Which way a pass goes: over SSH, over the SDK, over both; and a host whose SSH is off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.actuators.sdk.hands import SdkHands
from reconciler.report import HostReport, Outcome, Status
from reconciler.simulator import NfsMount
from reconciler.verbs import AddPortGroup, Verb
from tests.live.passes.world import PATH, SERVER, World, world

BOOTSTRAP: dict[str, Any] = {
    "ssh": {"enabled": True, "persistKeys": True},
    "datastores": {"datastore1": {}, "repository": {"nfs": {"server": SERVER, "path": PATH}}},
    "workingDirectory": "[datastore1] vms",
    "portGroups": {"Lab": {"vswitch": "vSwitch0", "vlan": 7}},
}


def spec(there: World, **more: Any) -> dict[str, Any]:
    ssh = {**BOOTSTRAP["ssh"], "authorizedKeys": [there.keys.public("root")]}
    return {**BOOTSTRAP, "ssh": ssh, **more}


def whys(report: HostReport) -> dict[str, str]:
    return {it.resource: it.why for it in report.held}


def findings(report: HostReport) -> str:
    return "\n".join(note.why for note in report.findings)


@pytest.mark.parametrize("version", ["5.5", "6.7", "8.0"])
def test_a_host_with_ssh_off_is_brought_up_in_one_pass(tmp_path: Path, version: str) -> None:
    off: dict[str, Any] = {"ssh_policy": False, "ssh_running": False, "authorized_keys": b"", "sdk": True}
    with world(tmp_path, version, {}, **off) as there:
        there.spec = spec(there)
        before = there.look()
        assert before.transport == "sdk"
        assert [step.resource for step in before.steps] == [
            "ssh",
            "authorizedKeys",
            "datastore/repository",
            "workingDirectory",
            "portGroup/Lab",
            "ssh",
        ]
        assert "SSH is off" in whys(before)["authorizedKeys"]
        report = there.run()
        assert (report.status, report.fault, report.held) == (Status.CONVERGED, None, ())
        assert report.transport == "sdk+ssh"
        assert there.look().status is Status.IN_SYNC
        there.host.reboot(power_loss=True)
        again = there.look()
        assert (again.status, again.steps, again.held) == (Status.IN_SYNC, (), ())


def test_a_licensed_host_is_done_over_the_sdk_while_ssh_is_down(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        wish = spec(there)
        there.spec = {**wish, "ssh": {"authorizedKeys": wish["ssh"]["authorizedKeys"]}}
        there.host.fault("refuse")
        report = there.run()
        assert (report.status, report.transport, report.held) == (Status.CONVERGED, "sdk", ())
        assert {step.outcome for step in report.steps} == {Outcome.DONE}
        assert "RemoveDatastore" not in there.host.sdk_calls
        assert there.look().status is Status.IN_SYNC
        there.host.clear_faults()
        assert there.look().transport == "sdk"


def test_what_a_licensed_host_changed_is_saved_over_ssh_where_that_is_to_be_had(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {"portGroups": {"Lab": {"vswitch": "vSwitch0"}}}, sdk=True) as there:
        report = there.run()
        assert (report.status, report.transport) == (Status.CONVERGED, "sdk+ssh")
        there.host.reboot(power_loss=True)
        assert there.look().status is Status.IN_SYNC


def test_a_free_licence_is_read_and_written_over_ssh(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True, free_licence=True) as there:
        there.spec = spec(there)
        report = there.run()
        assert (report.status, report.transport) == (Status.CONVERGED, "sdk+ssh")
        assert set(there.host.sdk_calls) <= {
            "RetrieveServiceContent",
            "Login",
            "DeleteDatastoreFile_Task",
            "Logout",
        }
        assert there.host.sdk_logins == [("root", True)]


def test_a_free_licence_with_ssh_off_names_the_step_at_the_console_and_writes_nothing(tmp_path: Path) -> None:
    off: dict[str, Any] = {"ssh_policy": False, "ssh_running": False, "authorized_keys": b""}
    with world(tmp_path, "6.7", {}, sdk=True, free_licence=True, **off) as there:
        there.spec = spec(there)
        digest = there.host.digest()
        report = there.run()
        assert (report.status, report.transport, report.steps) == (Status.HELD, "sdk", ())
        assert len([it for it in report.held if "Troubleshooting Options" in it.why]) == 1
        assert "lets the SDK only read" in whys(report)["datastore/repository"]
        assert there.host.digest() == digest
        assert "PUT" not in there.host.sdk_calls


def test_without_a_password_the_sdk_is_never_contacted(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = spec(there, access={"sdk": {"password": None}})
        assert there.run().transport == "ssh"
        there.spec = spec(there, access={"prefer": "ssh"})
        assert there.look().transport == "ssh"
        assert (there.host.sdk_calls, there.host.sdk_logins) == ([], [])


def test_a_wrong_password_is_tried_once_and_told_and_ssh_does_it(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        wrong = tmp_path / "wrong"
        wrong.write_text("Secret-But-Wrong")
        there.spec = spec(there, access={"sdk": {"password": {"file": str(wrong)}}})
        report = there.run()
        assert (report.status, report.transport) == (Status.CONVERGED, "ssh")
        assert "the SDK was not used" in findings(report)
        assert "Secret-But-Wrong" not in str(report)
        assert there.host.sdk_logins == [("root", False)]


def test_neither_way_is_one_fault_that_tells_of_both(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = spec(there)
        there.host.fault("refuse")
        there.host.fault("sdk-refuse")
        report = there.look()
        assert report.status is Status.UNREACHABLE
        assert report.fault is not None
        assert str(there.host.port) in report.fault.message
        assert str(there.host.sdk_port) in report.fault.message


def test_prefer_sdk_goes_nowhere_else_and_holds_what_only_ssh_can(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = spec(there, access={"prefer": "sdk"})
        report = there.run()
        assert (report.status, report.transport) == (Status.HELD, "sdk")
        assert "prefer: sdk" in whys(report)["authorizedKeys"]
        assert list(whys(report)) == ["authorizedKeys"]
        assert there.host.execs == 0


def test_a_certificate_that_is_not_the_pinned_one_fails_the_host_before_a_password_is_sent(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = spec(there, access={"sdk": {"thumbprint": "ab" * 32}})
        report = there.look()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert report.fault.kind.value == "hostKey"
        assert there.host.thumbprint in report.fault.message
        assert there.host.sdk_logins == []


def test_insecure_is_a_finding_at_every_pass(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = spec(there, access={"sdk": {"thumbprint": None, "insecure": True}})
        there.run()
        report = there.look()
        assert report.status is Status.IN_SYNC
        assert "nobody checks who answers" in findings(report)


def test_the_host_key_may_be_taken_from_where_the_certificate_vouches_for_it(tmp_path: Path) -> None:
    off: dict[str, Any] = {"ssh_policy": False, "ssh_running": False, "authorized_keys": b""}
    with world(tmp_path, "6.7", {}, sdk=True, **off) as there:
        known = tmp_path / "known"
        trust = {"hostKey": None, "knownHosts": str(known), "trustOnFirstUse": True}
        there.spec = spec(there, access={"ssh": trust})
        assert there.run().status is Status.CONVERGED
        (line,) = known.read_text().splitlines()
        assert line.split()[1] == "ssh-rsa"


def test_an_expired_session_logs_in_again_and_nothing_is_done_twice(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = spec(there)
        there.host.fault("sdk-expired", count=8)
        assert there.run().status is Status.CONVERGED
        assert there.host.sdk_calls.count("CreateNasDatastore") == 1
        assert there.host.sdk_logins.count(("root", True)) >= 2


@pytest.mark.parametrize("fault", ["cut-before", "cut-after"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_cut_after_any_call_heals_in_the_next_pass(tmp_path: Path, fault: str, count: int) -> None:
    off: dict[str, Any] = {"ssh_policy": False, "ssh_running": False, "authorized_keys": b"", "sdk": True}
    with world(tmp_path, "6.7", {}, **off) as there:
        there.spec = spec(there)
        there.host.fault(fault, count=count)
        there.run()
        there.host.clear_faults()
        there.run()
        assert there.look().status is Status.IN_SYNC
        text = there.host.files.read(there.host.keys_path)
        assert text.count(there.keys.public("root").split()[1].encode()) == 1


def test_a_wrong_host_key_lets_nothing_go_over_ssh_and_is_said(tmp_path: Path) -> None:
    off: dict[str, Any] = {"ssh_policy": False, "ssh_running": False, "authorized_keys": b"", "sdk": True}
    with world(tmp_path, "6.7", {}, **off) as there:
        pinned = "ssh-rsa " + there.keys.public("second").split()[1]
        there.spec = spec(there, access={"ssh": {"hostKey": pinned}})
        report = there.run()
        assert (report.status, report.transport) == (Status.HELD, "sdk")
        assert "its host key changed" in whys(report)["authorizedKeys"]
        assert "its host key changed" in findings(report)
        assert {step.outcome for step in report.steps} == {Outcome.DONE}
        assert there.host.execs == 0
        assert there.host.ssh == (True, True)


def test_a_wrong_host_key_fails_a_host_that_only_ssh_may_write_to(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True, free_licence=True) as there:
        pinned = "ssh-rsa " + there.keys.public("second").split()[1]
        there.spec = spec(there, access={"ssh": {"hostKey": pinned}})
        report = there.run()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert report.fault.kind.value == "hostKey"
        assert there.host.execs == 0


def test_a_backup_that_a_killed_pass_owes_is_made_once_ssh_is_open(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.host.files.write("/var/run/reconciler-owed", b"portGroup/Lab\n")
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch0"}, "VM Network": {}}}
        assert there.run().status is Status.CONVERGED
        assert not there.host.files.exists("/var/run/reconciler-owed")


def test_an_agent_that_is_away_for_a_call_is_looked_at_again_and_the_call_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = spec(there, access={"prefer": "sdk"})
        do, struck = SdkHands.do, list[Verb]()

        def away(self: SdkHands, verb: Verb) -> Any:
            if isinstance(verb, AddPortGroup) and not struck:
                struck.append(verb)
                there.host.fault("hostd-down", polls=1)
            return do(self, verb)

        monkeypatch.setattr(SdkHands, "do", away)
        report = there.run()
        assert list(whys(report)) == ["authorizedKeys"]
        assert {step.outcome for step in report.steps} == {Outcome.DONE}
        assert there.host.sdk_calls.count("AddPortGroup") == 1


def test_a_mount_whose_server_is_gone_is_not_looked_into_over_ssh_instead(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, nfs=(NfsMount("repository", SERVER, PATH),), sdk=True) as there:
        nfs = {"server": SERVER, "path": PATH}
        there.spec = {"datastores": {"repository": {"nfs": nfs}}, "workingDirectory": "[repository] vms"}
        there.host.fault("nfs-down")
        report = there.look()
        assert (report.transport, there.host.execs) == ("sdk", 0)
        assert "workingDirectory" in {note.resource for note in report.unknown}
