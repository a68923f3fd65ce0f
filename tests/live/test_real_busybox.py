"""The very commands that run on hosts, in a real busybox ash on real files (below a root folder of their own)."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from reconciler.actuators.ssh.hands import SshHands
from reconciler.facts import (
    AuthorizedKeys,
    BackupOwed,
    BootModules,
    Datastores,
    Facts,
    Folder,
    KeysFile,
    Persistence,
    Place,
    Question,
    SavedState,
    Unseen,
)
from reconciler.kinds.boot_config import with_module
from reconciler.observers.ssh.eyes import SshEyes
from reconciler.transports import shell
from reconciler.verbs import (
    AppendKeys,
    ArchiveKeys,
    MakeFolder,
    MarkKeys,
    OweBackup,
    ReplaceBootConfig,
    RewriteKeys,
    SaveConfiguration,
)
from tests.unit.test_hands import WORK, NoStreams

APPLETS = [
    "sh",
    "cat",
    "ls",
    "tar",
    "gzip",
    "gunzip",
    "md5sum",
    "cp",
    "mv",
    "rm",
    "mkdir",
    "chmod",
    "readlink",
    "grep",
    "tail",
    "wc",
    "dd",
    "cmp",
    "sync",
    "echo",
    "printf",
    "find",
    "stat",
    "du",
    "sed",
    "true",
]
KEYS = "/etc/ssh/keys-root/authorized_keys"
HOSTILE = b"""ssh-rsa AAAAB3Nza a'b "c" $(touch /tmp/pwned) `touch /tmp/pwned` \\n %s ; & | > x"""
BACKUP = """#!/bin/sh
echo "Saving current state in /bootbank"
[ -e /tmp/broken ] && exit 0
echo run >> /etc/counter
tar -C / -czf /tmp/local.tgz etc && tar -C /tmp -czf /bootbank/state.tgz local.tgz
"""


