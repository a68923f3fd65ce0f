"""The scripts that look at images and their users, in a real busybox ash on real files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.facts import Unseen
from reconciler.image_facts import (
    DisksInUse,
    DiskUse,
    FileBlock,
    HalfCopies,
    ImageFolder,
    ImageState,
    Library,
    ModuleLoaded,
    TopDisk,
    TopDisks,
)
from reconciler.observers.ssh import folders, inquiries
from tests.live.test_real_busybox import Jail
from tests.unit.observers.printed import filesystems, layout, processes, rows, summaries

HOSTILE = "a 'b' \"c\" $(touch pwned) `touch pwned` \\ [1] *"
BASE = "/vmfs/volumes/datastore1"
EXTENT = b"x" * 2048
DESCRIPTOR = '# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType="vmfs"\nRW 4 VMFS "{}-flat.vmdk"\n'
DELTA = DESCRIPTOR + 'parentFileNameHint="{}"\n'
VOLUMES = [("5f-1", "datastore1", "VMFS-6"), ("95e3", "images", "NFS"), ("bank", "", "vfat")]


class Host(Jail):
    """A root folder with two volumes, and what hostd would tell of machines."""

    def __init__(self, root: Path, version: str = "6.7.0") -> None:
        super().__init__(root, version)
        for volume, name, _ in VOLUMES:
            self.path(f"/vmfs/volumes/{volume}").mkdir(exist_ok=True)
            if name:
                self.path(f"/vmfs/volumes/{name}").symlink_to(volume)
        self.tell("volumes", filesystems(VOLUMES))
        self.tell("processes", processes([]))
        self.tell("machines", rows([]))
        self.program(
            "bin/esxcli",
            '#!/bin/sh\ncase "$*" in *"filesystem list") cat /told/volumes;; *) cat /told/processes;; esac\n',
        )
        self.program(
            "bin/vim-cmd",
            "#!/bin/sh\ncat >> /told/eaten\ncase $1 in vmsvc/getallvms) cat /told/machines;; "
            "vmsvc/get.filelayout) cat /told/layout-$2;; vmsvc/power.getstate) cat /told/power-$2;; "
            "*) cat /told/volumes;; esac\n",
        )

    def tell(self, name: str, text: str) -> None:
        self.put(f"/told/{name}", text.encode())

    def put(self, path: str, content: bytes = b"") -> Path:
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def image(self, name: str, base: str = "/vmfs/volumes/5f-1") -> None:
        self.put(f"{base}/{name}/{name}.vmdk", DESCRIPTOR.format(name).encode())
        self.put(f"{base}/{name}/{name}-flat.vmdk", EXTENT)

    def clean(self) -> bool:
        return not list(self.root.rglob("pwned"))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "root")


def state(host: Host, name: str, **more: Any) -> ImageState:
    seen = host.look(ImageFolder(BASE, name, more.pop("disk", name), **more))
    assert isinstance(seen, ImageState), seen
    return seen


@pytest.mark.parametrize("name", ["win", HOSTILE, "-rf"])
def test_a_whole_image_is_seen_whatever_its_name(host: Host, name: str) -> None:
    host.image(name)
    host.put(f"{BASE}/{name}/{name}.vmx.reference")
    os.utime(host.path(f"{BASE}/{name}/{name}-flat.vmdk"), (1, 1700000000))
    seen = state(host, name)
    assert (seen.whole, seen.why, seen.form, seen.capacity, seen.reference) == (True, "", "vmfs", 2048, True)
    assert (seen.disk_file, seen.machines, seen.locked) == (f"{name}.vmdk", (), None)
    extent = next(file for file in seen.files if file.name == f"{name}-flat.vmdk")
    on_disk = host.path(f"{BASE}/{name}/{name}-flat.vmdk").stat()
    assert (extent.size, extent.allocated, extent.modified) == (2048, on_disk.st_blocks * 512, 1700000000)
    assert host.clean()


def test_a_host_whose_stat_has_no_format_tells_sizes_all_the_same(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell here has its own stat: the option is taken away, not the tool."""
    host.image("win")
    without = folders.LOOK_INTO.replace("stat -c", "stat -Z")
    monkeypatch.setattr("reconciler.observers.ssh.readings.LOOK_INTO", without)
    # what is sent for these questions may be known from another test
    monkeypatch.setattr(inquiries, "inquiry", inquiries.inquiry.__wrapped__)
    seen = state(host, "win")
    assert seen.whole
    assert {file.name: (file.size, file.allocated) for file in seen.files if file.kind == "-"} == {
        "win.vmdk": (len(DESCRIPTOR.format("win")), None),
        "win-flat.vmdk": (2048, None),
    }


