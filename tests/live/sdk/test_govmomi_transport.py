"""Our sessions, eyes and hands over the SDK, against govmomi's simulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.hands import SdkHands
from reconciler.actuators.work import Work
from reconciler.facts import (
    AuthorizedKeys,
    Datastore,
    Datastores,
    Facts,
    Folder,
    KeysFile,
    NetworkState,
    NfsSource,
    Place,
    Product,
    Question,
    SshService,
    SshState,
)
from reconciler.faults import CertificateRefused, Fault, LoginRefused, Unreachable, Unsupported
from reconciler.observers.sdk.eyes import KEYS_FILE, KEYS_PATH, SdkEyes
from reconciler.observers.sdk.licence import licence_of
from reconciler.transports.sdk import (
    HOST_DATASTORES,
    MethodFault,
    NoRight,
    Passing,
    Restricted,
    SdkSession,
    SdkTarget,
    Want,
    connect,
)
from reconciler.transports.sdk.https import Connection
from reconciler.transports.sdk.line import Line
from reconciler.transports.sdk.target import ApiType
from reconciler.transports.target import DEFAULT_LIMITS
from reconciler.verbs import (
    AddPortGroup,
    AddSwitch,
    AppendKeys,
    MakeFolder,
    MountNfs,
    MovePortGroup,
    RemountNfs,
    RewriteKeys,
    SetSshPolicy,
    SetVlan,
    StartSsh,
    StopSsh,
    UnmountNfs,
    Verb,
)
from tests.live.sdk.govmomi import Govmomi

REPO = NfsSource("10.0.0.1", "/vm images")
OTHER_PIN = "SHA256:" + ":".join(["AB"] * 32)


def target_of(
    it: Govmomi, *, password: str | None = None, pin: str | None = None, api: ApiType = "HostAgent"
) -> SdkTarget:
    return SdkTarget(
        "esx",
        "127.0.0.1",
        lambda: it.password if password is None else password,
        "{env: X}",
        it.port,
        it.user,
        pin or it.fingerprint,
        api=api,
    )


@pytest.fixture
def session(esx: Govmomi) -> Iterator[SdkSession]:
    opened = connect(target_of(esx))
    yield opened
    opened.close()


Do = Callable[[Verb], Answer]


@pytest.fixture
def do(session: SdkSession, tmp_path: Path) -> Do:
    work = Work(lambda it: None, lambda: False, time.sleep, tmp_path)
    return SdkHands(session, Product("VMware ESXi", (6, 5, 0), "1"), work).do


def look(session: SdkSession, question: Question[Any]) -> Any:
    eyes = SdkEyes(session, lambda seconds: None, lambda why, seconds: None)
    return eyes.look([question], Facts())[question]


def services_of(session: SdkSession) -> Any:
    (row,) = session.read([Want("HostSystem", ("configManager.serviceSystem",), of=session.host())])
    return row.values["configManager.serviceSystem"]


# -- who answers, and who asks --------------------------------------------------------------------------------------


def test_a_login_is_one_login_and_ends_with_a_logout(esx: Govmomi) -> None:
    session = connect(target_of(esx))
    assert session.about.api_type == "HostAgent"
    assert session.fingerprint == esx.fingerprint
    session.close()
    assert esx.logins == [True]
    assert esx.control()["sessions"] == 0


def test_a_wrong_password_is_tried_once(esx: Govmomi) -> None:
    with pytest.raises(LoginRefused, match="tried once") as caught:
        connect(target_of(esx, password="wrong"))
    assert "wrong" not in str(caught.value)
    assert esx.logins == [False]


def test_to_another_certificate_nothing_is_said(esx: Govmomi) -> None:
    with pytest.raises(CertificateRefused, match="no password was sent") as caught:
        connect(target_of(esx, pin=OTHER_PIN))
    assert esx.fingerprint in str(caught.value)
    assert (esx.logins, esx.calls) == ([], [])


def test_without_any_trust_nothing_is_said(esx: Govmomi) -> None:
    bare = SdkTarget("esx", "127.0.0.1", lambda: esx.password, "{env: X}", esx.port, esx.user)
    with pytest.raises(CertificateRefused, match="nothing vouches"):
        connect(bare)
    assert (esx.logins, esx.calls) == ([], [])


def test_a_host_is_no_vcenter(esx: Govmomi) -> None:
    with pytest.raises(Unsupported, match="an ESXi host answers there"):
        connect(target_of(esx, api="VirtualCenter"))
    assert esx.logins == []


def test_a_vcenter_is_no_host(vcenter: Govmomi) -> None:
    with pytest.raises(Unsupported, match="a vCenter answers there"):
        connect(target_of(vcenter))
    assert vcenter.logins == []
    connect(target_of(vcenter, api="VirtualCenter")).close()
    assert vcenter.logins == [True]


@pytest.mark.parametrize("fault", ["SystemError", "HostCommunication", "503", "hangup"])
def test_an_agent_that_is_starting_is_unreachable(esx: Govmomi, fault: str) -> None:
    for method in ("RetrieveServiceContent", "Login"):
        esx.trouble(fault, method)
        with pytest.raises(Unreachable):
            connect(target_of(esx))
    assert esx.logins == []


@pytest.mark.parametrize(
    ("fault", "api"), [("", "VirtualCenter"), ("SystemError", "HostAgent"), ("NotSupported", "HostAgent")]
)
def test_who_is_not_talked_to_is_hung_up_on(
    esx: Govmomi, monkeypatch: pytest.MonkeyPatch, fault: str, api: ApiType
) -> None:
    opened: list[Connection] = []

    def open_one(line: Line) -> Connection:
        opened.append(Connection(line))
        return opened[-1]

    monkeypatch.setattr("reconciler.transports.sdk.session.Connection", open_one)
    if fault:
        esx.trouble(fault, "RetrieveServiceContent")
    with pytest.raises(Fault):
        connect(target_of(esx, api=api))
    assert len(opened) == 2
    assert all(it.sock is None for it in opened)


# -- sessions and faults --------------------------------------------------------------------------------------------


def test_an_expired_session_is_had_again_and_the_call_done_once(esx: Govmomi, session: SdkSession) -> None:
    services = services_of(session)
    esx.control(expire=True, forget=True)
    session.call(services, "StartService", id="TSM-SSH")
    assert esx.logins == [True]
    assert esx.calls == ["StartService", "Login", "StartService"]
    esx.control(forget=True)
    with pytest.raises(MethodFault):
        session.call(services, "StartService", id="no such")
    assert esx.calls == ["StartService"]


def test_a_session_that_is_not_given_twice_is_a_right_that_lacks(esx: Govmomi, session: SdkSession) -> None:
    services = services_of(session)
    esx.control(expire=True, forget=True)
    esx.trouble("NotAuthenticated", "StartService", 2)
    with pytest.raises(NoRight):
        session.call(services, "StartService", id="TSM-SSH")
    assert esx.calls == ["StartService", "Login", "StartService"]


@pytest.mark.parametrize("fault", ["SystemError", "HostCommunication", "HostConnectFault", "503"])
def test_what_passes_is_told_and_never_repeated(esx: Govmomi, session: SdkSession, fault: str) -> None:
    services = services_of(session)
    esx.control(forget=True)
    esx.trouble(fault, "StartService")
    with pytest.raises(Passing):
        session.call(services, "StartService", id="TSM-SSH")
    assert esx.calls == ["StartService"]
    session.call(services, "StartService", id="TSM-SSH")


def test_a_cut_is_unreachable_and_never_repeated(esx: Govmomi, session: SdkSession) -> None:
    services = services_of(session)
    esx.control(forget=True)
    esx.trouble("hangup", "StartService", after=True)
    with pytest.raises(Unreachable):
        session.call(services, "StartService", id="TSM-SSH")
    assert esx.calls == ["StartService"]
    assert look(session, SshState()).running is True


def test_a_right_that_lacks_is_named(esx: Govmomi, session: SdkSession) -> None:
    esx.trouble("NoPermission", "StartService")
    with pytest.raises(NoRight) as caught:
        session.call(services_of(session), "StartService", id="TSM-SSH")
    assert caught.value.privilege == "Host.Config.Settings"


def test_the_free_licence_is_told(esx: Govmomi, session: SdkSession) -> None:
    esx.control(restricted=True)
    with pytest.raises(Restricted):
        session.call(services_of(session), "StartService", id="TSM-SSH")
    assert licence_of(session)[0] is True
    esx.control(restricted=False)
    assert licence_of(session) == (False, None)


@pytest.mark.parametrize("fault", ["NoPermission", "SystemError", "503"])
def test_an_unexpected_answer_counts_as_the_free_licence(
    esx: Govmomi, session: SdkSession, fault: str
) -> None:
    esx.trouble(fault, "DeleteDatastoreFile_Task")
    restricted, said = licence_of(session)
    assert restricted
    assert said


def test_a_task_gives_its_result_or_its_error(session: SdkSession) -> None:
    (row,) = session.read([Want("Datastore", ("name", "browser"), of=HOST_DATASTORES)])
    browser, name = row.values["browser"], row.values["name"]
    spec = session.make("HostDatastoreBrowserSearchSpec", matchPattern=["*"])

    def search(path: str) -> Any:
        return session.call(browser, "SearchDatastore_Task", datastorePath=path, searchSpec=spec)

    assert session.wait(search(f"[{name}]"), 10).folderPath.startswith(f"[{name}]")
    with pytest.raises(MethodFault) as caught:
        session.wait(search(f"[{name}] none"), 10)
    assert caught.value.name == "vim.fault.FileNotFound"


def test_files_beside_the_api_need_the_password(esx: Govmomi, session: SdkSession) -> None:
    assert session.https("PUT", KEYS_PATH, b"ssh-rsa AAAA a\n").status == 200
    assert session.https("GET", KEYS_PATH).body == b"ssh-rsa AAAA a\n"
    esx.trouble("503", f"GET {KEYS_PATH}")
    with pytest.raises(Passing):
        session.https("GET", KEYS_PATH)
    stranger = SdkSession(target_of(esx, password="wrong"), DEFAULT_LIMITS)
    with pytest.raises(NoRight):
        stranger.https("GET", KEYS_PATH)
    stranger.close()


# -- hands, and what the eyes see afterwards ------------------------------------------------------------------------


def test_ssh_is_switched(session: SdkSession, do: Do) -> None:
    def ssh() -> tuple[bool | None, bool]:
        seen: SshService = look(session, SshState())
        return seen.running, bool(seen.policy)

    assert ssh() == (False, False)
    assert do(StartSsh()).ok
    assert ssh() == (True, False)
    assert do(SetSshPolicy(on=True)).ok
    assert ssh() == (True, True)
    assert do(StopSsh()).ok
    assert do(SetSshPolicy(on=False)).ok
    assert ssh() == (False, False)


def test_keys_are_added_and_removed(esx: Govmomi, session: SdkSession, do: Do) -> None:
    esx.control(keys="ssh-rsa AAAA old\n")
    assert do(AppendKeys(KEYS_FILE, (b"ssh-rsa BBBB new",))).ok
    both = b"ssh-rsa AAAA old\nssh-rsa BBBB new\n"
    assert look(session, AuthorizedKeys()) == KeysFile(KEYS_FILE, both)
    assert do(RewriteKeys(KEYS_FILE, both, b"ssh-rsa BBBB new\n", 1)).ok
    assert esx.keys == "ssh-rsa BBBB new\n"
    assert not do(RewriteKeys(KEYS_FILE, both, b"", 2)).ok
    assert look(session, AuthorizedKeys()).content == b"ssh-rsa BBBB new\n"


def nfs(session: SdkSession) -> dict[str, NfsSource]:
    seen: tuple[Datastore, ...] = look(session, Datastores())
    return {it.name: it.nfs for it in seen if it.nfs is not None}


@pytest.mark.parametrize(
    "source",
    [
        REPO,
        NfsSource("10.0.0.1", "/ro", read_only=True),
        NfsSource("10.0.0.1,10.0.0.2", "/v4", "4.1"),
    ],
)
def test_nfs_comes_and_goes(session: SdkSession, do: Do, source: NfsSource) -> None:
    assert do(MountNfs("repo", source)).ok
    assert nfs(session) == {"repo": source}
    assert do(UnmountNfs("repo", source.version)).ok
    assert nfs(session) == {}


def test_nfs_is_replaced(session: SdkSession, do: Do) -> None:
    assert do(MountNfs("repo", REPO)).ok
    new = NfsSource("10.0.0.9", "/other")
    assert do(RemountNfs("repo", REPO, new)).ok
    assert nfs(session) == {"repo": new}


def test_the_old_mount_comes_back_when_the_new_one_is_refused(session: SdkSession, do: Do) -> None:
    taken = NfsSource("10.0.0.9", "/other")
    assert do(MountNfs("repo", REPO)).ok
    assert do(MountNfs("second", taken)).ok
    assert not do(RemountNfs("repo", REPO, taken)).ok
    assert nfs(session) == {"repo": REPO, "second": taken}


def groups(session: SdkSession) -> dict[str, tuple[str, int]]:
    return {it.name: (it.vswitch, it.vlan) for it in look(session, NetworkState()).port_groups}


def test_port_groups_are_added_tagged_and_moved(session: SdkSession, do: Do) -> None:
    assert do(AddSwitch("vSwitch7")).ok
    assert "vSwitch7" in look(session, NetworkState()).vswitches
    before = groups(session)
    assert do(AddPortGroup("Private", "vSwitch0")).ok
    assert groups(session) == {**before, "Private": ("vSwitch0", 0)}
    assert do(SetVlan("Private", "vSwitch0", 20)).ok
    assert groups(session)["Private"] == ("vSwitch0", 20)
    assert do(MovePortGroup("Private", "vSwitch0", "vSwitch7", 20, 30)).ok
    assert groups(session) == {**before, "Private": ("vSwitch7", 30)}
    refused = do(MovePortGroup("Private", "vSwitch7", "none", 30, 30))
    assert not refused.ok
    assert "it is back on vSwitch7" in refused.said
    assert groups(session)["Private"] == ("vSwitch7", 30)


def test_a_folder_is_made_and_seen(session: SdkSession, do: Do) -> None:
    (local,) = look(session, Datastores())
    path = f"/vmfs/volumes/{local.name}/a b/c"
    assert look(session, Folder(path)) is Place.ABSENT
    assert do(MakeFolder(path)).ok
    assert look(session, Folder(path)) is Place.FOLDER


@pytest.mark.parametrize(
    "verb",
    [
        StartSsh(),
        SetSshPolicy(on=True),
        MountNfs("repo", REPO),
        AddSwitch("vSwitch7"),
        AddPortGroup("Private", "vSwitch0"),
    ],
    ids=lambda verb: type(verb).__name__,
)
def test_with_the_free_licence_nothing_is_done(esx: Govmomi, session: SdkSession, do: Do, verb: Verb) -> None:
    def state() -> list[Any]:
        return [look(session, SshState()), nfs(session), look(session, NetworkState())]

    before = state()
    esx.control(restricted=True)
    answer = do(verb)
    assert not answer.ok
    assert answer.said
    assert state() == before
