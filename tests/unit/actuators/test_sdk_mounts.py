"""NFS mounts over the SDK, and changes of two calls that are cut between them."""

from __future__ import annotations

import pytest

from reconciler.actuators.answer import Answer
from reconciler.actuators.sdk.halves import PAUSES
from reconciler.facts import NfsSource
from reconciler.faults import LoginRefused, Unreachable
from reconciler.transports.sdk.answers import Passing
from reconciler.verbs import MountNfs, RemountNfs, UnmountNfs
from tests.unit.actuators.fake_sdk import FakeSession, datastore, fault, nas

OLD, NEW = NfsSource("10.0.0.1", "/old"), NfsSource("10.0.0.2", "/new")
VERB = RemountNfs("repo", OLD, NEW)
AWAY, CUT = Passing("HTTP 503", "Service Unavailable"), Unreachable("a: the link was cut", next="later")


def mounted(**faults: list[Exception | None]) -> FakeSession:
    return FakeSession(
        datastores=[datastore("local"), datastore("repo", nas=nas("10.0.0.1", "/old"))], faults=faults
    )


def where(session: FakeSession) -> dict[str, str]:
    return {
        it.summary.name: f"{it.info.nas.remoteHost}:{it.info.nas.remotePath}"
        for it in session.datastores
        if hasattr(it.info, "nas")
    }


def test_nfs_3_is_mounted() -> None:
    session = FakeSession()
    assert session.hands().do(MountNfs("ds", NfsSource("A", "/x y", "3", True))) == Answer(True)
    (found,) = session.datastores
    assert found.host[0].mountInfo.accessMode == "readOnly"
    made = found.info.nas
    assert (made.remoteHost, made.remotePath, made.type) == ("A", "/x y", "NFS")
    assert (made.remoteHostNames, made.securityType) == ([], None)


def test_nfs_41_is_mounted_from_all_its_servers() -> None:
    session = FakeSession()
    assert session.hands().do(MountNfs("ds", NfsSource("a,b", "/x", "4.1"))) == Answer(True)
    assert session.datastores[0].info.nas.remoteHostNames == ["a", "b"]
    assert session.datastores[0].info.nas.remoteHost == "a"
    assert session.datastores[0].info.nas.type == "NFS41"


def test_a_refused_mount_is_said_with_the_words_of_the_host() -> None:
    found = mounted().hands().do(MountNfs("repo", NEW))
    assert found == Answer(False, "DuplicateName.")


def test_only_the_mount_that_was_meant_is_unmounted() -> None:
    session = mounted()
    hands = session.hands()
    assert not hands.do(UnmountNfs("local", "3")).ok, "RemoveDatastore would destroy it"
    assert not hands.do(UnmountNfs("repo", "4.1")).ok
    assert session.calls == []
    assert hands.do(UnmountNfs("repo", "3")) == Answer(True)
    assert hands.do(UnmountNfs("repo", "3")) == Answer(True), "it is gone already"
    assert session.calls == ["RemoveDatastore"]


def test_cifs_is_no_mount_of_ours() -> None:
    session = FakeSession(datastores=[datastore("repo", nas=nas("a", "/b", type="CIFS"))])
    assert not session.hands().do(UnmountNfs("repo", "3")).ok
    assert session.calls == []


def test_a_mount_in_use_is_refused_with_the_words_of_the_host() -> None:
    session = mounted(RemoveDatastore=[fault("ResourceInUse", "The resource 'repo' is in use.")])
    assert session.hands().do(UnmountNfs("repo", "3")) == Answer(False, "The resource 'repo' is in use.")


def test_a_mount_is_replaced() -> None:
    session = mounted()
    assert session.hands().do(VERB) == Answer(True)
    assert where(session) == {"repo": "10.0.0.2:/new"}
    assert session.calls == ["RemoveDatastore", "CreateNasDatastore"]


@pytest.mark.parametrize("name", ["local", "gone", "repo"])
def test_what_is_not_the_old_mount_is_left_alone(name: str) -> None:
    session = mounted()
    assert not session.hands().do(RemountNfs(name, NfsSource("x", "/old"), NEW)).ok
    assert session.calls == []


