"""Images and their users on simulated hosts of every version, over real SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reconciler.facts import Datastore, Datastores, Facts, OutOfReach, Question, Unseen
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
from reconciler.observers.sdk.eyes import SdkEyes
from reconciler.observers.ssh.eyes import SshEyes
from reconciler.simulator import Disk, Farm, HostHandle, HostModel, Machine, NfsMount, Storage
from reconciler.transports.sdk import SdkTarget
from reconciler.transports.sdk import connect as connect_sdk
from reconciler.transports.ssh import SshTarget, connect
from tests.simulator.machines import put_disk

pytestmark = [pytest.mark.timeout(120), pytest.mark.filterwarnings("ignore:Diffie-Hellman")]

VERSIONS = ["4.1", "5.0", "5.1", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0"]
CASES = [*((it, "ssh") for it in VERSIONS), *((it, "sdk") for it in ("4.1", "5.5", "6.7", "8.0"))]
PASSWORD = "vm ware!"
BASE = "/vmfs/volumes/datastore1"
HOSTILE = "a 'b' \"c\" $(touch pwned) [1] *"
SERVER = "10.10.0.1"
"""An export that two hosts may share."""

Look = Callable[[Question[Any]], Any]


@contextmanager
def eyes_on(host: HostHandle) -> Iterator[Look]:
    """Eyes on a host; each look is one exec."""
    old = host.version.startswith(("4", "5", "6.0"))
    target = SshTarget(
        host.name, host.address, host.port, password=lambda: PASSWORD, host_key=host.host_keys[0],
        legacy_algorithms=old,
    )  # fmt: skip
    session = connect(target)
    try:
        eyes = SshEyes(session, lambda seconds: None, lambda why, seconds: None)
        yield lambda question: eyes.look([question], Facts())[question]
    finally:
        session.close()


@contextmanager
def sdk_eyes_on(host: HostHandle) -> Iterator[Look]:
    """Eyes on a host over the SDK."""
    old = host.version.startswith(("4", "5"))
    target = SdkTarget(
        host.name, host.address, lambda: PASSWORD, "the test", host.sdk_port, thumbprint=host.thumbprint,
        legacy_algorithms=old,
    )  # fmt: skip
    session = connect_sdk(target)
    try:
        eyes = SdkEyes(session, lambda seconds: None, lambda why, seconds: None)
        yield lambda question: eyes.look([question], Facts())[question]
    finally:
        session.close()


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The version of the hosts, and the way to them."""
    version, way = request.param
    return version, way


@pytest.fixture
def farm(case: tuple[str, str]) -> Iterator[Farm]:
    mounts = (NfsMount("images", SERVER, "/images"),)
    models = [
        HostModel(name=name, version=case[0], root_password=PASSWORD, nfs=mounts, sdk=True) for name in "ab"
    ]
    with Farm.start(models, Storage({SERVER: ("/images",)})) as started:
        yield started


@pytest.fixture
def host(farm: Farm) -> HostHandle:
    return farm.host("a")


@pytest.fixture
def look(case: tuple[str, str], host: HostHandle) -> Iterator[Look]:
    """Eyes over either way: both see the same."""
    with eyes_on(host) if case[1] == "ssh" else sdk_eyes_on(host) as it:
        yield it


def stores(look: Look) -> dict[str, Datastore]:
    return {it.name: it for it in look(Datastores())}


def image(look: Look, folder: str, disk: str | None = None, base: str = BASE) -> ImageState:
    seen = look(ImageFolder(base, folder, disk or folder))
    assert isinstance(seen, ImageState), seen
    return seen


def test_datastores_tell_their_space(look: Look) -> None:
    for name in ("datastore1", "images"):
        store = stores(look)[name]
        assert store.capacity is not None
        assert store.free is not None
        assert 0 < store.free <= store.capacity


