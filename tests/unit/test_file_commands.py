"""Files on a host: written to the letter, in place, and only when they are still what they were."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.actuators.ssh import files
from reconciler.actuators.ssh.commands import commands
from reconciler.verbs import (
    AppendKeys,
    MakeFolder,
    MarkKeys,
    OweBackup,
    ReplaceBootConfig,
    RewriteKeys,
    digest,
)
from tests.unit.test_commands import HOSTILE, NEW, OLD, busybox


def run(lines: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    """Each line in a subshell, up to the first that fails, as it is sent to a host."""
    return busybox("\n".join(f"( {line}\n) || exit 1" for line in lines))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "BANK", str(tmp_path))
    monkeypatch.setattr(files, "OWED", str(tmp_path / "owed"))
    return tmp_path


def here(lines: tuple[str, ...], place: Path) -> tuple[str, ...]:
    return tuple(line.replace("/tmp/.reconciler", f"{place}/.reconciler") for line in lines)


@pytest.mark.parametrize("value", [it for it in HOSTILE if "/" not in it])
def test_hostile_names_and_keys_are_written_to_the_letter(value: str, place: Path) -> None:
    file = place / value / "authorized_keys"
    line = value.replace("\n", " ").encode()
    made = commands(AppendKeys(str(file), (line, b"second"), create=True), NEW)
    assert run(made).returncode == 0
    assert file.read_bytes() == line + b"\nsecond\n"
    assert file.stat().st_mode & 0o7777 == 0o1600
    old = file.read_bytes()
    gone = commands(RewriteKeys(str(file), old, line + b"\n", 1), NEW)
    assert run(here(gone, place)).returncode == 0
    assert file.read_bytes() == line + b"\n"
    assert run(commands(MakeFolder(str(place / value / value / "x")), NEW)).returncode == 0
    assert (place / value / value / "x").is_dir()
    assert {it.name for it in place.iterdir()} == {value}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_note_is_what_it_is_about(value: str, place: Path) -> None:
    assert run(commands(OweBackup(f"portGroup/{value}"), NEW)).returncode == 0
    assert (place / "owed").read_text() == f"portGroup/{value}\n"


@pytest.mark.parametrize("before", [b"", b"a\n", b"a", b"a\r\n\r\nb\r"])
def test_keys_are_appended_in_place(before: bytes, place: Path) -> None:
    file = place / "authorized_keys"
    file.write_bytes(before)
    file.chmod(0o1640)
    stat = file.stat()
    assert run(commands(AppendKeys(str(file), (b"new",)), NEW)).returncode == 0
    gap = b"" if before.endswith(b"\n") or not before else b"\n"
    assert file.read_bytes() == before + gap + b"new\n"
    assert (file.stat().st_ino, file.stat().st_mode) == (stat.st_ino, stat.st_mode)


def test_on_4x_a_new_file_has_no_mark(place: Path) -> None:
    file = place / ".ssh" / "authorized_keys"
    assert run(commands(AppendKeys(str(file), (b"new",), create=True), OLD)).returncode == 0
    assert file.stat().st_mode & 0o7777 == 0o600


def test_a_mark_is_set_on_the_file(place: Path) -> None:
    file = place / "it's"
    file.touch(0o600)
    assert run(commands(MarkKeys(str(file)), NEW)).returncode == 0
    assert file.stat().st_mode & 0o7777 == 0o1600


def test_keys_that_changed_meanwhile_are_not_overwritten(place: Path) -> None:
    file = place / "authorized_keys"
    file.write_bytes(b"somebody's\n")
    done = run(here(commands(RewriteKeys(str(file), b"old\n", b"", 1), NEW), place))
    assert done.returncode != 0
    assert b"has changed since it was looked at" in done.stdout
    assert file.read_bytes() == b"somebody's\n"


BOOT = b"\xef\xbb\xbfa=\xe4\r\nmodules=k.z %s \\\r\n"


def test_boot_cfg_is_replaced_whole_and_the_old_one_kept(place: Path) -> None:
    (place / "boot.cfg").write_bytes(BOOT)
    (place / "vcl.tgz").touch()
    assert run(commands(ReplaceBootConfig(BOOT, BOOT + b"x"), OLD)).returncode == 0
    assert (place / "boot.cfg").read_bytes() == BOOT + b"x"
    assert (place / "boot.bak").read_bytes() == BOOT
    assert not (place / "boot.new").exists()


@pytest.mark.parametrize(("content", "archive"), [(BOOT + b"#", True), (BOOT, False)])
def test_boot_cfg_is_left_alone_when_something_is_not_as_it_was(
    content: bytes, archive: bool, place: Path
) -> None:
    (place / "boot.cfg").write_bytes(content)
    if archive:
        (place / "vcl.tgz").touch()
    assert run(commands(ReplaceBootConfig(BOOT, BOOT + b"x"), OLD)).returncode != 0
    assert (place / "boot.cfg").read_bytes() == content
    assert not (place / "boot.bak").exists()


@given(st.binary(max_size=60))
@example(b"")
def test_a_digest_is_what_md5sum_prints(content: bytes) -> None:
    program = shutil.which("busybox")
    assert program is not None
    done = subprocess.run([program, "md5sum"], input=content, capture_output=True, check=True)
    assert done.stdout.split()[0].decode() == digest(content)
