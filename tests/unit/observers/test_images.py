"""What a folder shows of an image goes to the one rule of what is whole; here is what that rule is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.image_facts import Descriptor, DiskFile, Extent, ImageFolder, ImageState
from reconciler.observers.ssh import headers, images
from reconciler.observers.ssh.folders import Contents
from tests.unit.observers.printed import framed, piece

FOLDER = "drwxr-x---    1 0        0             1120 Mar 11  2011 /vmfs/volumes/ds/win"
LINK = "lrwxr-xr-x    1 0        0               35 Aug 18 06:29 /vmfs/volumes/ds/win -> b"
MISSING = "ls: /vmfs/volumes/ds/win: No such file or directory"
TEXT = b'# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType="vmfs"\nRW 4 VMFS "win-flat.vmdk"\n'
QUESTION = ImageFolder("/vmfs/volumes/ds", "win", "win")


@pytest.fixture
def given_to_the_rule(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the rule is asked; it calls everything whole, and names a lock and a machine of its own."""
    asked: dict[str, Any] = {}

    def judge(
        disk: str, form: str, files: Sequence[DiskFile], descriptors: Mapping[str, Descriptor | str]
    ) -> ImageState:
        asked.update(disk=disk, form=form, files=tuple(files), descriptors=dict(descriptors))
        return ImageState(True, locked=".lck-1 is there", machines=("rule.vmx",))

    monkeypatch.setattr(images, "judge", judge)
    return asked


def contents(*heads: tuple[str, bytes | None, int], **more: Any) -> Contents:
    files = tuple(DiskFile(name, size, 0o600) for name, _, size in heads)
    return Contents(0o750, files, heads={name: head for name, head, _ in heads}, **more)


def described(form: str, *heads: tuple[str, bytes | None, int], asked: dict[str, Any]) -> Any:
    images.judged(ImageFolder("/b", "win", "win", form=form), contents(*heads))
    return asked["descriptors"]


def test_the_rule_gets_the_folder_its_files_and_descriptors(given_to_the_rule: dict[str, Any]) -> None:
    out = framed(0, FOLDER, 1, "./win.vmdk", "stat", f"600 {len(TEXT)} 8 512 5 regular file", 0, "")
    out += framed("head", "./win.vmdk") + TEXT + framed("", 0)
    assert images.state(QUESTION)([piece(out)]) is not None
    assert given_to_the_rule["files"] == (
        DiskFile(".", 0, 0o750, "d", 0),
        DiskFile("win.vmdk", len(TEXT), 0o600, "-", 4096, 5),
    )
    assert given_to_the_rule["descriptors"]["win.vmdk"].extents == (Extent(4, "VMFS", "win-flat.vmdk"),)


def test_locks_and_machines_of_the_host_are_added(given_to_the_rule: dict[str, Any]) -> None:
    found = images.judged(QUESTION, contents(machines=("a/b.vmx",)))
    assert (found.machines, found.locked) == (("a/b.vmx", "rule.vmx"), ".lck-1 is there")
    found = images.judged(QUESTION, contents(locked=("win-flat.vmdk",)))
    assert found.locked == "win-flat.vmdk is held by a running machine"


def sparse(offset: int = 1, sectors: int = 2, text: bytes = TEXT) -> bytes:
    header = b"KDMV" + bytes(24) + offset.to_bytes(8, "little") + sectors.to_bytes(8, "little")
    return header.ljust(512, b"\0") + text.ljust(1024, b"\0")


@pytest.mark.parametrize(
    ("head", "size", "why"),
    [
        (None, 99, "win.vmdk can't be read"),
        (b"KDMV", 4, "win.vmdk can't be opened: it is too short for a disk"),
        (sparse(0), 9999, "win.vmdk can't be opened: it is an extent, and holds no descriptor"),
        (sparse(1, 0), 9999, "win.vmdk can't be opened: it is an extent, and holds no descriptor"),
        (sparse(2, 2), 9999, "win.vmdk can't be opened: its descriptor does not lie at its beginning"),
        (TEXT, 65537, "win.vmdk is no descriptor: it is 65537 bytes long"),
    ],
)
def test_a_file_that_opens_no_disk_says_why(
    given_to_the_rule: dict[str, Any], head: bytes | None, size: int, why: str
) -> None:
    assert described("vmdk", ("win.vmdk", head, size), asked=given_to_the_rule) == {"win.vmdk": why}