@pytest.mark.parametrize("name", ["win", HOSTILE])
def test_a_whole_image_is_seen(host: HostHandle, look: Look, name: str) -> None:
    put_disk(host, f"datastore1/{name}", name)
    seen = image(look, name)
    assert (seen.whole, seen.form, seen.capacity, seen.runnable) == (True, "vmfs", 1 << 20, True)
    assert (seen.machines, seen.locked, seen.disk_file) == ((), None, f"{name}.vmdk")
    assert {file.name: file.size for file in seen.files}[f"{name}-flat.vmdk"] == 1 << 20
    assert name in look(Library(BASE))
    assert look(ImageFolder(BASE, "none", "none")) is None
    assert look(Library(f"{BASE}/none")) is None
    assert isinstance(look(Library("/vmfs/volumes/none")), Unseen)


def test_file_blocks_and_half_copies(host: HostHandle, look: Look) -> None:
    assert look(FileBlock(BASE)) in (4096, 1 << 20)
    assert look(FileBlock("/vmfs/volumes/images")) == 4096
    assert look(HalfCopies(BASE)) == ()
    host.files.makedirs(f"{BASE}/.reconciler-lock")
    host.files.makedirs(f"{BASE}/.reconciler-12ab")
    host.files.write(f"{BASE}/.reconciler-12ab/job", b"reconciler job 1\nimage win\ntarget sub/win\n")
    (half,) = look(HalfCopies(BASE))
    assert (half.folder, half.image, half.target) == (".reconciler-12ab", "win", "sub/win")


def test_the_module_for_sparse_disks(host: HostHandle, look: Look) -> None:
    """Whether it is there differs between versions; that it can be told does not. Only a shell tells it."""
    assert look(ModuleLoaded("multiextent")) in (True, False, OutOfReach("only SSH can show it"))


# -- who uses what ---------------------------------------------------------------------------------------------


def vm(number: int, *disks: Disk, **more: Any) -> Machine:
    return Machine(number, f"vm{number}", "datastore1", f"vm{number}/vm{number}.vmx", disks=disks, **more)


@pytest.fixture
def fresh(host: HostHandle) -> HostHandle:
    """The host without machines, with a master on the volume that both hosts share."""
    put_disk(host, "images/win", "win")
    return host


MASTER, SNAPSHOT = "[images] win/win.vmdk", "[datastore1] vm9/win-000001.vmdk"


def users(look: Look, store: str = "images", path: str = "win/win.vmdk") -> set[DiskUse]:
    """Who uses a file (by default the master)."""
    volume = stores(look)[store].id
    seen = look(DisksInUse())
    assert isinstance(seen, tuple), seen
    return {it for it in seen if (it.volume, it.path) == (volume, path)}


def test_a_host_without_machines_uses_nothing(fresh: HostHandle, look: Look) -> None:
    assert look(DisksInUse()) == ()


def test_a_registered_machine_uses_its_chain_while_it_is_off(fresh: HostHandle, look: Look) -> None:
    fresh.register_vm(vm(9, Disk((MASTER, SNAPSHOT))))
    (use,) = users(look)
    assert (use.who, use.running, use.writes) == ("virtual machine 'vm9' (registered)", False, False)
    (top,) = users(look, "datastore1", "vm9/win-000001.vmdk")
    assert (top.running, top.writes) == (False, True)


def test_a_running_machine_says_so(fresh: HostHandle, look: Look) -> None:
    fresh.register_vm(vm(9, Disk((MASTER, SNAPSHOT)), running=True))
    (use,) = users(look)
    assert (use.running, use.writes) == (True, False)


def test_a_nonpersistent_machine_does_not_write_its_master_and_its_redo_log_outlives_it(
    fresh: HostHandle, look: Look
) -> None:
    fresh.register_vm(vm(9, Disk((MASTER,), "independent-nonpersistent"), running=True))
    assert {(it.running, it.writes) for it in users(look) if it.who.startswith("virtual")} == {(True, False)}
    fresh.unregister_vm(9)
    assert [it.who for it in users(look)] != []


