"""Cut, kill, fill the disk, at every step: a fresh pass heals, nothing is lost and nothing done twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from reconciler.kinds.boot_config import read_boot_config
from reconciler.report import Status
from reconciler.simulator import NfsMount
from tests.live.passes.world import PATH, SERVER, World, full_spec, world

DRIFT = (NfsMount("repository", "10.10.0.9", PATH), NfsMount("old-iso", SERVER, "/export/iso"))
OTHERS = b"# of the admins\r\nssh-rsa QUFBQQ== somebody else\n"
ONCE = ("add", "-a", "-A")


def _changes(folder: Path, version: str) -> int:
    """How many changing commands an undisturbed pass runs, those of its looks included (a folder in /tmp)."""
    with world(folder, version, {}, nfs=DRIFT) as there:
        there.spec = full_spec(there.keys)
        assert there.run().status is Status.CONVERGED
        return sum(it.changing for it in there.host.executed)


def _heals(there: World) -> None:
    """A fresh pass converges, and the host is whole."""
    there.host.clear_faults()
    report = there.run()
    assert report.fault is None, report.fault
    assert report.status in (Status.CONVERGED, Status.IN_SYNC), report
    assert there.run().status is Status.IN_SYNC
    _whole(there)
    there.host.reboot(power_loss=True)
    assert there.look().status is Status.IN_SYNC, "a power loss brings nothing back"


def _whole(there: World) -> None:
    path = "/.ssh/authorized_keys" if there.host.version == "4.1" else "/etc/ssh/keys-root/authorized_keys"
    content = there.host.files.read(path) or b""
    for name in ("root", "second"):
        assert content.count(there.keys.public(name).encode().split()[1]) == 1, content
    if there.host.version == "4.1":
        config = there.host.files.read("/bootbank/boot.cfg") or b""
        assert read_boot_config(config).strange is None
        assert config.count(b"vcl.tgz") == 1


def _mounts(there: World) -> Counter[str]:
    """How often each name was mounted by a command that succeeded."""
    done = [it.argv for it in there.host.executed if it.changing and it.status == 0]
    named = [
        argv[argv.index("-v") + 1]
        for argv in done
        if argv[:3] == ("esxcli", "storage", "nfs") and "add" in argv
    ]
    named += [argv[-1] for argv in done if argv[0] == "esxcfg-nas" and "-a" in argv]
    return Counter(named)


def every(request: pytest.FixtureRequest) -> int:
    """Each so many commands are struck at; all of them in the long form."""
    return 1 if request.config.getoption("--hypothesis-profile") == "soak" else 3


@pytest.mark.parametrize("version", ["4.1", "6.7"])
@pytest.mark.parametrize("fault", ["cut-before", "cut-after"])
def test_a_link_cut_at_any_command_heals_in_the_next_pass(
    tmp_path: Path, version: str, fault: str, request: pytest.FixtureRequest
) -> None:
    total = _changes(tmp_path, version)
    for count in range(1, total + 1, every(request)):
        with world(tmp_path, version, {}, nfs=DRIFT) as there:
            there.spec = full_spec(there.keys)
            there.host.fault(fault, count=count)
            cut = there.run()
            assert cut.status is Status.UNREACHABLE, (count, cut)
            assert cut.fault is not None
            _heals(there)
            assert set(_mounts(there).values()) <= {1}, (count, _mounts(there))


@pytest.mark.parametrize("version", ["4.1", "6.7"])
def test_a_power_loss_at_any_command_leaves_a_host_that_boots_and_heals(
    tmp_path: Path, version: str, request: pytest.FixtureRequest
) -> None:
    total = _changes(tmp_path, version)
    for count in range(1, total + 1, every(request)):
        with world(tmp_path, version, {}, nfs=DRIFT) as there:
            there.spec = full_spec(there.keys)
            there.host.fault("power-loss", count=count)
            there.run()
            if version == "4.1" and there.look().fault is not None:
                there.host.files.makedirs("/.ssh")
                there.host.files.write("/.ssh/authorized_keys", there.keys.public("root").encode() + b"\n")
            _heals(there)


@pytest.mark.parametrize("version", ["4.1", "6.7"])
def test_a_full_disk_loses_nothing(tmp_path: Path, version: str) -> None:
    with world(tmp_path, version, {}, nfs=DRIFT) as there:
        there.spec = full_spec(there.keys)
        path = "/.ssh/authorized_keys" if version == "4.1" else "/etc/ssh/keys-root/authorized_keys"
        before = there.host.files.read(path)
        there.host.fault("disk-full")
        report = there.run()
        assert report.status is Status.FAILED
        assert there.host.files.read(path) == before
        _heals(there)


def test_a_silent_backup_is_no_success(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = full_spec(there.keys)
        there.host.fault("silent-backup")
        report = there.run()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert "the saved state is still the old one" in report.fault.message
        _heals(there)


def test_a_boot_bank_in_ram_holds_the_persistence_and_says_so(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"ssh": full_spec(there.keys)["ssh"]}
        there.host.fault("bootbank-tmp")
        report = there.look()
        assert any("/bootbank leads to /tmp" in held.why for held in report.held)
        assert any("boot device" in finding.why for finding in report.findings)


def test_hostd_that_restarts_is_waited_for(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, nfs=DRIFT) as there:
        there.spec = full_spec(there.keys)
        there.host.fault("hostd-down", polls=8)
        assert there.look().unknown == ()
        assert any(type(event).__name__ == "Waiting" for event in there.events)


def test_a_dead_nfs_server_is_unknown_and_nothing_is_written(tmp_path: Path) -> None:
    mounted = (NfsMount("repository", SERVER, PATH), NfsMount("vms", SERVER, "/export/vms"))
    with world(tmp_path, "6.7", {}, nfs=mounted) as there:
        spec = full_spec(there.keys)
        there.spec = {name: spec[name] for name in ("datastores", "workingDirectory")}
        there.host.fault("nfs-down")
        report = there.run()
        assert {note.resource for note in report.unknown} == {
            "datastore/repository",
            "datastore/vms",
            "workingDirectory",
        }
        assert report.status is Status.HELD
        assert there.changing() == []


def test_a_refusal_is_quoted_and_not_asked_again(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}) as there:
        there.spec = {"datastores": {"repository": {"nfs": {"server": SERVER, "path": PATH}}}}
        there.host.fault("nfs-deny")
        report = there.run()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert report.fault.kind.value == "refused"
        assert "The NFS server denied the mount request" in report.fault.message
        assert sum("add" in argv for argv in there.changing()) == 1
