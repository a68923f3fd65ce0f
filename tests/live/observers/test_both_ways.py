"""One simulated host, seen over SSH and over the SDK: the same facts, as far as both can see them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from reconciler.facts import (
    AuthorizedKeys,
    BackupOwed,
    Datastore,
    Datastores,
    Facts,
    Folder,
    Identity,
    KeysFile,
    Machines,
    Network,
    NetworkState,
    OutOfReach,
    Persistence,
    Place,
    Question,
    ShellTimeout,
    SshState,
    Unseen,
)
from reconciler.image_facts import (
    DisksInUse,
    HalfCopies,
    HostTime,
    ImageFolder,
    ImageState,
    Library,
    TopDisks,
)
from reconciler.observers.sdk.eyes import SdkEyes
from reconciler.observers.ssh.eyes import SshEyes
from reconciler.placement_facts import HardwareUuid
from reconciler.simulator import Disk, Farm, HostHandle, HostModel, Machine, NfsMount, PortGroup, Storage
from reconciler.transports.sdk import SdkSession, SdkTarget
from reconciler.transports.sdk import connect as connect_sdk
from reconciler.transports.ssh import SshTarget, connect
from tests.simulator.machines import put_disk

pytestmark = [pytest.mark.timeout(120), pytest.mark.filterwarnings("ignore:Diffie-Hellman")]

VERSIONS = ["4.1", "5.0", "5.1", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0"]
PASSWORD = "vm ware!"
SERVERS = ("10.10.0.1", "10.10.0.2")
BASE = "/vmfs/volumes/datastore1"
GLOBS = "w[i]n *?"
ALIKE: tuple[Question[Any], ...] = (
    Identity(),
    NetworkState(),
    BackupOwed(),
    HardwareUuid(),
    *(Folder(f"{BASE}/{path}") for path in ("", "win", GLOBS, "w", "win/win.vmdk", "none/deeper")),
    Library(BASE),
    Library(f"{BASE}/none"),
    TopDisks((f"{BASE}/vm9/vm9.vmx",)),
    DisksInUse(),
)
IMAGES = tuple(ImageFolder(BASE, name, name) for name in ("win", GLOBS, "broken", "empty", "none", "plain"))


@pytest.fixture(params=VERSIONS)
def farm(request: pytest.FixtureRequest) -> Iterator[Farm]:
    version: str = request.param
    newer = version not in ("4.1", "5.0", "5.1", "5.5")
    mounts = [
        NfsMount("images", SERVERS[0], "/images"),
        NfsMount("read only", SERVERS[0], "/ro", read_only=version > "5.0"),
        *([NfsMount("two", ",".join(SERVERS), "/two", version="4.1")] if newer else []),
    ]
    groups = (PortGroup("VM Network", "vSwitch0", clients=2), PortGroup("Lab", "vSwitch0", vlan=4095))
    model = HostModel(
        name="a", version=version, root_password=PASSWORD, nfs=tuple(mounts), port_groups=groups, sdk=True,
        ssh_policy=version > "6",
    )  # fmt: skip
    with Farm.start([model], Storage({SERVERS[0]: ("/images", "/ro", "/two"), SERVERS[1]: ("/two",)})) as it:
        yield it


@pytest.fixture
def host(farm: Farm) -> HostHandle:
    """With images, whole and others, machines on and off, a half copy."""
    host = farm.host("a")
    for name in ("win", GLOBS):
        put_disk(host, f"datastore1/{name}", name)
    put_disk(host, "datastore1/broken", "broken", "monolithicSparse", "SPARSE")
    host.files.write(f"{BASE}/broken/broken-flat.vmdk", b"short")
    host.files.write(f"{BASE}/broken/sub/deep.vmx", b"x")
    host.files.makedirs(f"{BASE}/empty")
    host.files.write(f"{BASE}/plain", b"")
    host.files.write(f"{BASE}/.reconciler-1/job", b"reconciler job 1\nimage win\ntarget win\n")
    chain = ("[datastore1] win/win.vmdk", "[datastore1] vm9/win-000001.vmdk")
    host.register_vm(Machine(9, "vm 9", "datastore1", "vm9/vm9.vmx", disks=(Disk(chain),), running=True))
    host.register_vm(Machine(8, "vm8", "images", "vm8/vm8.vmx"))
    return host


@contextmanager
def sdk_session(host: HostHandle) -> Iterator[SdkSession]:
    old = host.version.startswith(("4", "5"))
    target = SdkTarget(
        host.name, host.address, lambda: PASSWORD, "{env: X}", host.sdk_port, thumbprint=host.thumbprint,
        legacy_algorithms=old,
    )  # fmt: skip
    session = connect_sdk(target)
    try:
        yield session
    finally:
        session.close()


def over_sdk(host: HostHandle, *questions: Question[Any]) -> Facts:
    with sdk_session(host) as session:
        eyes = SdkEyes(session, lambda seconds: None, lambda why, seconds: None)
        return Facts(eyes.look(questions, Facts()))


def over_ssh(host: HostHandle, *questions: Question[Any]) -> Facts:
    old = host.version.startswith(("4", "5", "6.0"))
    target = SshTarget(
        host.name, host.address, host.port, password=lambda: PASSWORD, host_key=host.host_keys[0],
        legacy_algorithms=old,
    )  # fmt: skip
    session = connect(target)
    try:
        return Facts(
            SshEyes(session, lambda seconds: None, lambda why, seconds: None).look(questions, Facts())
        )
    finally:
        session.close()


def test_the_same_host_shows_the_same(host: HostHandle) -> None:
    questions = [*ALIKE, *IMAGES, Datastores(), Machines(), SshState(), HalfCopies(BASE), HostTime()]
    ssh, sdk = over_ssh(host, *questions), over_sdk(host, *questions)
    for question in ALIKE:
        assert unordered(sdk[question]) == unordered(ssh[question]), question
    for image in IMAGES:
        assert plain(sdk[image]) == plain(ssh[image]), image
    check_datastores(sdk[Datastores()], ssh[Datastores()])
    running = host.version != "4.1"
    assert machines(sdk[Machines()], running=running) == machines(ssh[Machines()], running=running)
    assert sdk[SshState()].policy == ssh[SshState()].policy
    assert [(it.folder, it.image, it.target) for it in sdk[HalfCopies(BASE)]] == [
        (it.folder, it.image, it.target) for it in ssh[HalfCopies(BASE)]
    ]
    assert abs(sdk[HostTime()] - ssh[HostTime()]) < 60


def check_datastores(sdk: tuple[Datastore, ...], ssh: tuple[Datastore, ...]) -> None:
    """The system's own volumes are no datastores of the API. Over SSH 4.1 does not tell the version of VMFS, and before
    5.1 not what is read-only."""
    ours = {it.name: it for it in ssh if re.fullmatch(r"VMFS(-\d)?|NFS.*", it.type)}
    assert {it.name for it in sdk} == set(ours)
    for seen in sdk:
        known = ours[seen.name]
        assert seen.read_only_known
        assert seen.type == known.type or (seen.type, known.type) == ("VMFS-3", "VMFS")
        assert replace(seen, type=known.type, read_only_known=known.read_only_known) == known


def unordered(seen: Any) -> Any:
    """Without the order of lists, and without the case of letters in a UUID."""
    assert not isinstance(seen, Unseen), seen
    if isinstance(seen, Network):
        return frozenset(seen.port_groups), frozenset(seen.vswitches)
    if isinstance(seen, str):
        return seen.lower()
    return frozenset(seen) if isinstance(seen, tuple) else seen


def plain(state: ImageState | None) -> ImageState | None:
    """Without what only SSH shows: modes, and what a file takes on its volume."""
    assert not isinstance(state, Unseen), state
    if state is None:
        return None
    files = tuple(
        replace(it, mode=0, allocated=None, size=0 if it.kind == "d" else it.size)
        for it in sorted(state.files, key=lambda it: it.name)
    )
    locked = "locked" if state.locked else None
    return replace(state, files=files, data=0, unreadable=(), locked=locked)


def machines(seen: Any, *, running: bool) -> set[tuple[str, bool]]:
    """Each with whether it runs, which 4.1 does not list over SSH. There a running one of later versions is listed
    twice, the second time by its volume's id."""
    at_work = {it.path for it in seen if it.running and running}
    return {(it.path, it.path in at_work) for it in seen}