@pytest.mark.parametrize("store", ["datastore1", "images"])
def test_a_master_that_a_running_machine_writes_is_whole_and_locked(
    fresh: HostHandle, look: Look, store: str
) -> None:
    put_disk(fresh, f"{store}/xp", "xp")
    fresh.register_vm(vm(9, Disk((f"[{store}] xp/xp.vmdk",)), running=True))
    seen = image(look, "xp", base=f"/vmfs/volumes/{store}")
    assert (seen.whole, seen.locked is not None) == (True, True)
    fresh.power_vm(9, on=False)
    assert image(look, "xp", base=f"/vmfs/volumes/{store}").locked is None


def test_deltas_and_machines_that_no_host_knows_are_found(fresh: HostHandle, look: Look) -> None:
    fresh.add_machine_files(vm(5, Disk((MASTER, "[datastore1] vm5/win-000001.vmdk"))), vmx=False)
    assert {it.who for it in users(look)} == {"the delta [datastore1] vm5/win-000001.vmdk"}
    fresh.add_machine_files(vm(6, Disk((MASTER,))))
    assert {(it.who, it.writes) for it in users(look)} == {
        ("the delta [datastore1] vm5/win-000001.vmdk", False),
        ("the unregistered machine [datastore1] vm6/vm6.vmx", True),
    }


def test_a_machine_that_can_not_be_read_makes_all_unknown(fresh: HostHandle, look: Look) -> None:
    fresh.register_vm(vm(9, Disk((MASTER, SNAPSHOT))))
    fresh.break_vm(9)
    assert isinstance(look(DisksInUse()), Unseen)


def test_machines_of_another_host_are_seen_by_their_files(farm: Farm, fresh: HostHandle, look: Look) -> None:
    """What they run on is told by the other host; here only the files in folders of a shared volume are."""
    there = Machine(
        9, "vm9", "images", "vm9/vm9.vmx", disks=(Disk((MASTER, "[images] vm9/win-000001.vmdk")),)
    )
    farm.host("b").register_vm(there)
    try:
        assert "the delta [images] vm9/win-000001.vmdk" in {it.who for it in users(look)}
        with eyes_on(farm.host("b")) as other:
            assert {it.who for it in users(other)} == {"virtual machine 'vm9' (registered)"}
    finally:
        farm.host("b").unregister_vm(9)


def test_what_is_written_and_how_is_told_by_the_configuration(fresh: HostHandle, look: Look) -> None:
    fresh.register_vm(vm(9, Disk((MASTER,))))
    fresh.register_vm(vm(8, Disk((MASTER,), "independent-nonpersistent")))
    volume = stores(look)["images"].id
    file = f"/vmfs/volumes/{volume}/win/win.vmdk"
    assert look(TopDisks((f"{BASE}/vm9/vm9.vmx", f"{BASE}/vm8/vm8.vmx"))) == (
        TopDisk("vm9", file),
        TopDisk("vm8", file, persistent=False),
    )
    assert isinstance(look(TopDisks((f"{BASE}/none/none.vmx",))), Unseen)


def test_a_machine_in_the_folder_of_an_image_is_named(fresh: HostHandle, look: Look) -> None:
    fresh.files.write("/vmfs/volumes/images/win/deep.vmx", b"x")
    assert image(look, "win", base="/vmfs/volumes/images").machines == ("deep.vmx",)


def test_a_lost_server_makes_nothing_absent(farm: Farm, fresh: HostHandle, look: Look) -> None:
    farm.storage.set_state(SERVER, "down")
    try:
        for question in (
            ImageFolder("/vmfs/volumes/images", "win", "win"),
            ImageFolder("/vmfs/volumes/images", "none", "none"),
            Library("/vmfs/volumes/images"),
            HalfCopies("/vmfs/volumes/images"),
            FileBlock("/vmfs/volumes/images"),
        ):
            assert isinstance(look(question), Unseen), question
        lost = stores(look)["images"]
        assert (lost.accessible, lost.capacity, lost.free) == (False, None, None)
    finally:
        farm.storage.set_state(SERVER, "up")
