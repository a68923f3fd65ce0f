"""Standard switches and port groups over the SDK."""

from __future__ import annotations

import pytest

from reconciler.actuators.answer import Answer
from reconciler.faults import LoginRefused, Unreachable
from reconciler.transports.sdk.answers import Passing
from reconciler.verbs import AddPortGroup, AddSwitch, MovePortGroup, SetVlan
from tests.unit.actuators.fake_sdk import FakeSession, fault, group

MOVE = MovePortGroup("P", "vSwitch0", "vSwitch1", 7, 9)
AWAY, CUT = Passing("HTTP 503", "Service Unavailable"), Unreachable("a: the link was cut", next="later")


def session(**faults: list[Exception | None]) -> FakeSession:
    return FakeSession(groups=[group("Other", "vSwitch0", 3), group("P", "vSwitch0", 7)], faults=faults)


def at(fake: FakeSession) -> tuple[str, int, object]:
    (found,) = (it.spec for it in fake.groups if it.spec.name == "P")
    security = found.policy.security
    return found.vswitchName, found.vlanId, security and "its policy" * security.forgedTransmits


def test_a_switch_and_a_group_are_added() -> None:
    fake = FakeSession()
    assert fake.hands().do(AddSwitch("vSwitch7")) == Answer(True)
    assert fake.hands().do(AddPortGroup("P", "vSwitch7")) == Answer(True)
    assert at(fake) == ("vSwitch7", 0, None)
    assert fake.hands().do(AddPortGroup("P", "vSwitch7")) == Answer(False, "AlreadyExists.")


def test_a_vlan_changes_alone() -> None:
    fake = session()
    assert fake.hands().do(SetVlan("P", "vSwitch0", 12)) == Answer(True)
    assert at(fake) == ("vSwitch0", 12, "its policy")
    assert fake.hands().do(SetVlan("P", "vSwitch0", 12)) == Answer(True)
    assert fake.calls == ["UpdatePortGroup"], "what is so already is not written"


@pytest.mark.parametrize(
    "verb",
    [
        SetVlan("P", "vSwitch1", 1),
        SetVlan("Q", "vSwitch0", 1),
        MovePortGroup("P", "vSwitch1", "x", 1, 2),
        MovePortGroup("Q", "vSwitch0", "x", 1, 2),
    ],
)
def test_a_group_that_is_elsewhere_by_now_is_left_alone(verb: SetVlan | MovePortGroup) -> None:
    fake = session()
    found = fake.hands().do(verb)
    assert "is not on" in found.said
    assert fake.calls == []


def test_no_group_at_all() -> None:
    fake = FakeSession()
    fake.groups = None  # type: ignore[assignment]
    assert not fake.hands().do(SetVlan("P", "vSwitch0", 1)).ok


def test_a_network_that_can_not_be_seen_is_not_changed() -> None:
    fake = session()
    fake.hidden = {"config.network"}
    assert fake.hands().do(MOVE) == Answer(False, "the host does not show config.network: no right to see it")


def test_a_group_moves_with_its_policy() -> None:
    fake = session()
    assert fake.hands().do(MOVE) == Answer(True)
    assert at(fake) == ("vSwitch1", 9, "its policy")
    assert fake.calls == ["RemovePortGroup", "AddPortGroup"]


def test_a_refused_move_brings_it_back() -> None:
    fake = session(AddPortGroup=[fault("NotFound", "no such switch")])
    assert fake.hands().do(MOVE) == Answer(False, "no such switch; it is back on vSwitch0")
    assert at(fake) == ("vSwitch0", 7, "its policy")


def test_a_group_in_use_is_not_taken_away() -> None:
    fake = session(RemovePortGroup=[fault("ResourceInUse", "in use")])
    assert fake.hands().do(MOVE) == Answer(False, "in use")
    assert at(fake) == ("vSwitch0", 7, "its policy")


def test_a_group_that_can_not_come_back_is_said() -> None:
    fake = session(AddPortGroup=[fault("NotFound", "no"), fault("NotFound", "never")])
    said = fake.hands().do(MOVE).said
    assert said == "no; and it could not be put back on vSwitch0 with VLAN 7: never"


@pytest.mark.parametrize("gone", [AWAY, CUT])
@pytest.mark.parametrize("late", [False, True])
def test_a_cut_between_both_calls_heals(gone: Exception, *, late: bool) -> None:
    fake = session()
    (fake.late if late else fake.faults)["AddPortGroup"] = [gone]
    assert fake.hands().do(MOVE) == Answer(True)
    assert at(fake) == ("vSwitch1", 9, "its policy")
    assert fake.calls.count("AddPortGroup") == (1 if late else 2)
    assert fake.pauses == [1.0]


def test_a_host_that_stays_away_is_said_with_its_vlan() -> None:
    with pytest.raises(
        Unreachable, match=r"port group P \(VLAN 7\) was taken from vSwitch0, and is not known"
    ):
        session(AddPortGroup=[CUT] * 7).hands().do(MOVE)
    with pytest.raises(LoginRefused, match=r"VLAN 7"):
        session(AddPortGroup=[fault("NotFound"), LoginRefused("no", next="")]).hands().do(MOVE)
