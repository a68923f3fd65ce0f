"""Facts over the SDK of govmomi's simulator: a third party decides what objects, searches and faults look like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.facts import (
    AuthorizedKeys,
    Datastore,
    Datastores,
    Facts,
    Folder,
    KeysFile,
    Machines,
    NetworkState,
    NfsSource,
    Place,
    Question,
    ShellTimeout,
    SshService,
    SshState,
    Unseen,
)
from reconciler.image_facts import (
    DisksInUse,
    FileBlock,
    HalfCopies,
    HostTime,
    ImageFolder,
    ImageState,
    Library,
    TopDisk,
    TopDisks,
)
from reconciler.observers.sdk.eyes import SdkEyes
from reconciler.transports.sdk import SdkSession, SdkTarget, connect
from tests.live.sdk.govmomi import Govmomi

BASE = "/vmfs/volumes/LocalDS_0"
GLOB = "w[i]n *?"


class Eyes:
    """Eyes whose pauses are noted and not waited for."""

    def __init__(self, session: SdkSession) -> None:
        self.session, self.pauses, self.told = session, list[float](), list[str]()
        self._eyes = SdkEyes(session, self.pauses.append, lambda why, seconds: self.told.append(why))

    def __call__(self, question: Question[Any]) -> Any:
        return self._eyes.look([question], Facts())[question]

    def all(self, *questions: Question[Any]) -> Facts:
        return Facts(self._eyes.look(questions, Facts()))


@pytest.fixture
def look(esx: Govmomi) -> Iterator[Eyes]:
    target = SdkTarget(
        "a", "127.0.0.1", lambda: esx.password, "{env: X}", esx.port, thumbprint=esx.fingerprint
    )
    session = connect(target)
    try:
        yield Eyes(session)
    finally:
        session.close()


@pytest.fixture
def home(esx: Govmomi) -> Path:
    """Where the local datastore lies."""
    (found,) = (esx.folder / "vmfs" / "volumes").iterdir()
    return found


def put_image(home: Path, name: str) -> None:
    folder = home / name
    folder.mkdir()
    text = f'# Disk DescriptorFile\nparentCID=ffffffff\ncreateType="vmfs"\nRW 2048 VMFS "{name}-flat.vmdk"\n'
    (folder / f"{name}.vmdk").write_text(text)
    with (folder / f"{name}-flat.vmdk").open("wb") as flat:
        flat.truncate(1 << 20)


def test_all_basic_facts_in_four_property_calls(esx: Govmomi, look: Eyes) -> None:
    esx.control(service={"running": True, "policy": "automatic"}, keys="ssh-rsa AAAA a\n")
    before = look.session.reads
    seen = look.all(
        Datastores(), Machines(), NetworkState(), SshState(), ShellTimeout(), AuthorizedKeys(), HostTime()
    )
    assert look.session.reads - before <= 4
    (store,) = seen[Datastores()]
    assert (store.name, store.type, store.accessible, store.nfs) == ("LocalDS_0", "VMFS-6", True, None)
    assert 0 < store.free <= store.capacity
    assert [(it.datastore, it.running) for it in seen[Machines()]] == [("LocalDS_0", True)] * 2
    assert {(it.name, it.clients) for it in seen[NetworkState()].port_groups} == {
        ("VM Network", 2),
        ("Management Network", 1),
    }
    assert seen[SshState()] == SshService(running=True, policy=None)
    assert seen[ShellTimeout()] == 0
    assert seen[AuthorizedKeys()] == KeysFile("/etc/ssh/keys-root/authorized_keys", b"ssh-rsa AAAA a\n")
    assert seen[HostTime()] > 1_700_000_000
    assert not any(isinstance(answer, Unseen) for answer in seen.values())


def test_mounts_are_told_letter_by_letter(look: Eyes) -> None:
    session = look.session
    for name, kind, mode in (("three", "NFS", "readOnly"), ("four", "NFS41", "readWrite")):
        more = {"remoteHostNames": ["FS1", "FS2"]} if kind == "NFS41" else {}
        spec = session.make(
            "HostNasVolumeSpec", remoteHost="FS1", remotePath=f"/vm {name}", localPath=name, accessMode=mode,
            type=kind, **more,
        )  # fmt: skip
        session.call(session.object("HostDatastoreSystem", _system(session)), "CreateNasDatastore", spec=spec)
    stores: dict[str, Datastore] = {it.name: it for it in look(Datastores())}
    assert stores["three"].nfs == NfsSource("FS1", "/vm three", "3", read_only=True)
    assert stores["four"].nfs == NfsSource("FS1,FS2", "/vm four", "4.1")


def _system(session: SdkSession) -> str:
    return str(session.host().configManager.datastoreSystem._moId)


def test_folders_by_their_exact_names(home: Path, look: Eyes) -> None:
    put_image(home, GLOB)
    assert look(Folder(f"{BASE}/{GLOB}")) is Place.FOLDER
    assert look(Folder(f"{BASE}/{GLOB}/{GLOB}.vmdk")) is Place.OTHER
    assert look(Folder(f"{BASE}/win 12")) is Place.ABSENT
    assert look(Folder(f"{BASE}/none/deeper")) is Place.ABSENT
    assert type(look(Folder("/vmfs/volumes/none/x"))) is Unseen


def test_a_datastore_that_can_not_be_reached_makes_nothing_absent(esx: Govmomi, look: Eyes) -> None:
    esx.control(datastore={"name": "LocalDS_0", "accessible": False})
    for question in (
        Folder(f"{BASE}/x"),
        Library(BASE),
        HalfCopies(BASE),
        ImageFolder(BASE, "x", "x"),
        FileBlock(BASE),
    ):
        assert isinstance(look(question), Unseen), question
    (store,) = look(Datastores())
    assert (store.accessible, store.capacity, store.free) == (False, None, None)


@pytest.mark.parametrize("name", ["win", GLOB])
def test_an_image_is_judged_by_its_true_length(home: Path, look: Eyes, name: str) -> None:
    put_image(home, name)
    seen = look(ImageFolder(BASE, name, name))
    assert isinstance(seen, ImageState), seen
    assert (seen.whole, seen.capacity, seen.locked, seen.machines) == (True, 1 << 20, None, ())
    assert name in look(Library(BASE))
    (home / name / f"{name}-flat.vmdk").write_bytes(b"short")
    (home / name / "sub").mkdir()
    (home / name / "sub" / "deep.vmx").write_bytes(b"x")
    seen = look(ImageFolder(BASE, name, name))
    assert (seen.whole, seen.machines) == (False, ("sub/deep.vmx",))
    assert "has 5 bytes and should have 1048576" in seen.why
    assert look(ImageFolder(BASE, "none", "none")) is None


def test_half_copies(home: Path, look: Eyes) -> None:
    (home / ".reconciler-1").mkdir()
    (home / ".reconciler-lock").mkdir()
    (home / ".reconciler-1" / "job").write_text("reconciler job 1\nimage win\ntarget sub/win\n")
    (half,) = look(HalfCopies(BASE))
    assert (half.folder, half.image, half.target) == (".reconciler-1", "win", "sub/win")


def test_users_of_disks_are_found_at_any_depth(home: Path, look: Eyes) -> None:
    put_image(home, "win")
    (home / "a" / "b").mkdir(parents=True)
    (home / "a" / "b" / "x.vmx").write_text(f'scsi0:0.fileName = "{BASE}/win/win.vmdk"\n')
    (home / "a" / "y-000001.vmdk").write_text('parentFileNameHint="../win/win.vmdk"\n')
    seen = look(DisksInUse())
    assert isinstance(seen, tuple), seen
    assert {it.who for it in seen if it.path == "win/win.vmdk"} == {
        "the unregistered machine [LocalDS_0] a/b/x.vmx",
        "the delta [LocalDS_0] a/y-000001.vmdk",
    }
    assert {it.who for it in seen if it.path.endswith("disk1.vmdk") and it.writes} == {
        f"virtual machine 'ha-host_VM{number}' (registered)" for number in (0, 1)
    }
    (top,) = look(TopDisks((f"{BASE}/a/b/x.vmx",)))
    assert top == TopDisk("x.vmx", f"{BASE}/win/win.vmdk")


def test_hostd_that_is_away_is_waited_for(esx: Govmomi, look: Eyes) -> None:
    esx.trouble("503", "RetrievePropertiesEx", times=2)
    assert isinstance(look(Datastores()), tuple)
    assert look.pauses == [1, 2]
    assert look.told == ["hostd, the host's management agent, is not answering"] * 2
    esx.trouble("HostCommunication", "RefreshDatastore", times=99)
    assert isinstance(look(Datastores()), Unseen)


def test_what_can_not_be_refreshed_does_not_tell_what_is_free(esx: Govmomi, look: Eyes) -> None:
    esx.trouble("NoPermission", "RefreshDatastore")
    (store,) = look(Datastores())
    assert (store.accessible, store.free) == (True, None)
    assert store.capacity is not None
    (store,) = look(Datastores())
    assert store.free is not None


def test_a_refusal_makes_one_fact_unknown_and_no_other(esx: Govmomi, look: Eyes) -> None:
    esx.trouble("NoPermission", "QueryOptions")
    seen = look.all(ShellTimeout(), Datastores())
    assert isinstance(seen[ShellTimeout()], Unseen)
    assert isinstance(seen[Datastores()], tuple)
    esx.control(expire=True)
    assert isinstance(look(Machines()), tuple)
