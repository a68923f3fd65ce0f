"""What stands in the way on real hosts: held, named, and nothing written. And names that would like to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.fleet import NothingMatches
from reconciler.kinds.model import Risk
from reconciler.render.fingerprint import fingerprint
from reconciler.report import HostReport, Outcome, Status
from reconciler.simulator import Machine, NfsMount, PortGroup
from tests.live.passes.world import PATH, SERVER, VERSIONS, full_spec, world

over_every_way = pytest.mark.usefixtures("every_way")
HOSTILE = 'a\'b "c" $(touch x) `id` ; & | [1] (2) % \\n #'


def held(report: HostReport) -> dict[str, str]:
    return {it.resource: it.why for it in report.held}


def mount(path: str = PATH, **more: object) -> dict[str, object]:
    return {"nfs": {"server": SERVER, "path": path, **more}}


@over_every_way
@pytest.mark.parametrize("running", [False, True])
def test_a_mount_under_a_virtual_machine_is_not_replaced(tmp_path: Path, running: bool) -> None:
    machine = Machine(5, "web (1)", "repository", "web/web.vmx", running=running)
    there_is = (NfsMount("repository", "10.10.0.9", PATH),)
    with world(tmp_path, "6.7", {}, nfs=there_is, machines=(machine,)) as there:
        there.spec = {"allow": "data", "datastores": {"repository": mount()}}
        report = there.run()
        assert report.status is Status.HELD
        assert "'web (1)'" in held(report)["datastore/repository"]
        assert there.changing() == []


@over_every_way
def test_a_mount_with_open_files_is_refused_by_the_host_and_stays(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, nfs=(NfsMount("repository", "10.10.0.9", PATH),)) as there:
        there.spec = {"allow": "link", "datastores": {"repository": mount()}}
        there.host.open_file_on("repository")
        report = there.run()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert "Busy" in report.fault.message or "is in use" in report.fault.message
        assert [(it.name, it.server) for it in there.host.mounts] == [("repository", "10.10.0.9")]


@over_every_way
def test_the_old_mount_comes_back_when_the_new_one_fails(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, nfs=(NfsMount("repository", "10.10.0.9", PATH),)) as there:
        there.spec = {
            "allow": "link",
            "datastores": {"repository": {"nfs": {"server": "10.9.9.9", "path": PATH}}},
        }
        report = there.run()
        assert report.status is Status.FAILED
        assert [(it.name, it.server) for it in there.host.mounts] == [("repository", "10.10.0.9")]


@over_every_way
def test_the_same_export_under_another_name_and_a_name_that_is_taken_are_held(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, nfs=(NfsMount("other", SERVER, PATH),)) as there:
        there.spec = {
            "datastores": {
                "repository": mount(),
                "datastore1": mount("/export/vms"),
                "missing": {"vmfs": {}},
                "no": {},
            }
        }
        report = there.run()
        why = held(report)
        assert "'other'" in why["datastore/repository"]
        assert "taken by a VMFS" in why["datastore/datastore1"]
        assert "never created" in why["datastore/missing"]
        assert "no datastore 'no'" in why["datastore/no"]
        assert there.changing() == []


@over_every_way
def test_two_mounts_that_wait_for_one_another_are_held(tmp_path: Path) -> None:
    there_is = (NfsMount("a", SERVER, PATH), NfsMount("b", SERVER, "/export/vms"))
    with world(tmp_path, "6.7", {}, nfs=there_is) as there:
        there.spec = {"allow": "link", "datastores": {"a": mount("/export/vms"), "b": mount()}}
        report = there.run()
        assert set(held(report)) == {"datastore/a", "datastore/b"}
        assert there.changing() == []


@over_every_way
def test_an_export_moves_from_an_absent_name_to_the_wanted_one(tmp_path: Path) -> None:
    with world(tmp_path, "8.0", {}, nfs=(NfsMount("old", SERVER, PATH),)) as there:
        there.spec = {"datastores": {"old": "absent", "repository": mount()}}
        report = there.run()
        assert report.status is Status.CONVERGED
        assert [step.resource for step in report.steps] == ["datastore/old", "datastore/repository"]
        assert [it.name for it in there.host.mounts] == ["repository"]


@over_every_way
def test_a_file_in_the_way_of_a_folder_is_held(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.host.files.write("/vmfs/volumes/datastore1/a", b"x")
        for path in ("[datastore1] a", "datastore1/a/b", "/vmfs/volumes/datastore1/a/b/c"):
            there.spec = {"workingDirectory": path}
            assert "a file is in the way" in held(there.run())["workingDirectory"]
        assert there.changing() == []


@over_every_way
def test_a_volume_id_is_as_good_as_a_name(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {"workingDirectory": "[datastore1] vms"}) as there:
        assert there.run().status is Status.CONVERGED
        volumes = there.host.files.names("/vmfs/volumes")
        by_id = [name for name in volumes if there.host.files.exists(f"/vmfs/volumes/{name}/vms")]
        for name in by_id:
            there.spec = {"workingDirectory": f"/vmfs/volumes/{name}/vms"}
            assert there.run().status is Status.IN_SYNC


@pytest.mark.parametrize("version", ["4.1", "5.5", "8.0"])
def test_other_keys_go_and_the_sessions_own_stays(tmp_path: Path, version: str, every_way: str) -> None:
    with world(tmp_path, version, {}) as there:
        root, second = there.keys.public("root"), there.keys.public("second")
        path = there.host.keys_path
        stat = there.host.files.stat(path)
        there.host.files.write(path, f"{root}\r\n# ours\nssh-rsa QUFBQQ== gone\n".encode())
        there.spec = {"ssh": {"authorizedKeys": [second], "exclusiveKeys": True}}
        report = there.run()
        if (version, every_way) == ("4.1", "sdk"):
            assert "can only be seen over SSH" in held(report)["authorizedKeys"]
            return
        assert report.status is Status.CONVERGED
        assert there.host.files.read(path) == f"{root}\r\n# ours\n{second}\n".encode()
        assert there.host.files.stat(path).inode == stat.inode
        assert any("this very session" in it.why for it in report.findings)
        assert there.run().status is Status.IN_SYNC


@over_every_way
def test_a_wanted_key_behind_options_is_held_and_never_doubled(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        second = there.keys.public("second")
        path = there.host.keys_path
        there.host.files.write(
            path, there.keys.public("root").encode() + f'\nfrom="10.9.9.9" {second}\n'.encode()
        )
        there.spec = {"ssh": {"authorizedKeys": [second]}}
        before = there.host.files.read(path)
        report = there.run()
        assert "options" in held(report)["authorizedKeys"]
        assert there.host.files.read(path) == before
        there.spec = {"ssh": {"authorizedKeys": [f'from="10.9.9.9" {second}']}}
        assert there.run().status is Status.IN_SYNC


def test_a_new_key_that_does_not_log_in_is_no_success(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        second = there.keys.public("second")
        there.spec = {"ssh": {"authorizedKeys": [{"file": str(there.keys.folder / "second.pub")}]}}
        path = there.host.keys_path
        there.host.files.write(path, there.keys.public("root").encode() + b"\n")
        there.run()
        assert [ok for method, ok in there.host.logins] == [True, True], "the fresh login that proves the key"
        assert second.encode() in (there.host.files.read(path) or b"")


@pytest.mark.parametrize("version", VERSIONS)
def test_switching_ssh_off_comes_last_and_is_saved_before(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}) as there:
        there.spec = {"ssh": {"enabled": False}, "portGroups": {"Lab": {"vswitch": "vSwitch0"}}}
        cautious = there.run()
        assert "its risk is link" in held(cautious)["ssh"]
        report = there.run(allow=Risk.LINK)
        assert (report.status, report.steps[-1].resource) == (Status.CONVERGED, "ssh")
        titles = [action.title for step in report.steps for action in step.actions]
        assert titles[-3:] == [
            "do not start SSH with the host",
            "save the configuration to the boot bank",
            "stop the SSH service",
        ]
        assert any("no pass reaches this host" in it.why for it in report.findings)
        assert there.host.ssh == (False, False)
        there.host.reboot(power_loss=True)
        assert there.host.ssh == (False, False)
        assert there.run().status is Status.UNREACHABLE


@over_every_way
def test_a_vlan_change_below_clients_needs_a_yes_to_link(tmp_path: Path) -> None:
    groups = (PortGroup("Busy", vlan=5, clients=2), PortGroup("Idle", vlan=5))
    with world(tmp_path, "6.7", {}, port_groups=groups) as there:
        there.spec = {"portGroups": {"Busy": {"vlan": 6}, "Idle": {"vlan": 6}, "idle": {}}}
        report = there.run()
        assert {step.resource: step.outcome for step in report.steps} == {"portGroup/Idle": Outcome.DONE}
        assert "2 clients" in next(it.step.why for it in report.held if it.step)
        assert "case-sensitive" in held(report)["portGroup/idle"]
        assert {it.name: it.vlan for it in there.host.port_groups if it.name in ("Busy", "Idle")} == {
            "Busy": 5,
            "Idle": 6,
        }


@pytest.mark.parametrize("version", VERSIONS)
def test_hostile_names_in_every_field_are_only_names(tmp_path: Path, version: str, every_way: str) -> None:
    export = '/it\'s a $(touch x) "q"'
    with world(tmp_path, version, {}) as there:
        key = there.keys.public("second").rsplit(" ", 1)[0] + " " + HOSTILE
        there.spec = {
            "ssh": {"authorizedKeys": [key], "persistKeys": every_way != "sdk"},
            "datastores": {"n'fs $(x) `y`;&": {"nfs": {"server": SERVER, "path": export}}, "datastore1": {}},
            "workingDirectory": f"[datastore1] {HOSTILE}/b",
            "portGroups": {HOSTILE: {"vswitch": "v'$(x)`;", "vlan": 4}},
        }
        if every_way == "sdk" and version in ("4.1", "5.0"):
            # root's keys of these can't be seen over HTTPS
            del there.spec["ssh"]
        report = there.run()
        assert report.fault is None, report.fault
        assert report.status is Status.CONVERGED
        assert there.run().status is Status.IN_SYNC
        assert [(it.name, it.share) for it in there.host.mounts] == [("n'fs $(x) `y`;&", export)]
        assert HOSTILE in [it.name for it in there.host.port_groups]
        assert there.host.files.exists(f"/vmfs/volumes/datastore1/{HOSTILE}/b")
        assert "ssh" not in there.spec or key.encode() in (there.host.files.read(there.host.keys_path) or b"")
        assert not any(
            argv[0] in ("touch", "id", "x", "y") for argv in (it.argv for it in there.host.executed)
        )


@over_every_way
def test_the_mode_observe_and_paused_and_what_is_above_the_allowed_risk(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, nfs=(NfsMount("repository", "10.10.0.9", PATH),)) as there:
        there.spec = {"datastores": {"repository": mount()}, "mode": "observe", "allow": "link"}
        report = there.run()
        assert (report.status, report.steps[0].outcome) == (Status.DRIFTED, None)
        there.spec["mode"] = "paused"
        execs = there.host.execs
        assert there.run().status is Status.PAUSED
        assert there.host.execs == execs
        there.spec |= {"mode": "enforce", "allow": "service"}
        assert "its risk is link" in held(there.run())["datastore/repository"]
        assert there.changing() == []


@over_every_way
def test_only_the_plan_that_was_agreed_to_is_carried_out(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch0"}}}
        shown = there.look()
        there.spec["portGroups"]["More"] = {"vswitch": "vSwitch0"}
        assert there.run(approved={"esx": fingerprint(shown)}).status is Status.DRIFTED
        assert there.changing() == []
        assert there.run(approved={"esx": fingerprint(there.look())}).status is Status.CONVERGED


@over_every_way
def test_only_brings_what_it_needs(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = full_spec(there.keys)
        report = there.run(only=["workingDirectory"])
        assert [step.resource for step in report.steps] == ["datastore/vms", "workingDirectory"]
        with pytest.raises(NothingMatches, match="hosts: nope"):
            there.look(only=["workingDirectory", "nope"])


@over_every_way
def test_a_public_key_file_that_is_not_there_stops_the_host_before_anything_is_sent(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {"ssh": {"authorizedKeys": [{"file": "nowhere.pub"}]}}) as there:
        report = there.run()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert "nowhere.pub" in report.fault.message
        assert there.host.logins == []


def test_a_backup_that_a_killed_pass_owes_is_made_by_the_next(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {"datastores": {"repository": mount()}}) as there:
        there.host.mount_nfs("repository", SERVER, PATH, saved=False)
        there.host.files.write("/var/run/reconciler-owed", b"datastore/repository\n")
        report = there.run()
        assert [(step.resource, step.outcome) for step in report.steps] == [
            ("datastore/repository", Outcome.DONE)
        ]
        assert there.run().status is Status.IN_SYNC
        there.host.reboot(power_loss=True)
        assert [it.name for it in there.host.mounts] == ["repository"]


@over_every_way
def test_esxi_9_is_taken_for_8_and_says_so(tmp_path: Path) -> None:
    with world(tmp_path, "9.0", {"portGroups": {"VM Network": {}}}) as there:
        report = there.look()
        assert report.status is Status.IN_SYNC
        assert any("treated as ESXi 8" in it.why for it in report.findings)
