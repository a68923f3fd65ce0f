"""Files and disks on datastores over the API: found, made, moved, copied and removed as the shell sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Farm, HostHandle
from tests.simulator.sdk.client import Vim, Vmodl, ask, content, done, system

ROOT = "/vmfs/volumes/datastore1"
FOLDER = "/folder/{}?dcPath=ha-datacenter&dsName=datastore1"


def browser(shown: Any) -> Any:
    (found,) = (it for it in system(shown).datastore if it.name == "datastore1")
    return found.browser


def wanted(*patterns: str) -> Any:
    flags = Vim.host.DatastoreBrowser.FileInfo.Details(
        fileType=True, fileSize=True, modification=True, fileOwner=True
    )
    return Vim.host.DatastoreBrowser.SearchSpec(details=flags, matchPattern=list(patterns))


def disk(host: HostHandle, path: str) -> None:
    """A small thin disk."""
    folder, _, name = path.rpartition("/")
    host.files.makedirs(folder)
    flat = name.replace(".vmdk", "-flat.vmdk")
    text = f'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="vmfs"\nRW 2048 VMFS "{flat}"\n'
    host.files.write(path, text.encode())
    host.files.write(f"{folder}/{flat}", b"x" * (1 << 20))


def test_a_search_tells_names_sizes_and_times(esx: HostHandle) -> None:
    disk(esx, f"{ROOT}/img/img.vmdk")
    esx.files.makedirs(f"{ROOT}/img/sub")
    shown = content(esx)
    task = browser(shown).SearchDatastore_Task(datastorePath="[datastore1] img", searchSpec=wanted("*"))
    found = done(task)
    assert found.folderPath == "[datastore1] img"
    kinds = {it.path: (type(it), it.fileSize) for it in found.file}
    assert kinds == {
        "img.vmdk": (Vim.host.DatastoreBrowser.VmDiskInfo, esx.files.stat(f"{ROOT}/img/img.vmdk").size),
        "img-flat.vmdk": (Vim.host.DatastoreBrowser.FileInfo, 1 << 20),
        "sub": (Vim.host.DatastoreBrowser.FolderInfo, kinds["sub"][1]),
    }
    assert {it.owner for it in found.file} == {"root"}
    assert all(it.modification for it in found.file)
    few = browser(shown).SearchDatastore_Task(datastorePath="[datastore1] img", searchSpec=wanted("s?b"))
    assert [it.path for it in done(few).file] == ["sub"]
    bare = browser(shown).SearchDatastore_Task(datastorePath="[datastore1]")
    assert {it.path for it in done(bare).file} >= {"img", "vm"}


def test_a_search_goes_down(esx: HostHandle) -> None:
    esx.files.makedirs(f"{ROOT}/a/b")
    esx.files.write(f"{ROOT}/a/b/c.vmx", b"")
    shown = content(esx)
    task = browser(shown).SearchDatastoreSubFolders_Task(
        datastorePath="[datastore1] a", searchSpec=wanted("*.vmx")
    )
    assert [(it.folderPath.rstrip("/"), [file.path for file in it.file]) for it in done(task)] == [
        ("[datastore1] a", []),
        ("[datastore1] a/b", ["c.vmx"]),
    ]


def test_a_search_of_nothing_is_refused(farm: Farm, esx: HostHandle) -> None:
    shown = content(esx)
    for path, fault in (
        ("[datastore1] none", Vim.fault.FileNotFound),
        ("[none] a", Vim.fault.InvalidDatastorePath),
        ("datastore1/a", Vim.fault.InvalidDatastorePath),
    ):
        with pytest.raises(fault):
            done(browser(shown).SearchDatastore_Task(datastorePath=path, searchSpec=wanted("*")))


def test_folders_are_made_moved_and_removed(esx: HostHandle) -> None:
    files = content(esx).fileManager
    files.MakeDirectory(name="[datastore1] a/b", createParentDirectories=True)
    with pytest.raises(Vim.fault.FileAlreadyExists):
        files.MakeDirectory(name="[datastore1] a/b", createParentDirectories=True)
    with pytest.raises(Vim.fault.FileNotFound):
        files.MakeDirectory(name="[datastore1] none/b")
    esx.files.write(f"{ROOT}/a/b/file", b"1")
    done(files.MoveDatastoreFile_Task(sourceName="[datastore1] a/b", destinationName="[datastore1] c"))
    assert esx.files.read(f"{ROOT}/c/file") == b"1"
    with pytest.raises(Vim.fault.FileAlreadyExists):
        done(files.MoveDatastoreFile_Task(sourceName="[datastore1] a", destinationName="[datastore1] c"))
    done(
        files.CopyDatastoreFile_Task(sourceName="[datastore1] c/file", destinationName="[datastore1] a/copy")
    )
    assert esx.files.read(f"{ROOT}/a/copy") == b"1"
    done(files.DeleteDatastoreFile_Task(name="[datastore1] c"))
    assert not esx.files.exists(f"{ROOT}/c")
    with pytest.raises(Vim.fault.FileNotFound):
        done(files.DeleteDatastoreFile_Task(name="[datastore1] c"))


@pytest.mark.parametrize("path", ["[datastore1] ../../../etc/passwd", "[datastore1] a/../../x", "[] /etc"])
def test_nothing_leads_out_of_a_datastore(esx: HostHandle, path: str) -> None:
    files, before = content(esx).fileManager, esx.digest()
    for call in (files.DeleteDatastoreFile_Task, files.MakeDirectory):
        with pytest.raises(Vim.fault.InvalidDatastorePath):
            call(name=path)
    assert ask(esx, "GET", FOLDER.format("../../../etc/passwd"))[0] == 404
    assert ask(esx, "PUT", FOLDER.format("%2e%2e/%2e%2e/%2e%2e/etc/passwd"), b"")[0] == 404
    assert esx.digest() == before


def test_what_a_running_machine_writes_is_locked(esx: HostHandle) -> None:
    disk(esx, f"{ROOT}/img/img.vmdk")
    esx.power_vm(1, on=True)
    shown = content(esx)
    delta = next(name for name in esx.files.names(f"{ROOT}/vm") if "sesparse" in name)
    with pytest.raises(Vim.fault.FileLocked):
        done(shown.fileManager.DeleteDatastoreFile_Task(name=f"[datastore1] vm/{delta}"))
    assert ask(esx, "GET", FOLDER.format(f"vm/{delta}"))[0] == 500
    with pytest.raises(Vim.fault.FileLocked):
        done(shown.virtualDiskManager.CopyVirtualDisk_Task(
            sourceName="[datastore1] vm/vm-000001.vmdk", destName="[datastore1] c.vmdk"
        ))  # fmt: skip


# -- disks -------------------------------------------------------------------------------------------------------------


def copy(shown: Any, source: str, target: str, kind: str = "thin") -> Any:
    spec = Vim.VirtualDiskManager.VirtualDiskSpec(diskType=kind, adapterType="lsiLogic")
    return shown.virtualDiskManager.CopyVirtualDisk_Task(
        sourceName=f"[datastore1] {source}", destName=f"[datastore1] {target}", destSpec=spec
    )


@pytest.mark.parametrize("kind", ["thin", "preallocated", "eagerZeroedThick"])
def test_a_disk_is_copied_whole(esx: HostHandle, kind: str) -> None:
    disk(esx, f"{ROOT}/img/img.vmdk")
    done(copy(content(esx), "img/img.vmdk", "new.vmdk", kind))
    assert esx.files.read(f"{ROOT}/new-flat.vmdk") == b"x" * (1 << 20)
    assert (b"thinProvisioned" in (esx.files.read(f"{ROOT}/new.vmdk") or b"")) is (kind == "thin")


def test_a_copy_tells_how_far_it_is_and_can_be_cancelled(esx: HostHandle) -> None:
    disk(esx, f"{ROOT}/img/img.vmdk")
    esx.set_clone_rate(1000.0)
    shown = content(esx)
    task = copy(shown, "img/img.vmdk", "new.vmdk")
    info = task.info
    assert (info.state, info.cancelable, info.progress) == ("running", True, 0)
    task.CancelTask()
    with pytest.raises(Vmodl.fault.RequestCanceled):
        done(task)
    with pytest.raises(Vim.fault.InvalidState):
        task.CancelTask()
    assert esx.files.exists(f"{ROOT}/new.vmdk")


def _there(host: HostHandle) -> None:
    host.files.write(f"{ROOT}/new.vmdk", b"")


@pytest.mark.parametrize(
    ("source", "spoil", "fault"),
    [
        ("img/img.vmdk", _there, Vim.fault.FileAlreadyExists),
        ("img/none.vmdk", lambda host: None, Vim.fault.FileNotFound),
        ("img/img.vmdk", lambda host: host.fill("datastore1", 0), Vim.fault.NoDiskSpace),
        ("img/img-flat.vmdk", lambda host: None, Vim.fault.FileFault),
    ],
    ids=["there already", "no source", "no space", "no disk"],
)
def test_a_copy_that_can_not_be_fails(
    esx: HostHandle, source: str, spoil: Callable[[HostHandle], None], fault: Any
) -> None:
    disk(esx, f"{ROOT}/img/img.vmdk")
    spoil(esx)
    with pytest.raises(fault):
        done(copy(content(esx), source, "new.vmdk", "preallocated"))


def test_formats_that_are_none_are_refused(esx: HostHandle) -> None:
    shown = content(esx)
    with pytest.raises(Vmodl.fault.InvalidArgument):
        copy(shown, "a.vmdk", "b.vmdk", "fluffy")
    with pytest.raises(Vim.fault.InvalidDatastorePath):
        shown.virtualDiskManager.CopyVirtualDisk_Task(sourceName="a.vmdk", destName="b.vmdk")


# -- /folder -----------------------------------------------------------------------------------------------------------


def test_files_come_and_go_over_https(esx: HostHandle) -> None:
    assert ask(esx, "PUT", FOLDER.format("a.txt"), b"0123456789")[0] == 201
    assert ask(esx, "PUT", FOLDER.format("a.txt"), b"0123456789")[0] == 200
    assert ask(esx, "GET", FOLDER.format("a.txt")) == (200, b"0123456789")
    assert ask(esx, "GET", FOLDER.format("a.txt"), headers={"Range": "bytes=2-4"}) == (206, b"234")
    assert ask(esx, "GET", FOLDER.format("a.txt"), headers={"Range": "bytes=8-99"}) == (206, b"89")
    assert ask(esx, "GET", FOLDER.format("a.txt"), headers={"Range": "bytes=10-"})[0] == 416
    assert ask(esx, "HEAD", FOLDER.format("a.txt")) == (200, b"")
    assert ask(esx, "GET", FOLDER.format("none"))[0] == 404
    assert ask(esx, "GET", FOLDER.format("vm"))[0] == 403
    assert ask(esx, "PUT", FOLDER.format("none/a"), b"")[0] == 404
    assert ask(esx, "GET", "/folder/a.txt?dcPath=elsewhere&dsName=datastore1")[0] == 404
    assert ask(esx, "GET", "/folder/a.txt?dcPath=ha-datacenter&dsName=none")[0] == 404
    assert ask(esx, "GET", FOLDER.format("a.txt"), login="root:no")[0] == 401