def test_keys_are_the_same_bytes(host: HostHandle) -> None:
    content = b"ssh-rsa AAAA somebody\r\n# \xff no text\n"
    host.files.write(host_keys_path(host), content)
    sdk = over_sdk(host, AuthorizedKeys())[AuthorizedKeys()]
    if host.version in ("4.1", "5.0"):
        assert isinstance(sdk, OutOfReach)
        return
    ssh = over_ssh(host, AuthorizedKeys())[AuthorizedKeys()]
    assert sdk == KeysFile(ssh.path, content)
    assert ssh.content == content


def host_keys_path(host: HostHandle) -> str:
    return "/.ssh/authorized_keys" if host.version == "4.1" else "/etc/ssh/keys-root/authorized_keys"


def test_the_shells_timeout_is_told_where_there_is_one(host: HostHandle) -> None:
    ssh, sdk = over_ssh(host, ShellTimeout()), over_sdk(host, ShellTimeout())
    if isinstance(ssh[ShellTimeout()], Unseen):
        assert isinstance(sdk[ShellTimeout()], Unseen)
    else:
        assert sdk[ShellTimeout()] == ssh[ShellTimeout()]


def test_what_a_reboot_brings_back_is_out_of_reach(host: HostHandle) -> None:
    assert isinstance(over_sdk(host, Persistence())[Persistence()], OutOfReach)