def test_a_refused_mount_brings_the_old_one_back() -> None:
    session = mounted(CreateNasDatastore=[fault("HostConfigFault", "no such export")])
    found = session.hands().do(VERB)
    assert found == Answer(False, "no such export; 10.0.0.1:/old is mounted again")
    assert where(session) == {"repo": "10.0.0.1:/old"}
    assert session.pauses == []


def test_the_old_mount_comes_back_as_it_was_read() -> None:
    """The plan may not have known whether it was read-only, and says nothing of its security."""
    old = nas("a", "/old", "NFS41", remoteHostNames=["a", "b"], securityType="SEC_KRB5")
    session = FakeSession(
        datastores=[datastore("repo", nas=old, mode="readOnly")],
        faults={"CreateNasDatastore": [fault("HostConfigFault")]},
    )
    assert not session.hands().do(RemountNfs("repo", NfsSource("a,b", "/old", "4.1"), NEW)).ok
    (back,) = session.datastores
    assert back.host[0].mountInfo.accessMode == "readOnly"
    assert (back.info.nas.remoteHostNames, back.info.nas.securityType) == (["a", "b"], "SEC_KRB5")


def test_an_old_mount_that_can_not_come_back_is_said() -> None:
    session = mounted(CreateNasDatastore=[fault("HostConfigFault", "no"), fault("HostConfigFault", "never")])
    found = session.hands().do(VERB)
    assert found.said == "no; and 10.0.0.1:/old could not be mounted again: never"


@pytest.mark.parametrize("gone", [AWAY, CUT])
def test_a_cut_between_both_calls_does_not_leave_the_second_one_out(gone: Exception) -> None:
    session = mounted(CreateNasDatastore=[gone], read=[None, None, gone])
    assert session.hands().do(VERB) == Answer(True)
    assert where(session) == {"repo": "10.0.0.2:/new"}
    assert session.pauses == [1.0, 2.0]


@pytest.mark.parametrize("gone", [AWAY, CUT])
def test_a_call_whose_answer_was_lost_is_not_made_twice(gone: Exception) -> None:
    session = mounted()
    session.late = {"CreateNasDatastore": [gone]}
    assert session.hands().do(VERB) == Answer(True)
    assert session.calls == ["RemoveDatastore", "CreateNasDatastore"]


def test_a_host_that_stays_away_is_said_with_what_is_half_done() -> None:
    session = mounted(CreateNasDatastore=[CUT] * 7)
    with pytest.raises(Unreachable, match="the link was cut; repo was unmounted, and is not known") as raised:
        session.hands().do(VERB)
    assert raised.value.next == "later"
    assert session.pauses == list(PAUSES)


def test_a_host_that_comes_back_at_the_very_end_is_served() -> None:
    session = mounted(CreateNasDatastore=[CUT] * 6)
    assert session.hands().do(VERB) == Answer(True)
    assert session.calls.count("CreateNasDatastore") == 7


def test_a_login_that_is_refused_meanwhile_is_said_with_what_is_half_done() -> None:
    session = mounted(CreateNasDatastore=[LoginRefused("no", next="mend it")])
    with pytest.raises(LoginRefused, match="repo was unmounted"):
        session.hands().do(VERB)
    assert session.pauses == []


def test_a_link_that_is_cut_on_the_way_back_is_said() -> None:
    session = mounted(CreateNasDatastore=[fault("HostConfigFault"), LoginRefused("no", next="mend it")])
    with pytest.raises(LoginRefused, match="is not known to be mounted again"):
        session.hands().do(VERB)


def test_hostd_that_stays_away_is_no_passing_answer_any_more() -> None:
    session = mounted(CreateNasDatastore=[AWAY] * 14)
    found = session.hands().do(VERB)
    assert (found.ok, found.passing) == (False, False)
    assert "could not be mounted again" in found.said


def test_a_first_call_that_is_cut_leaves_all_as_it_was() -> None:
    session = mounted(RemoveDatastore=[AWAY])
    assert session.hands().do(VERB) == Answer(False, "Service Unavailable", passing=True)
    assert where(session) == {"repo": "10.0.0.1:/old"}
