"""The verbs over the SDK, without a network: services, folders, what is refused, what can't be done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.refusals import FREE_LICENCE, refusal, words
from reconciler.facts import NfsSource, Product
from reconciler.faults import Unreachable
from reconciler.image_verbs import (
    Cargo,
    CloneDisk,
    DeleteFolder,
    LoadModule,
    PutInPlace,
    Room,
    SendDisk,
    SetAside,
)
from reconciler.transports.sdk.answers import MethodFault, NoRight, Passing, Restricted
from reconciler.verbs import (
    AddPortGroup,
    AddSwitch,
    AppendKeys,
    ArchiveKeys,
    MakeFolder,
    MarkKeys,
    MountNfs,
    MovePortGroup,
    OweBackup,
    RemountNfs,
    ReplaceBootConfig,
    RewriteKeys,
    SaveConfiguration,
    SetSshPolicy,
    SetVlan,
    StartSsh,
    StopSsh,
    UnmountNfs,
    Verb,
)
from tests.unit.actuators.fake_sdk import FakeSession, datastore, fault

KEYS = "/etc/ssh/keys-root/authorized_keys"
ROOM = Room("/vmfs/volumes/ds", "/vmfs/volumes/ds/img", "img")
CARGO = Cargo("img", "/vmfs/volumes/repo/img", "img.vmdk", "vmdk", 1, 1)
IMPOSSIBLE: list[Verb] = [
    MarkKeys(KEYS),
    ArchiveKeys(),
    ReplaceBootConfig(b"", b""),
    SaveConfiguration(),
    OweBackup("ssh"),
    LoadModule("multiextent"),
    SetAside(ROOM),
    DeleteFolder(ROOM),
    PutInPlace(ROOM, "/vmfs/volumes/ds/img~"),
    CloneDisk(ROOM, CARGO, "thin"),
    SendDisk(ROOM, CARGO, "thin"),
    MakeFolder("/vmfs/volumes/a[b]/c"),
]


@pytest.mark.parametrize("verb", IMPOSSIBLE, ids=lambda verb: type(verb).__name__)
def test_what_the_sdk_can_not_do_says_why_and_calls_nothing(verb: Verb) -> None:
    session = FakeSession()
    why = session.hands().cannot(verb)
    assert why is not None
    assert "SSH" in why or "SDK" in why
    assert session.hands().do(verb) == Answer(False, why)
    assert session.calls == session.https_calls == []


def test_a_verb_of_ssh_alone_is_described_without_a_call() -> None:
    assert FakeSession().hands().describe(SaveConfiguration()) == ()


@pytest.mark.parametrize(("version", "possible"), [((5, 0, 0), False), ((5, 1, 0), True), ((4, 1, 0), False)])
def test_keys_over_https_are_there_from_51_on(version: tuple[int, int, int], *, possible: bool) -> None:
    hands = FakeSession(keys=b"").hands(Product("VMware ESXi", version, "1"))
    for verb in (AppendKeys(KEYS, (b"x",)), RewriteKeys(KEYS, b"", b"", 1)):
        assert (hands.cannot(verb) is None) is possible


MOUNTING = (
    'HostDatastoreSystem.CreateNasDatastore(localPath="ds", remoteHost="10.0.0.1", remotePath="/x", '
    'accessMode="readWrite", type="NFS")'
)
MOUNTING_41 = (
    'HostDatastoreSystem.CreateNasDatastore(localPath="ds", remoteHostNames=["b", "c"], remotePath="/b", '
    'accessMode="readOnly", type="NFS41")'
)


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        (StartSsh(), ('HostServiceSystem.StartService(id="TSM-SSH")',)),
        (StopSsh(), ('HostServiceSystem.StopService(id="TSM-SSH")',)),
        (SetSshPolicy(True), ('HostServiceSystem.UpdateServicePolicy(id="TSM-SSH", policy="on")',)),
        (SetSshPolicy(False), ('HostServiceSystem.UpdateServicePolicy(id="TSM-SSH", policy="off")',)),
        (AppendKeys(KEYS, (b"x",)), ("PUT https://127.0.0.1:8443/host/ssh_root_authorized_keys (+1 line)",)),
        (
            RewriteKeys(KEYS, b"", b"", 2),
            ("PUT https://127.0.0.1:8443/host/ssh_root_authorized_keys (-2 lines)",),
        ),
        (
            MountNfs("ds", NfsSource("10.0.0.1", "/x")),
            (MOUNTING,),
        ),
        (UnmountNfs("ds", "3"), ('HostDatastoreSystem.RemoveDatastore(datastore="ds")',)),
        (
            RemountNfs("ds", NfsSource("a", "/a"), NfsSource("b,c", "/b", "4.1", True)),
            (
                'HostDatastoreSystem.RemoveDatastore(datastore="ds")',
                MOUNTING_41,
            ),
        ),
        (
            MakeFolder("/vmfs/volumes/ds/a b/c"),
            ('FileManager.MakeDirectory(name="[ds] a b/c", createParentDirectories=true)',),
        ),
        (
            AddSwitch("vSwitch7"),
            ('HostNetworkSystem.AddVirtualSwitch(vswitchName="vSwitch7", numPorts=128)',),
        ),
        (
            AddPortGroup("Private", "vSwitch7"),
            ('HostNetworkSystem.AddPortGroup(name="Private", vlanId=0, vswitchName="vSwitch7")',),
        ),
        (
            SetVlan('P"\n\x1b[2J\u202e', "vSwitch7", 9),
            (r'HostNetworkSystem.UpdatePortGroup(pgName="P\"\n\u001b[2J\u202e", vlanId=9)',),
        ),
        (
            MovePortGroup("P", "a", "b", 1, 2),
            (
                'HostNetworkSystem.RemovePortGroup(pgName="P")',
                'HostNetworkSystem.AddPortGroup(name="P", vlanId=2, vswitchName="b")',
            ),
        ),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, Verb) else "",
)
def test_calls_are_described_each_on_one_line(verb: Verb, expected: tuple[str, ...]) -> None:
    session = FakeSession()
    assert session.hands().describe(verb) == expected
    assert session.calls == []


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        (StartSsh(), "running"),
        (StopSsh(), "stopped"),
        (SetSshPolicy(True), "on"),
        (SetSshPolicy(False), "off"),
    ],
)
def test_the_ssh_service(verb: Verb, what: str) -> None:
    session = FakeSession()
    assert session.hands().do(verb) == Answer(True)
    assert session.services == {what: True}
    assert len(session.calls) == 1


def test_managers_are_looked_up_once() -> None:
    session = FakeSession(faults={"read": [None, AssertionError("a second look")]})
    hands = session.hands()
    assert hands.do(StartSsh()).ok
    assert hands.do(SetSshPolicy(True)).ok


@pytest.mark.parametrize(
    ("session", "said"),
    [
        (FakeSession(managers=SimpleNamespace()), "the host shows no serviceSystem over the SDK"),
        (FakeSession(hidden={"configManager"}), "the host does not show configManager: no right to see it"),
        (FakeSession(rows=False), "the host does not show configManager"),
    ],
)
def test_a_manager_that_can_not_be_seen_is_said(session: FakeSession, said: str) -> None:
    assert session.hands().do(StartSsh()) == Answer(False, said)
    assert session.calls == []


def answer(problem: Exception, verb: Verb | None = None) -> Answer:
    return FakeSession(faults={"StartService": [problem]}).hands().do(verb or StartSsh())


def test_a_free_licence_is_named_with_what_helps() -> None:
    said = "Current license or ESXi version prohibits execution of the requested operation"
    found = answer(Restricted("vim.fault.RestrictedVersion", said))
    assert found == Answer(False, said, next=FREE_LICENCE)


def test_a_missing_right_is_named() -> None:
    found = answer(NoRight("vim.fault.NoPermission", "Permission to perform this operation was denied."))
    assert found.next == "give the user the privilege Host.Config.NetService on the host"


def test_the_privilege_that_the_host_names_counts_more() -> None:
    problem = NoRight("vim.fault.NoPermission", "no", SimpleNamespace(privilegeId="Host.Config.Odd"))
    assert answer(problem).next == "give the user the privilege Host.Config.Odd on the host"


def test_hostd_that_is_away_is_no_refusal() -> None:
    assert answer(Passing("HTTP 503", "Service Unavailable")) == Answer(
        False, "Service Unavailable", passing=True
    )


def test_a_cut_link_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        answer(Unreachable("cut", next=""))


def caused(problem: MethodFault, details: Any) -> MethodFault:
    problem.details = details
    return problem


def test_all_that_a_fault_says_stands_on_one_line() -> None:
    cause = SimpleNamespace(
        msg="An error occurred during host configuration.",
        faultMessage=[SimpleNamespace(message="NFS has reached the maximum\nnumber of supported volumes.")],
        faultCause=SimpleNamespace(
            fault=SimpleNamespace(text="Unable to complete Sysinfo operation."),
            localizedMessage="Operation failed, diagnostics report",
        ),
    )
    problem = caused(fault("PlatformConfigFault", "An error occurred during host configuration."), cause)
    found = (
        FakeSession(faults={"CreateNasDatastore": [problem]}).hands().do(MountNfs("ds", NfsSource("a", "/a")))
    )
    assert found.said.split("; ") == [
        "An error occurred during host configuration.",
        "NFS has reached the maximum number of supported volumes.",
        "Operation failed, diagnostics report",
        "Unable to complete Sysinfo operation.",
    ]
    assert "NFS.MaxVolumes" in found.next


def test_a_fault_without_a_word_is_named() -> None:
    assert words(MethodFault("vim.fault.NotFound", "")) == "vim.fault.NotFound"


def test_a_ring_of_causes_ends() -> None:
    cause = SimpleNamespace(msg="round")
    cause.faultCause = cause
    assert words(caused(fault("X", "said"), cause)) == "said; round"


def test_a_right_that_is_not_known_is_not_guessed() -> None:
    assert refusal(NoRight("vim.fault.NoPermission", "no"), SaveConfiguration()).next == ""


STORES = [datastore("ds", "5a-b"), datastore("a[b", "5c-d"), datastore("vms", "")]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/vmfs/volumes/ds/a/b c", "[ds] a/b c"),
        ("/vmfs/volumes/5a-b/a", "[ds] a"),
        ("/vmfs/volumes/vms/x]y", "[vms] x]y"),
    ],
)
def test_a_folder_is_made_by_the_name_of_its_datastore(path: str, name: str) -> None:
    session = FakeSession(datastores=STORES)
    assert session.hands().do(MakeFolder(path)) == Answer(True)
    assert session.folders == {name}
    assert session.hands().do(MakeFolder(path)) == Answer(True), "FileAlreadyExists is as good"


def test_a_folder_that_can_not_be_made() -> None:
    session = FakeSession(datastores=STORES, faults={"MakeDirectory": [fault("NoDiskSpace")]})
    hands = session.hands()
    assert hands.do(MakeFolder("/vmfs/volumes/ds/a")) == Answer(False, "NoDiskSpace.")
    assert hands.do(MakeFolder("/vmfs/volumes/gone/a")) == Answer(False, "the host has no datastore 'gone'")
    assert "bracket" in hands.do(MakeFolder("/vmfs/volumes/5c-d/a")).said
    assert session.folders == set()


def test_a_datastore_that_hides_something_is_not_passed_over() -> None:
    session = FakeSession(datastores=[datastore("ds")], hidden={"info"})
    found = session.hands().do(MakeFolder("/vmfs/volumes/ds/a"))
    assert found == Answer(False, "a datastore does not show its info: no right to see it")