def test_all_facts_of_a_host_take_four_property_calls(host: HostHandle) -> None:
    with sdk_session(host) as session:
        eyes = SdkEyes(session, lambda seconds: None, lambda why, seconds: None)
        basics: list[Question[Any]] = [
            Datastores(), Machines(), NetworkState(), SshState(), AuthorizedKeys(), HardwareUuid(), BackupOwed(),
            ShellTimeout(), HostTime(),
        ]  # fmt: skip
        before = session.reads
        answers = eyes.look(basics, Facts())
        assert session.reads - before <= 4
        assert not any(isinstance(answers[it], Unseen) for it in (Datastores(), Machines(), NetworkState()))


def test_free_space_is_asked_for_afresh(host: HostHandle) -> None:
    store = {it.name: it for it in over_sdk(host, Datastores())[Datastores()]}["datastore1"]
    host.files.write(f"{BASE}/large", random.Random(1).randbytes(8 << 20))
    later = {it.name: it for it in over_sdk(host, Datastores())[Datastores()]}["datastore1"]
    assert store.free - later.free >= 8 << 20


def test_a_folder_on_a_volume_that_is_gone_is_unseen(farm: Farm, host: HostHandle) -> None:
    questions = [Folder("/vmfs/volumes/images/x"), Folder("/vmfs/volumes/none/x")]
    assert over_sdk(host, questions[0])[questions[0]] is Place.ABSENT
    farm.storage.set_state(SERVERS[0], "down")
    try:
        seen = over_sdk(host, *questions)
        assert [type(seen[it]) for it in questions] == [Unseen, Unseen]
        # asked along with the datastores they have no answer yet
        along = over_sdk(host, *questions, Datastores())
        assert not along.keys() & set(questions)
        lost = {it.name: it for it in along[Datastores()]}["images"]
        assert (lost.accessible, lost.free) == (False, None)
    finally:
        farm.storage.set_state(SERVERS[0], "up")