def test_files_with_hostile_names_beside_a_disk_hide_nothing(host: Host) -> None:
    host.image("win")
    for name in (
        "a\nb",
        "-rw-r--r--",
        "head",
        ".hidden",
        "..odd",
        "x\n.vmx",
        "deep/er/y.vmx",
        "z.vmx.reference",
    ):
        host.put(f"{BASE}/win/{name}", b"\0head\0./win.vmdk\0")
    host.path(f"{BASE}/win/link").symlink_to("/etc/passwd")
    host.path(f"{BASE}/win/dangling.vmdk").symlink_to("nowhere")
    seen = state(host, "win")
    assert "deep/er/y.vmx" in seen.machines
    assert {file.name for file in seen.files} >= {"a\nb", "-rw-r--r--", ".hidden", "..odd", "link", "deep"}
    assert {file.kind for file in seen.files if file.name in ("link", "dangling.vmdk")} == {"l"}
    assert host.clean()


def test_a_descriptor_inside_a_disk_is_read_where_it_lies(host: Host) -> None:
    text = DESCRIPTOR.format("win").replace("vmfs", "monolithicSparse").replace("VMFS", "SPARSE").encode()
    header = b"KDMV" + bytes(8) + (4).to_bytes(8, "little") + bytes(8) + (1).to_bytes(8, "little")
    header += (20).to_bytes(8, "little")
    disk = header.ljust(512, b"\0") + text.replace(b"win-flat.vmdk", b"win.vmdk").ljust(20 * 512, b"\0")
    host.put(f"{BASE}/win/win.vmdk", disk + bytes(200000))
    seen = state(host, "win")
    assert (seen.form, seen.capacity) == ("monolithicSparse", 2048)


@pytest.mark.parametrize(
    ("form", "kind", "options"),
    [
        ("qcow2", "qcow2", "compat=1.1"),
        ("qcow2", "qcow2", "compat=0.10"),
        ("vdi", "vdi", "static=off"),
        ("vdi", "vdi", "static=on"),
        ("vmdk", "monolithicSparse", "subformat=monolithicSparse"),
        ("vmdk", "streamOptimized", "subformat=streamOptimized"),
        ("vmdk", "twoGbMaxExtentSparse", "subformat=twoGbMaxExtentSparse"),
    ],
)
def test_disks_that_qemu_made_are_told_by_their_beginnings(
    host: Host, form: str, kind: str, options: str
) -> None:
    file = host.put(f"{BASE}/win/win.{form}")
    file.unlink()
    command = ["qemu-img", "create", "-q", "-f", form, "-o", options, str(file), "10M"]
    subprocess.run(command, check=True, timeout=30)
    seen = state(host, "win", form=form)
    assert (seen.whole, seen.form, seen.capacity) == (True, kind, 10 << 20)


def test_what_is_no_folder_is_no_image(host: Host) -> None:
    host.put(f"{BASE}/file")
    host.path(f"{BASE}/link").symlink_to("/vmfs/volumes/95e3")
    assert (state(host, "file").whole, state(host, "file").why) == (False, "file is a file, no folder")
    assert (state(host, "link").whole, state(host, "link").why) == (False, "link is a link, no folder")
    assert host.look(ImageFolder(BASE, "none", "none")) is None
    assert host.look(ImageFolder(f"{BASE}/sub", "none", "none")) is None