def _libraries(program: str) -> list[str]:
    """The shared libraries that a program is linked with; none for Debian's busybox-static."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/\S+) \(0x", listed.stdout) if listed.returncode == 0 else []


class Jail(NoStreams):
    """A root folder with busybox in it, as a session that eyes and hands can use."""

    public_key = None

    def __init__(self, root: Path, version: str) -> None:
        self.root = root
        for folder in (
            "bin",
            "sbin",
            "dev",
            "var/run",
            "tmp",
            "etc/ssh/keys-root",
            "vmfs/volumes/bank",
            "vmfs/volumes/other",
        ):
            (root / folder).mkdir(parents=True)
        busybox = shutil.which("busybox")
        assert busybox, "this test needs the Debian package busybox"
        shutil.copy(busybox, root / "bin/busybox")
        for library in _libraries(busybox):
            (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, root / library[1:])
        for applet in APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        (root / "bootbank").symlink_to("/vmfs/volumes/bank")
        (root / "altbootbank").symlink_to("/vmfs/volumes/other")
        (root / "dev/null").touch()
        self.program("bin/vmware", f"#!/bin/sh\necho VMware ESXi {version} build-1\n")
        self.program("sbin/backup.sh", BACKUP)

    def program(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)
        (self.root / path).chmod(0o755)

    def run(self, script: bytes, *, limit: float, urgent: bool = False) -> shell.Output:
        as_root = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
        command = [*as_root, "chroot", str(self.root), "/bin/sh"]
        done = subprocess.run(command, input=script, capture_output=True, timeout=limit, check=False)
        return shell.Output(done.returncode, done.stdout, done.stderr)

    def path(self, absolute: str) -> Path:
        return self.root / absolute.lstrip("/")

    def look(self, question: Question[Any]) -> object:
        def never(why: str, seconds: float) -> None:
            raise AssertionError("nothing here waits")

        eyes = SshEyes(self, lambda seconds: never("", seconds), never)
        return eyes.look([question], Facts())[question]


@pytest.fixture
def modern(tmp_path: Path) -> Jail:
    return Jail(tmp_path / "root", "6.7.0")


@pytest.fixture
def old(tmp_path: Path) -> Jail:
    jail = Jail(tmp_path / "root", "4.1.0")
    (jail.root / "vmfs/volumes/bank/boot.cfg").write_bytes(BOOT_CFG)
    return jail


BOOT_CFG = (
    b"kernel=b.z\r\nkernelopt=\nmodules=k.z --- s.z --- m.z --- state.tgz\n"
    b"build=4.1.0-1\nupdated=2\nbootstate=0\n"
)


def test_a_key_is_appended_in_place_after_an_unfinished_line(modern: Jail) -> None:
    file = modern.path(KEYS)
    file.write_bytes(b"# admin\r\nssh-rsa BBBB someone")
    file.chmod(0o1600)
    inode = file.stat().st_ino
    answer = SshHands(modern, (6, 7, 0), WORK).do(AppendKeys(KEYS, (HOSTILE,)))
    assert answer.ok, answer
    assert file.read_bytes() == b"# admin\r\nssh-rsa BBBB someone\n" + HOSTILE + b"\n"
    assert (file.stat().st_ino, file.stat().st_mode & 0o7777) == (inode, 0o1600)
    assert not modern.path("/tmp/pwned").exists()


def test_a_missing_keys_file_is_made_so_that_esxi_saves_it(modern: Jail) -> None:
    assert SshHands(modern, (6, 7, 0), WORK).do(AppendKeys(KEYS, (HOSTILE,), create=True)).ok
    assert modern.look(AuthorizedKeys()) == KeysFile(KEYS, HOSTILE + b"\n", marked=True)


def test_a_mark_is_set_and_nothing_else(modern: Jail) -> None:
    modern.path(KEYS).write_bytes(HOSTILE)
    modern.path(KEYS).chmod(0o600)
    assert SshHands(modern, (6, 7, 0), WORK).do(MarkKeys(KEYS)).ok
    assert modern.look(AuthorizedKeys()) == KeysFile(KEYS, HOSTILE, marked=True)


def test_keys_are_rewritten_only_when_nobody_was_faster(modern: Jail) -> None:
    modern.path(KEYS).write_bytes(b"one\ntwo\n")
    inode = modern.path(KEYS).stat().st_ino
    hands = SshHands(modern, (6, 7, 0), WORK)
    late = hands.do(RewriteKeys(KEYS, b"one\n", b"", 1))
    assert not late.ok
    assert "has changed since it was looked at" in late.said
    assert modern.path(KEYS).read_bytes() == b"one\ntwo\n"
    assert hands.do(RewriteKeys(KEYS, b"one\ntwo\n", b"-two\r\n", 1)).ok
    assert modern.path(KEYS).read_bytes() == b"-two\r\n"
    assert modern.path(KEYS).stat().st_ino == inode


@pytest.mark.parametrize("plain", [False, True], ids=["local.tgz", "a plain tar, as the guide words it"])
def test_the_saved_state_shows_the_key_that_a_power_loss_would_bring_back(modern: Jail, plain: bool) -> None:
    assert modern.look(Persistence()) == SavedState("/vmfs/volumes/bank", None)
    _save(modern, {"etc/ssh/keys-root/authorized_keys": HOSTILE}, plain=plain)
    assert modern.look(Persistence()) == SavedState("/vmfs/volumes/bank", HOSTILE)
    _save(modern, {"etc/other": b"x"}, plain=plain)
    assert modern.look(Persistence()) == SavedState("/vmfs/volumes/bank", None)
    assert list(modern.path("/tmp").iterdir()) == []


def test_a_broken_saved_state_is_not_taken_for_an_empty_one(modern: Jail) -> None:
    (modern.root / "vmfs/volumes/bank/state.tgz").write_bytes(b"no archive")
    seen = modern.look(Persistence())
    assert isinstance(seen, Unseen)
    assert list(modern.path("/tmp").iterdir()) == []


def test_a_backup_that_says_it_went_well_is_believed_only_when_the_archive_changed(modern: Jail) -> None:
    hands = SshHands(modern, (6, 7, 0), WORK)
    assert hands.do(OweBackup("datastore/x y")).ok
    assert modern.look(BackupOwed()) == frozenset({"datastore/x y"})
    modern.path("/tmp/broken").touch()
    silent = hands.do(SaveConfiguration())
    assert not silent.ok
    assert "the saved state is still the old one" in silent.said
    assert modern.look(BackupOwed()) == frozenset({"datastore/x y"})
    modern.path("/tmp/broken").unlink()
    assert hands.do(SaveConfiguration()).ok
    assert modern.look(BackupOwed()) == frozenset()


def test_a_boot_bank_that_leads_to_ram_saves_nothing(modern: Jail) -> None:
    modern.path("/bootbank").unlink()
    modern.path("/bootbank").symlink_to("/tmp")
    answer = SshHands(modern, (6, 7, 0), WORK).do(SaveConfiguration())
    assert not answer.ok
    assert "the boot bank is no boot device" in answer.said
    assert not modern.path("/etc/counter").exists()


def test_4x_archives_the_keys_and_names_the_archive_in_boot_cfg(old: Jail) -> None:
    hands = SshHands(old, (4, 1, 0), WORK)
    bank = old.root / "vmfs/volumes/bank"
    new = with_module(BOOT_CFG, "vcl.tgz")
    early = hands.do(ReplaceBootConfig(BOOT_CFG, new))
    assert not early.ok
    assert (bank / "boot.cfg").read_bytes() == BOOT_CFG
    assert hands.do(AppendKeys("/.ssh/authorized_keys", (HOSTILE,), create=True)).ok
    assert hands.do(ArchiveKeys()).ok
    assert hands.do(ReplaceBootConfig(BOOT_CFG, new)).ok
    assert old.look(Persistence()) == BootModules(
        "/vmfs/volumes/bank", new, None, True, True, HOSTILE + b"\n"
    )
    assert sorted(it.name for it in bank.iterdir()) == ["boot.bak", "boot.cfg", "vcl.tgz"]
    assert (bank / "boot.bak").read_bytes() == BOOT_CFG


def test_4x_tells_an_archive_without_the_key_from_a_broken_one(old: Jail) -> None:
    bank = old.root / "vmfs/volumes/bank"
    assert old.look(Persistence()) == BootModules("/vmfs/volumes/bank", BOOT_CFG, None, False, False, None)
    (bank / "vcl.tgz").write_bytes(_tar({".ssh/known_hosts": b"x"}))
    assert old.look(Persistence()) == BootModules("/vmfs/volumes/bank", BOOT_CFG, None, True, True, None)
    (bank / "vcl.tgz").write_bytes(b"cut")
    assert old.look(Persistence()) == BootModules("/vmfs/volumes/bank", BOOT_CFG, None, True, False, None)


def test_folders_with_hostile_names_are_made_and_seen(modern: Jail) -> None:
    path = "/vmfs/volumes/other/a 'b' $(x) \\ [1] (2)/c"
    assert modern.look(Folder(path)) is Place.ABSENT
    assert SshHands(modern, (6, 7, 0), WORK).do(MakeFolder(path)).ok
    assert modern.look(Folder(path)) is Place.FOLDER
    modern.path(path + "/file").touch()
    assert modern.look(Folder(path + "/file")) is Place.OTHER
    assert modern.look(Folder(path + "/file/below")) is Place.OTHER


def test_below_a_mount_that_may_hang_nothing_is_tried_before_it_is_known(modern: Jail) -> None:
    volumes = modern.path("/vmfs/volumes")
    for name, volume in (
        ("local 'x", "4e26a6d5-6fd6b6b4-5a0b-525400f29a2a"),
        ("nfs 'x", "9ee9a3a1-5b3d5f2c"),
        # so is one called in a public log of ESXi
        ("nfs 4.1", "9ee9a3a1-5b3d5f2c-0000-000000000000"),
    ):
        (volumes / volume / "vms").mkdir(parents=True)
        (volumes / name).symlink_to(volume)
    eyes = SshEyes(modern, lambda seconds: None, lambda why, seconds: None)
    paths = (
        "local 'x/vms",
        "local 'x/none",
        "nfs 'x/vms",
        "nfs 4.1/vms",
        "4e26a6d5-6fd6b6b4-5a0b-525400f29a2a/vms",
        "no/vms",
    )
    folders = [Folder(f"/vmfs/volumes/{path}") for path in paths]
    along = eyes.look([Datastores(), *folders], Facts())
    assert [along.get(folder) for folder in folders] == [Place.FOLDER, Place.ABSENT, None, None, None, None]
    assert eyes.look([folders[2]], Facts())[folders[2]] is Place.FOLDER


def test_a_script_that_was_cut_on_its_way_runs_nothing(modern: Jail) -> None:
    script = shell.writing_script([f"echo {number} >> /tmp/ran" for number in range(3)], "word")
    for length in range(len(script) - len(b"reconciler_run\n")):
        modern.run(script[:length], limit=10)
        assert not modern.path("/tmp/ran").exists(), script[:length]
    modern.run(script, limit=10)
    assert modern.path("/tmp/ran").read_text() == "0\n1\n2\n"


def _save(jail: Jail, files: dict[str, bytes], *, plain: bool) -> None:
    local = _tar(files, compressed=not plain)
    (jail.root / "vmfs/volumes/bank/state.tgz").write_bytes(_tar({"local.tgz": local}))


def _tar(files: dict[str, bytes], *, compressed: bool = True) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if compressed else "w:") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