def test_a_text_that_is_no_descriptor_is_named(given_to_the_rule: dict[str, Any]) -> None:
    said = described("vmdk", ("win.vmdk", b"hello", 5), asked=given_to_the_rule)["win.vmdk"]
    assert said.startswith("win.vmdk: ")


def test_a_descriptor_inside_a_disk_is_found(given_to_the_rule: dict[str, Any]) -> None:
    said = described("vmdk", ("win.vmdk", sparse(), 1 << 40), asked=given_to_the_rule)
    assert said["win.vmdk"].create_type == "vmfs"


def qcow2(version: int = 3, *, backing: int = 0, encrypted: int = 0, features: int = 0) -> bytes:
    head = b"QFI\xfb" + version.to_bytes(4, "big") + backing.to_bytes(8, "big") + bytes(8)
    head += (1000).to_bytes(8, "big") + encrypted.to_bytes(4, "big") + bytes(36) + features.to_bytes(8, "big")
    return head.ljust(512, b"\0")


def vdi(kind: int = 1, magic: int = 0xBEDA107F) -> bytes:
    head = bytes(64) + magic.to_bytes(4, "little") + bytes(8) + kind.to_bytes(4, "little")
    return (head.ljust(368, b"\0") + (4096).to_bytes(8, "little")).ljust(512, b"\0")


@pytest.mark.parametrize(
    ("form", "head", "sectors"),
    [("qcow2", qcow2(), 2), ("qcow2", qcow2(2), 2), ("vdi", vdi(), 8), ("vdi", vdi(2), 8)],
)
def test_the_size_of_other_disks(
    given_to_the_rule: dict[str, Any], form: str, head: bytes, sectors: int
) -> None:
    file = f"win.{form}"
    said = described(form, (file, head, 9999), asked=given_to_the_rule)
    assert said == {file: Descriptor(form, (Extent(sectors, form.upper(), file),))}


@pytest.mark.parametrize(
    ("form", "head", "why"),
    [
        ("qcow2", None, "can't be read"),
        ("qcow2", b"QFI\xfb", "is too short for a disk"),
        ("qcow2", bytes(512), "is no qcow2"),
        ("qcow2", qcow2(1), "is no qcow2"),
        ("qcow2", qcow2(backing=512), "is an overlay over another file"),
        ("qcow2", qcow2(encrypted=1), "is encrypted"),
        ("qcow2", qcow2(features=4), "keeps its data in another file"),
        ("vdi", vdi(magic=1), "is no VDI"),
        ("vdi", vdi(4), "is an overlay over another file"),
    ],
)
def test_other_disks_that_can_not_be_used_say_why(
    given_to_the_rule: dict[str, Any], form: str, head: bytes | None, why: str
) -> None:
    said = described(form, (f"win.{form}", head, 9999), asked=given_to_the_rule)
    assert said == {f"win.{form}": f"win.{form} {why}"}


def test_what_stands_at_the_path() -> None:
    read = images.state(QUESTION)
    assert read([piece(framed(1, MISSING, 0, FOLDER))]) is None
    link = read([piece(framed(0, LINK))])
    assert link == ImageState(False, "win is a link, no folder", folder=False)
    below = read([piece(framed(1, "ls: x: Not a directory", 0, FOLDER))])
    assert below is not None
    assert not below.whole


def test_commands_name_the_disk_and_its_form() -> None:
    vmdk, qcow2 = (ImageFolder("/vmfs/volumes/ds", "a b", "a b", form=form) for form in ("vmdk", "qcow2"))
    place = "reconciler_look_into '/vmfs/volumes/ds/a b' /vmfs/volumes/ds"
    assert images.command(vmdk) == f"{place} './a b.vmdk' 16"
    assert images.command(qcow2) == f"{place} './a b.qcow2' 1"


@given(head=st.binary(max_size=600), form=st.sampled_from(["qcow2", "vdi"]))
@example(head=b"KDMV" + b"\xff" * 600, form="vdi")
def test_strange_beginnings_are_no_bug(head: bytes, form: str) -> None:
    headers.inside(head)
    headers.described(form, "x", head)