def test_what_lies_on_a_volume_that_is_gone_is_unseen_not_absent(host: Host) -> None:
    for question in (
        ImageFolder("/vmfs/volumes/gone", "win", "win"),
        ImageFolder("/vmfs/volumes/gone/sub", "win", "win"),
        Library("/vmfs/volumes/gone/sub"),
        Library("/vmfs/volumes/gone"),
        HalfCopies("/vmfs/volumes/gone"),
    ):
        assert isinstance(host.look(question), Unseen), question


def test_the_folders_of_a_library(host: Host) -> None:
    for name in ("win", HOSTILE, "x\ny", ".hidden", "-n"):
        host.path(f"{BASE}/{name}").mkdir()
    host.put(f"{BASE}/file")
    host.path(f"{BASE}/link").symlink_to("/vmfs/volumes/95e3")
    names = host.look(Library(BASE))
    assert isinstance(names, tuple)
    assert sorted(names) == sorted(["win", HOSTILE, "x\ny", "-n"])
    assert host.look(Library(f"{BASE}/win")) == ()
    assert host.look(Library(f"{BASE}/none")) is None
    assert isinstance(host.look(Library(f"{BASE}/file")), Unseen)
    assert host.clean()


def test_half_copies_of_ours(host: Host) -> None:
    host.path(f"{BASE}/.reconciler-lock").mkdir()
    host.put(f"{BASE}/.reconciler-file")
    assert host.look(HalfCopies(BASE)) == ()
    host.put(
        f"{BASE}/.reconciler-12ab/job", f"reconciler job 1\nimage {HOSTILE}\ntarget sub/{HOSTILE}\n".encode()
    )
    host.put(f"{BASE}/.reconciler-12ab/disk/x", bytes(1 << 20))
    seen = host.look(HalfCopies(BASE))
    assert isinstance(seen, tuple)
    assert [(it.folder, it.image, it.target) for it in seen] == [
        (".reconciler-12ab", HOSTILE, f"sub/{HOSTILE}")
    ]
    assert seen[0].allocated >= 1 << 20


def test_top_disks_file_blocks_and_modules(host: Host) -> None:
    config = f"{BASE}/{HOSTILE}/x.vmx"
    host.put(config, b'displayName = "vm"\nscsi0:0.fileName = "x.vmdk"\n\n')
    assert host.look(TopDisks((config,))) == (TopDisk("vm", f"{BASE}/{HOSTILE}/x.vmdk"),)
    assert isinstance(host.look(TopDisks((config, f"{BASE}/none.vmx"))), Unseen)
    host.program(
        "bin/vmkfstools", '#!/bin/sh\n[ "$1" = -P ] && echo "Capacity 8192 (2 file blocks * 4096), 1 ($2)"\n'
    )
    assert host.look(FileBlock(BASE)) == 4096
    assert isinstance(host.look(ModuleLoaded("multiextent")), Unseen)
    host.program("bin/vmkload_mod", "#!/bin/sh\necho 'Name Used'; echo 'multiextent 0'\n")
    assert host.look(ModuleLoaded("multiextent")) is True
    assert host.clean()


# -- who uses what ---------------------------------------------------------------------------------------------


def register(host: Host, number: int, name: str, chain: list[str], *, old: bool = False) -> None:
    config = f"[datastore1] {name}/{name}.vmx"
    host.tell("machines", rows([(number, name, config)]))
    host.tell(f"layout-{number}", layout(config, [chain], old=old))


def in_use(host: Host) -> tuple[DiskUse, ...]:
    seen = host.look(DisksInUse())
    assert isinstance(seen, tuple), seen
    return seen


