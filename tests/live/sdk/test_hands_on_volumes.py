"""Folders, copies and the volume's lock over the SDK, against govmomi's simulator.

Its datastore is a folder of this machine: what the SSH hands do in a host's shell can be done to it in a shell here, so
that the two ways meet on one volume.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.hands import SdkHands
from reconciler.actuators.sdk.images.files import VolumeFiles
from reconciler.actuators.sdk.images.lock import VolumeLock as SdkLock
from reconciler.actuators.sdk.volumes import Volume, volumes
from reconciler.actuators.ssh.images.lock import LockLost, LockTaken
from reconciler.actuators.ssh.images.lock import VolumeLock as ShellLock
from reconciler.actuators.ssh.images.owner import OURS, Clock, Pace
from reconciler.actuators.ssh.images.runner import HereRunner
from reconciler.actuators.work import Work
from reconciler.facts import Product
from reconciler.image_verbs import Cargo, CloneDisk, Room
from reconciler.transports.sdk import SdkSession, SdkTarget, connect
from reconciler.verbs import MakeFolder, UnmountNfs
from tests.live.sdk.govmomi import Govmomi

CLOCK = Clock(pace=Pace(beat=0.2, dead=2.0, look=0.1, patience=3.0))
DISK = (
    b'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="vmfs"\n'
    b'RW 2 VMFS "img-flat.vmdk"\nddb.adapterType = "lsilogic"\n'
)


@pytest.fixture
def session() -> Iterator[SdkSession]:
    with Govmomi() as esx:
        target = SdkTarget(
            "esx", "127.0.0.1", lambda: esx.password, "{env: X}", esx.port, esx.user, esx.fingerprint
        )
        opened = connect(target)
        yield opened
        opened.close()


@pytest.fixture
def volume(session: SdkSession) -> Volume:
    return volumes(session)[0]


@pytest.fixture
def root(volume: Volume) -> Path:
    return Path(volume.object.summary.url)


def hands(session: SdkSession, tmp_path: Path) -> SdkHands:
    work = Work(lambda it: None, lambda: False, time.sleep, tmp_path)
    return SdkHands(session, Product("VMware ESXi", (6, 5, 0), "1"), work)


def never() -> bool:
    return False


def shell_lock(root: Path) -> ShellLock:
    lock = ShellLock(HereRunner(), str(root), "a copy over SSH", CLOCK)
    OURS.add(lock.token)
    return lock


def sdk_lock(session: SdkSession, volume: Volume) -> SdkLock:
    lock = SdkLock(VolumeFiles(session, volume), "a copy over the SDK", CLOCK)
    OURS.add(lock.token)
    return lock


def remains(root: Path) -> list[str]:
    return [path.name for path in root.iterdir() if path.name.startswith(".reconciler")]


def test_a_folder_is_made_with_those_above_it(
    session: SdkSession, volume: Volume, root: Path, tmp_path: Path
) -> None:
    verb = MakeFolder(f"/vmfs/volumes/{volume.name}/a b/c")
    for _ in range(2):
        assert hands(session, tmp_path).do(verb) == Answer(True)
    assert (root / "a b/c").is_dir()


def test_a_local_datastore_is_never_unmounted(session: SdkSession, volume: Volume, tmp_path: Path) -> None:
    assert not hands(session, tmp_path).do(UnmountNfs(volume.name, "3")).ok
    assert [it.name for it in volumes(session)] == [volume.name]


def test_a_disk_is_copied_and_nothing_else_stays(
    session: SdkSession, volume: Volume, root: Path, tmp_path: Path
) -> None:
    (root / "lib").mkdir()
    (root / "lib/img.vmdk").write_bytes(DISK)
    (root / "lib/img-flat.vmdk").write_bytes(b"x" * 1024)
    base = f"/vmfs/volumes/{volume.name}"
    cargo = Cargo(
        "img",
        f"{base}/lib",
        "img.vmdk",
        "vmfs",
        1024,
        1024,
        parts=("img.vmdk", "img-flat.vmdk"),
        flat="img-flat.vmdk",
        adapter="lsilogic",
    )
    answer = hands(session, tmp_path).do(CloneDisk(Room(base, f"{base}/vms/img", "img"), cargo, "thin"))
    assert answer.ok, answer.said
    assert sorted(path.name for path in (root / "vms/img").iterdir()) == ["img-flat.vmdk", "img.vmdk"]
    assert remains(root) == []


def test_who_came_over_ssh_is_waited_for(session: SdkSession, volume: Volume, root: Path) -> None:
    holder = shell_lock(root)
    holder.acquire(never)
    with pytest.raises(LockTaken, match="a copy over SSH"):
        sdk_lock(session, volume).acquire(never)
    holder.release()
    assert remains(root) == []


def test_who_came_over_the_sdk_is_waited_for(session: SdkSession, volume: Volume, root: Path) -> None:
    holder, said = sdk_lock(session, volume), list[str]()
    holder.acquire(never)

    def wait_for_it() -> None:
        try:
            shell_lock(root).acquire(never)
        except LockTaken as taken:
            said.append(str(taken))

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    while waiting.is_alive():
        holder.keep()
        time.sleep(0.02)
    assert len(said) == 1
    assert "a copy over the SDK" in said[0]
    holder.release()
    assert remains(root) == []


def test_a_dead_owner_of_the_other_way_is_taken_over(session: SdkSession, volume: Volume, root: Path) -> None:
    dead = sdk_lock(session, volume)
    dead.acquire(never)
    shell = shell_lock(root)
    shell.acquire(never)
    assert shell.waited
    with pytest.raises(LockLost):
        dead.beat()
    dead.release()
    shell.check()
    # the shell's beat ends as if its process had: its folder stays
    shell._done.set()
    shell._thread.join()
    sdk = sdk_lock(session, volume)
    sdk.acquire(never)
    assert not shell.beat()
    sdk.keep()
    sdk.release()
    assert remains(root) == []
