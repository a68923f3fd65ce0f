"""The loop over simulated hosts: what a user sees of it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.faults.program import Program, at_command, reconcile
from tests.live.loop.running import Lab, Loop, group, history, lab, watching
from tests.live.passes.world import SERVER

SLOW = ("--interval", "1h")


def test_hosts_are_brought_to_what_the_specs_say_and_a_hand_edit_is_put_right(tmp_path: Path) -> None:
    with lab(tmp_path, ["4.1", "6.7"]) as there:
        there.wish("h1", **group())
        there.wish("h2", **group(vlan=20))
        with watching(there) as loop:
            loop.until_settled("h1", "h2")
            assert (there.vlan("h1"), there.vlan("h2")) == (10, 20)
            there.host("h1").remove_port_group("Lab")
            loop.until(lambda: there.vlan("h1") == 10, "the hand edit is put right")
            assert loop.get("/healthz")[0] == loop.get("/readyz")[0] == 200
            assert loop.stop().status == 0


def test_a_saved_file_is_on_its_host_at_once_and_the_others_keep_their_time(tmp_path: Path) -> None:
    with lab(tmp_path, ["6.7", "6.7"]) as there:
        there.wish("h1", **group())
        there.wish("h2", **group())
        with watching(there, *SLOW) as loop:
            loop.until_settled("h1", "h2")
            before = there.host("h2").execs
            there.wish("h1", **group(vlan=11))
            loop.until(lambda: there.vlan("h1") == 11, "the new VLAN is there")
            assert there.host("h2").execs == before


def test_specs_that_are_broken_change_nothing_not_even_over_a_restart(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        with watching(there) as loop:
            loop.until_settled("h1")
            there.save("h1.yaml", "kind: [")
            loop.until(lambda: loop.metric("reconciler_spec_errors") == 1.0, "the mistake is counted")
            there.host().remove_port_group("Lab")
            loop.until(lambda: there.vlan() == 10, "the last good revision is in force")
            loop.kill()
        there.host().remove_port_group("Lab")
        with watching(there) as loop:
            loop.until(lambda: there.vlan() == 10, "the last good revision is in force after a restart")
            assert loop.said.count("h1.yaml:2:") == 1, "each mistake is logged once"
            assert "h1.yaml:2:" in loop.get("/")[1]
            there.wish("h1", **group(vlan=12))
            loop.until(lambda: there.vlan() == 12, "the specs are mended")
            loop.until(lambda: loop.metric("reconciler_spec_errors") == 0.0, "no mistake is left")


def test_a_first_start_without_specs_waits_for_some(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.where.mkdir()
        with watching(there) as loop:
            loop.until(lambda: loop.metric("reconciler_spec_errors") == 1.0, "the empty folder is told")
            assert loop.get("/readyz")[0] == 503
            assert loop.get("/healthz")[0] == 200
            there.wish("h1", **group())
            loop.until_settled("h1")
            loop.until(lambda: loop.get("/readyz")[0] == 200, "it is ready")


def test_a_host_whose_spec_vanished_is_let_go(tmp_path: Path) -> None:
    with lab(tmp_path, ["6.7", "6.7"]) as there:
        there.wish("h1", **group())
        there.wish("h2", **group())
        with watching(there) as loop:
            loop.until_settled("h1", "h2")
            (there.where / "h2.yaml").unlink()
            loop.until(lambda: loop.get("/hosts/h2")[0] == 404, "its page is gone")
            loop.until(lambda: 'host="h2"' not in loop.get("/metrics")[1], "its series are gone")
            there.host("h2").remove_port_group("Lab")
            there.host("h1").remove_port_group("Lab")
            loop.until(lambda: there.vlan("h1") == 10, "the other host is still looked after")
            assert there.vlan("h2") is None
            loop.stop()
        assert {it["host"] for it in history(there, "--host", "h2")} == {"h2"}


def test_a_dry_run_shows_plans_for_ever_and_changes_nothing(tmp_path: Path) -> None:
    with lab(tmp_path, ["6.7", "8.0"]) as there:
        there.wish("h1", **group())
        there.wish("h2", **group(mode="paused"))
        with watching(there, "--dry-run") as loop:
            loop.until(lambda: loop.statuses() == {"h1": "drifted", "h2": "paused"}, "the plan is shown")
            first = there.host("h1").execs
            loop.until(lambda: there.host("h1").execs > first + 1, "it is looked at again")
            assert there.host("h2").logins == []
            assert there.changes("h1") == []
            assert loop.stop().status == 0


def test_a_host_in_observe_is_reported_and_left_alone(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group(mode="observe"))
        with watching(there) as loop:
            loop.until(lambda: loop.statuses() == {"h1": "drifted"}, "the drift is shown")
            assert loop.metric('reconciler_drift_items{host="h1",kind="portGroup"}') == 1.0
            assert there.changes() == []


def test_a_refused_login_is_tried_once_in_a_quarter_of_an_hour_whatever_restarts(tmp_path: Path) -> None:
    with lab(tmp_path, authorized_keys=b"") as there:
        there.wish("h1", **group())
        for _ in range(3):
            with watching(there) as loop:
                loop.until(lambda: loop.statuses() == {"h1": "failed"}, "the refusal is shown")
                assert loop.report()["h1"]["fault"]["kind"] == "login"
                loop.kill()
        assert len(there.host().logins) == 1
        with watching(there) as loop:
            loop.until(lambda: loop.statuses() == {"h1": "failed"}, "the refusal is still known")
            loop.hang_up()
            loop.until(lambda: len(there.host().logins) == 2, "a person asked for one more try")
            host = there.host()
            host.files.write(host.keys_path, there.keys.public("root").encode() + b"\n")
            there.wish("h1", **group(vlan=13))
            loop.until(lambda: there.vlan() == 13, "its spec has changed")


def test_a_secret_that_was_put_right_is_tried_at_once(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    with lab(tmp_path) as there:
        access = {"ssh": {"key": None, "password": {"file": str(secret)}}}
        there.wish("h1", **group(access=access))
        with watching(there, *SLOW) as loop:
            loop.until(lambda: loop.statuses() == {"h1": "failed"}, "the password is refused")
            secret.write_text("VMware1!")
            loop.until_settled("h1")
            assert [done for _, done in there.host().logins] == [False, True]


def test_a_host_that_can_not_be_reached_is_tried_again_and_again(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        there.host().fault("refuse")
        with watching(there) as loop:
            loop.until(lambda: loop.statuses() == {"h1": "unreachable"}, "it is unreachable")
            assert loop.metric('reconciler_host_reachable{host="h1"}') == 0.0
            there.host().clear_faults()
            loop.until_settled("h1")
            assert loop.metric('reconciler_host_reachable{host="h1"}') == 1.0


STORE = {"datastores": {"vms": {"nfs": {"server": SERVER, "path": "/export/vms"}}}}


def denied(there: Lab, *names: str) -> None:
    """Whatever is mounted there is refused."""
    for name in names:
        there.host(name).fault("nfs-deny")
        there.wish(name, **STORE)


def mounted(there: Lab, *names: str) -> bool:
    return all([it.name for it in there.host(name).mounts] == ["vms"] for name in names)


def test_many_failures_trip_the_guard_which_holds_over_sigkill_until_a_new_revision(tmp_path: Path) -> None:
    names = ("h1", "h2", "h3", "h4")
    with lab(tmp_path, ["6.7"] * 4) as there:
        denied(there, *names)
        with watching(there) as loop:
            loop.until(lambda: loop.metric("reconciler_guard_tripped") == 1.0, "it trips")
            broken = [name for name in names if there.changes(name)]
            assert len(broken) == 2, "two failures of four hosts are too many, and no third host was touched"
            loop.kill()
        for name in names:
            there.host(name).clear_faults()
        with watching(there) as loop:
            loop.until(lambda: set(loop.statuses().values()) == {"held"}, "everything is held")
            assert loop.metric("reconciler_guard_tripped") == 1.0
            held = loop.report()["h3"]["held"]
            assert held[0]["why"].startswith("guard: ")
            assert held[0]["step"]["resource"] == "datastore/vms"
            assert [name for name in names if there.changes(name)] == broken
            there.wish("h1", **STORE, allow="safe")
            loop.until(lambda: mounted(there, *names), "a new revision releases it")
            loop.until(lambda: loop.metric("reconciler_guard_tripped") == 0.0, "it is released")


def test_a_person_can_release_the_guard(tmp_path: Path) -> None:
    names = ("h1", "h2", "h3")
    with lab(tmp_path, ["6.7"] * 3) as there:
        denied(there, *names)
        with watching(there, *SLOW) as loop:
            loop.until(lambda: loop.metric("reconciler_guard_tripped") == 1.0, "it trips")
            for name in names:
                there.host(name).clear_faults()
            loop.hang_up()
            loop.until(lambda: mounted(there, *names), "all is tried again")


def test_no_step_begins_after_sigterm_and_the_one_in_hand_ends(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group(workingDirectory="[datastore1] h1"))
        loop = Loop(there).start()
        at_command(there.host(), 1, loop.terminate)
        assert loop.wait() == 0, loop.said
        assert [it.argv[0] for it in there.host().executed if it.changing].count("mkdir") <= 1
        done = [it for it in history(there) if it["event"] == "step"]
        assert len(done) == 1
        assert reconcile(there.folder, "-f", str(there.where), "--yes").status == 0


def test_a_second_loop_on_the_same_folder_is_refused_even_while_the_first_is_stopped(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        with watching(there) as loop:
            loop.until_settled("h1")
            os.kill(loop.pid, signal.SIGSTOP)
            words = ("watch", "-f", str(there.where), "--state-dir", str(there.folder / "state"))
            second = Program(there.folder, words).start().end()
            assert second.status == 1
            assert str(loop.pid) in second.said
            os.kill(loop.pid, signal.SIGCONT)
            there.host().remove_port_group("Lab")
            loop.until(lambda: there.vlan() == 10, "it goes on")
            loop.kill()
        with watching(there) as loop:
            loop.until_settled("h1")


def test_what_the_loop_did_is_in_the_history(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        with watching(there) as loop:
            loop.until_settled("h1")
            loop.until(lambda: loop.statuses() == {"h1": "in-sync"}, "a second pass")
            shown = json.loads(loop.get("/api/v1/history")[1])["entries"]
            loop.stop()
        entries = history(there)
        assert entries[: len(shown)] == shown
        assert [it["event"] for it in entries] == ["revision", "step", "status", "status"]
        step = entries[1]
        assert (step["host"], step["resource"], step["outcome"]) == ("h1", "portGroup/Lab", "done")
        assert {"field": "vlan", "before": None, "after": 10} in step["fields"]


def test_a_warm_connection_is_used_for_all_passes(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        with watching(there) as loop:
            loop.until_settled("h1")
            before = there.host().execs
            loop.until(lambda: there.host().execs >= before + 4, "some passes")
            assert len(there.host().logins) == 1