def furnish(host: Host) -> None:
    """A registered machine, an unregistered one, deltas and redo logs, in hostile folders on both volumes."""
    host.image("win")
    register(host, 9, "vm9", ["[datastore1] win/win.vmdk", "[images] vm9/win-000001.vmdk"])
    host.put(
        "/vmfs/volumes/95e3/vm9/win-000001.vmdk",
        DELTA.format("d", "/vmfs/volumes/5f-1/win/win.vmdk").encode(),
    )
    host.put("/vmfs/volumes/95e3/vm9/win-000001-delta.vmdk", bytes(300000))
    host.put(
        f"/vmfs/volumes/95e3/{HOSTILE}/y.vmx", b'scsi0:0.fileName = "/vmfs/volumes/datastore1/xp/xp.vmdk"\n'
    )
    host.put("/vmfs/volumes/5f-1/.deep/er/lin.vmdk.REDO_a1", DELTA.format("d", "../../lin/lin.vmdk").encode())
    host.put("/vmfs/volumes/5f-1/.snapshot/old/o.vmx", b'scsi0:0.fileName = "/vmfs/volumes/5f-1/o/o.vmdk"\n')
    host.put("/vmfs/volumes/bank/b.vmx", b'scsi0:0.fileName = "/vmfs/volumes/5f-1/b/b.vmdk"\n')


def test_all_users_on_all_volumes_are_found(host: Host) -> None:
    furnish(host)
    host.tell("processes", processes(["/vmfs/volumes/5f-1/vm9/vm9.vmx"]))
    machine, odd = "virtual machine 'vm9' (registered)", f"the unregistered machine [images] {HOSTILE}/y.vmx"
    assert set(in_use(host)) == {
        DiskUse("5f-1", "vm9/vm9.vmx", machine, running=True),
        DiskUse("5f-1", "win/win.vmdk", machine, running=True),
        DiskUse("95e3", "vm9/win-000001.vmdk", machine, running=True, writes=True),
        DiskUse("5f-1", "xp/xp.vmdk", odd, writes=True),
        DiskUse("5f-1", "lin/lin.vmdk", "the delta [datastore1] .deep/er/lin.vmdk.REDO_a1"),
    }
    assert host.clean()
    assert host.path("/told/eaten").read_bytes() == b""


def test_on_4x_all_users_are_found_too(tmp_path: Path) -> None:
    host = Host(tmp_path / "root", "4.1.0")
    furnish(host)
    host.tell(
        "volumes", summaries([("5f-1", "datastore1", True), ("95e3", "images", True), ("77", "lost", False)])
    )
    register(host, 9, "vm9", ["[datastore1] win/win.vmdk"], old=True)
    host.tell("power-9", "Retrieved runtime info\nPowered off\n")
    seen = {(it.path, it.running) for it in in_use(host)}
    assert {("win/win.vmdk", False), ("xp/xp.vmdk", True), ("lin/lin.vmdk", False)} <= seen
    assert not any(path.startswith(("o/", "b/")) for path, _ in seen)


@pytest.mark.parametrize("name", ["x\n.vmx", "a.vmx\n", "\nd/a.vmx", "a.vmx\n./b.vmx", "d\n/x.vmdk"])
def test_a_line_end_in_a_name_makes_all_unknown(host: Host, name: str) -> None:
    for known in ("a.vmx", "b.vmx", name):
        host.put(f"/vmfs/volumes/5f-1/vm/{known}", b'scsi0:0.fileName = "x.vmdk"\n')
    assert isinstance(host.look(DisksInUse()), Unseen)


def test_a_volume_that_can_not_be_searched_makes_all_unknown(host: Host) -> None:
    host.tell("volumes", filesystems([*VOLUMES, ("77", "lost", "VMFS-5")]))
    seen = host.look(DisksInUse())
    assert isinstance(seen, Unseen)
    assert "77" in seen.why


def test_a_configuration_file_that_is_too_long_makes_all_unknown(host: Host) -> None:
    host.put("/vmfs/volumes/5f-1/vm/vm.vmx", b"#" * 65537)
    assert isinstance(host.look(DisksInUse()), Unseen)


def test_disks_are_never_read(host: Host) -> None:
    """A small extent is, but it names no parent; a big one is not opened at all."""
    hint = b'\nparentFileNameHint="/vmfs/volumes/5f-1/win/win.vmdk"\n'
    host.put("/vmfs/volumes/5f-1/vm/big-flat.vmdk", hint + bytes(70000))
    host.put("/vmfs/volumes/5f-1/vm/small-flat.vmdk", bytes(1000))
    assert in_use(host) == ()
