"""Long work, other runs, git, systemd and messages beside the loop."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.container.healthcheck import healthy
from reconciler.simulator import NfsMount
from reconciler.simulator.faults import Fault
from reconciler.state.folder import StateFolder
from tests.faults.program import Program, at_command, reconcile
from tests.live.images.setup import MIB, REPOSITORY, SIZE, WIN, content, raw_digest
from tests.live.loop.running import FAST, Lab, Loop, group, history, lab, watching
from tests.live.passes.world import PATH, SERVER
from tests.live.sources.repository import WHO, Repository, signer
from tests.unit.listeners.sink import listening

COPY: dict[str, Any] = {
    "virtualDisk": {"path": "datastore1"},
    "repository": {"path": REPOSITORY},
    "images": {WIN: {}},
}
REPOSITORIES = (NfsMount("repository", SERVER, PATH),)


def slow_copy(there: Lab) -> str:
    """`h1` is to get an image, at a crawl; MD5 of what a guest sees of it."""
    host = there.host("h1")
    host.files.put_disk(f"{REPOSITORY}/{WIN}/{WIN}.vmdk", SIZE, content(), "2gbsparse", 0o644)
    host.set_clone_rate(MIB // 4)
    there.wish("h1", **COPY)
    return raw_digest(content())


def copying(loop: Loop) -> bool:
    return f"{WIN}: " in loop.get("/hosts/h1")[1]


def test_a_long_copy_keeps_nobody_from_looking_and_is_on_the_page(tmp_path: Path) -> None:
    with lab(tmp_path, ["5.5", "6.7"], nfs=REPOSITORIES) as there:
        digest = slow_copy(there)
        with watching(there, "--concurrency", "1") as loop:
            loop.until(lambda: copying(loop), "the page tells how far the copy is")
            assert loop.statuses() == {"h1": "drifted"}
            there.wish("h2", **group())
            loop.until_settled("h2")
            there.host("h2").remove_port_group("Lab")
            loop.until(lambda: there.vlan("h2") == 10, "a hand edit is put right meanwhile")
            assert loop.statuses()["h1"] == "drifted"
            there.host("h1").set_clone_rate(None)
            loop.until_settled("h1")
        assert there.host("h1").files.disk_digest(f"/vmfs/volumes/datastore1/{WIN}/{WIN}.vmdk") == digest


def test_a_stop_cuts_a_copy_and_the_next_start_makes_it_whole(tmp_path: Path) -> None:
    with lab(tmp_path, ["5.5"], nfs=REPOSITORIES) as there:
        digest = slow_copy(there)
        with watching(there) as loop:
            loop.until(lambda: copying(loop), "the copy goes on")
            ended = loop.stop()
            assert ended.status == 0, ended.said
        there.host("h1").set_clone_rate(None)
        with watching(there) as loop:
            loop.until_settled("h1")
        assert there.host("h1").files.disk_digest(f"/vmfs/volumes/datastore1/{WIN}/{WIN}.vmdk") == digest


def test_what_takes_longer_than_the_grace_is_cut(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        loop = Loop(there, "--grace", "1s")

        def crawl() -> None:
            there.host()._host.faults.put(Fault("slow", seconds=30.0))
            loop.terminate()

        loop.start()
        at_command(there.host(), 1, crawl)
        assert loop.wait() == 1, loop.said
        there.host().clear_faults()
        with watching(there) as loop:
            loop.until_settled("h1")


def test_a_run_by_hand_takes_turns_with_the_loop_and_shares_its_history(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        with watching(there, "--interval", "1h") as loop:
            loop.until_settled("h1")
            there.host().remove_port_group("Lab")
            state = str(there.folder / "state")
            ended = reconcile(there.folder, "-f", str(there.where), "--state-dir", state, "--yes")
            assert ended.status == 0, ended.said
            assert there.vlan() == 10
            steps = [it for it in history(there) if it["event"] == "step"]
            assert [it["outcome"] for it in steps] == ["done", "done"]
            loop.stop()


def machine(there: Lab, name: str) -> str:
    """By what runs take turns on a host."""
    return f"{there.host(name).address}_{there.host(name).port}"


def test_a_host_that_another_run_has_is_waited_for_and_left_alone_when_it_is_paused_meanwhile(
    tmp_path: Path,
) -> None:
    with lab(tmp_path, ["6.7", "6.7"]) as there:
        there.wish("h1", **group())
        there.wish("h2", **group())
        folder = StateFolder(tmp_path / "state")
        folder.open()
        with watching(there, "--concurrency", "1", start=False) as loop:
            with folder.turn(machine(there, "h1"), lambda: True, lambda: None):
                loop.start()
                loop.until_settled("h2")
                there.wish("h1", **group(mode="paused"))
                loop.until(lambda: loop.statuses()["h1"] == "paused", "it is paused")
            there.host("h2").remove_port_group("Lab")
            loop.until(lambda: there.vlan("h2") == 10, "the other host is looked after")
            assert there.changes("h1") == []
            assert loop.statuses()["h1"] == "paused"


def test_hosts_that_were_asked_for_and_left_are_let_go_one_by_one(tmp_path: Path) -> None:
    with lab(tmp_path, ["6.7", "6.7"]) as there:
        there.wish("h1", **group())
        there.wish("h2", **group())
        with watching(there, "--host", "h1", "--host", "h2") as loop:
            loop.until_settled("h1", "h2")
            (there.where / "h2.yaml").unlink()
            loop.until(lambda: "h2" not in loop.statuses(), "it is let go")
            there.wish("h1", **group(vlan=14))
            loop.until(lambda: there.vlan("h1") == 14, "the other one is kept")
        with watching(there, "--host", "typo*") as loop:
            loop.until(lambda: "fit nothing" in loop.get("/")[1], "the page tells of it")
            assert loop.get("/readyz")[0] == 503


def test_what_only_does_not_name_is_left_alone(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", portGroups={name: {"vswitch": "vSwitch0"} for name in ("Lab", "Other")})
        with watching(there, "--only", "portGroup/L*") as loop:
            loop.until_settled("h1")
            assert (there.vlan("h1"), there.vlan("h1", "Other")) == (0, None)
        with watching(there, "--only", "typo*") as loop:
            loop.until(lambda: "--only fit nothing" in loop.get("/")[1], "the page tells of it")
            assert loop.get("/readyz")[0] == 503


def test_a_commit_is_on_its_hosts_and_one_that_nobody_vouches_for_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    with lab(tmp_path) as there:
        origin, ours, strangers = (
            Repository(tmp_path / "origin"),
            signer(tmp_path, "us"),
            signer(tmp_path, "x"),
        )
        allowed = tmp_path / "signers"
        allowed.write_text(f"a@example.org {ours.with_suffix('.pub').read_text()}")

        def spec(vlan: int) -> str:
            return yaml.safe_dump(there.document("h1", group(vlan=vlan)))

        first = origin.signed(ours, h1=spec(10))
        specs = ("--git", str(origin.path), "--git-interval", "1s", "--git-allowed-signers", str(allowed))
        with watching(there, specs=specs, environment=WHO) as loop:
            loop.until_settled("h1")
            assert loop.metric(f'reconciler_spec_revision_info{{commit="{first}"}}') == 1.0
            origin.signed(strangers, h1=spec(66))
            loop.until(lambda: "is signed by nobody" in loop.get("/")[1], "the page tells of it")
            origin.commit(h1=spec(67))
            good = origin.signed(ours, h1=spec(20))
            loop.until(lambda: there.vlan() == 20, "a commit that is signed by us")
            loop.until(
                lambda: loop.metric(f'reconciler_spec_revision_info{{commit="{good}"}}') == 1.0, "its name"
            )
            origin.path.rename(tmp_path / "away")
            loop.until(
                lambda: (loop.metric('reconciler_git_fetches_total{outcome="failure"}') or 0) > 0,
                "it is away",
            )
            there.host().remove_port_group("Lab")
            loop.until(lambda: there.vlan() == 20, "the last commit stays in force")
            loop.stop()
        step = next(it for it in history(there) if it["event"] == "step")
        assert step["revision"] == first


def test_systemd_hears_that_it_is_ready_alive_reloading_and_stopping(tmp_path: Path) -> None:
    with lab(tmp_path) as there, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        there.where.mkdir()
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(30.0)
        watchdog = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
        said: list[str] = []

        def until(word: str) -> None:
            while not any(word in it for it in said):
                said.append(heard.recv(4096).decode())

        with watching(there, environment=watchdog) as loop:
            until("READY=1")
            until("WATCHDOG=1")
            said.clear()
            loop.hang_up()
            until("RELOADING=1")
            said.clear()
            until("READY=1")
            loop.terminate()
            until("STOPPING=1")
            assert loop.wait() == 0


def test_the_image_s_health_check_asks_the_loop(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        with watching(there) as loop:
            assert healthy("127.0.0.1", str(loop.port))


def test_what_went_wrong_is_told_once_also_over_a_restart(tmp_path: Path) -> None:
    with lab(tmp_path) as there, listening() as sink:
        there.wish("h1", **group())
        there.host().fault("nfs-deny")
        there.wish("h1", datastores={"vms": {"nfs": {"server": SERVER, "path": "/export/vms"}}})
        for _ in range(2):
            with watching(there, environment={"RECONCILE_NOTIFY": sink.url("me:pa55word@")}) as loop:
                loop.until(lambda: loop.statuses() == {"h1": "failed"}, "it fails")
                loop.stop()
                assert "pa55word" not in loop.said
        assert len(sink.messages) == 1
        assert "h1" in sink.messages[0]["message"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--max-failures", "many"), "would be right: 10%"),
        (("--interval", "5"), "would be right: 30s, 5m"),
        (("--interval", "0s"), "at least 1s"),
        (("-l", "site"), "KEY=VALUE"),
        (("--listen", "nowhere"), "can't listen at nowhere"),
        (("--git", "ext::sh -c true"), "would be right"),
        (("--git", "repo", "-f", "specs"), "not from both"),
        (("--notify", "nonsense://secret"), "none that Apprise can use"),
    ],
)
def test_what_can_not_begin_is_said_in_a_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = reconcile(tmp_path, "watch", *arguments, "--state-dir", str(tmp_path / "state"))
    assert ended.status == 1
    assert said in ended.said
    assert "Traceback" not in ended.said
    assert "secret" not in ended.said.replace("secrets", "")


def test_interrupted_from_a_terminal_it_ends_in_good_order(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        there.wish("h1", **group())
        words = ["watch", "-f", str(there.where), *FAST, "--state-dir", str(tmp_path / "state")]
        run = Program(tmp_path, words).start()
        run.until("converged after")
        run.signal(signal.SIGINT)
        assert run.end().status == 0
