"""Root's keys over HTTPS: only what is missing is added, everyone else's bytes stay, only another look counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.actuators.answer import Answer
from reconciler.faults import Unreachable
from reconciler.verbs import AppendKeys, RewriteKeys
from tests.unit.actuators.fake_sdk import FakeSession

PATH = "/etc/ssh/keys-root/authorized_keys"
ONE = b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDa one"
TWO = b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDb two"
BOTH = AppendKeys(PATH, (ONE, TWO))


def lines(*keys: bytes) -> bytes:
    return b"".join(key + b"\n" for key in keys)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", lines(ONE, TWO)),
        (b"# a note, unfinished", b"# a note, unfinished\n" + lines(ONE, TWO)),
        (b"\xff\r\n\n", b"\xff\r\n\n" + lines(ONE, TWO)),
        (lines(TWO), lines(TWO, ONE)),
        (TWO.replace(b"two", b"of somebody"), TWO.replace(b"two", b"of somebody") + b"\n" + lines(ONE)),
        (b"no-pty " + TWO + b"\n", b"no-pty " + TWO + b"\n" + lines(ONE, TWO)),
    ],
)
def test_only_what_is_missing_is_added(before: bytes, after: bytes) -> None:
    session = FakeSession(keys=before)
    assert session.hands().do(BOTH) == Answer(True)
    assert session.keys == after
    assert session.https_calls == ["GET", "PUT", "GET"]


def test_nothing_is_written_when_nothing_is_missing() -> None:
    session = FakeSession(keys=lines(TWO, ONE))
    assert session.hands().do(BOTH) == Answer(True)
    assert session.https_calls == ["GET"]


def test_a_line_that_is_no_key_is_compared_as_it_stands() -> None:
    session = FakeSession(keys=b"what\r\n")
    assert session.hands().do(AppendKeys(PATH, (b"what", b"ever"))) == Answer(True)
    assert session.keys == b"what\r\never\n"


def test_a_file_that_is_not_there_is_made_only_when_the_plan_saw_none() -> None:
    session = FakeSession()
    assert session.hands().do(BOTH) == Answer(False, "the file is gone since it was looked at")
    assert session.hands().do(AppendKeys(PATH, (ONE,), create=True)) == Answer(True)
    assert session.keys == lines(ONE)


@given(before=st.binary(max_size=60), more=st.lists(st.sampled_from([ONE, TWO]), unique=True, min_size=1))
def test_the_bytes_of_others_stay(before: bytes, more: list[bytes]) -> None:
    session = FakeSession(keys=before)
    assert session.hands().do(AppendKeys(PATH, tuple(more))).ok
    assert session.keys is not None
    assert session.keys.startswith(before)
    rest = session.keys[len(before) :]
    assert rest.removeprefix(b"\n") == lines(*more)
    assert session.hands().do(AppendKeys(PATH, tuple(more))).ok
    assert session.keys == before + rest, "the second time nothing is missing"


def test_what_somebody_adds_behind_it_meanwhile_is_no_harm() -> None:
    session = FakeSession(keys=b"", puts=[lambda text: (text + TWO, 200)])
    assert session.hands().do(AppendKeys(PATH, (ONE,))) == Answer(True)


def test_what_somebody_writes_over_it_meanwhile_is_said() -> None:
    session = FakeSession(keys=b"x\n", puts=[lambda text: (b"another", 200)])
    assert "somebody else" in session.hands().do(BOTH).said
    assert session.https_calls == ["GET", "PUT", "GET"]


def test_a_refused_put_is_said_with_the_right_that_is_missing() -> None:
    session = FakeSession(keys=b"x\n", puts=[lambda text: (b"x\n", 403)])
    found = session.hands().do(BOTH)
    assert (found.ok, found.passing) == (False, False)
    assert found.said == "403 Refused"
    assert "Host.Config.AdvancedConfig" in found.next


def test_a_put_that_had_its_effect_counts_whatever_its_status() -> None:
    session = FakeSession(keys=b"x\n", puts=[lambda text: (text, 500)])
    assert session.hands().do(BOTH) == Answer(True)


def test_a_put_without_effect_is_no_success() -> None:
    session = FakeSession(keys=b"x\n", puts=[lambda text: (b"x\n", 200)])
    assert session.hands().do(BOTH) == Answer(False, "the host took the file, but shows the old one")


def test_hostd_that_is_away_is_asked_again_later() -> None:
    session = FakeSession(keys=b"x\n", puts=[lambda text: (b"x\n", 503)])
    assert session.hands().do(BOTH).passing
    found = FakeSession(keys=b"x\n", gets=[503]).hands().do(BOTH)
    assert (found.ok, found.passing) == (False, True)


def test_a_file_that_can_not_be_read_is_not_written() -> None:
    session = FakeSession(keys=b"x\n", gets=[401])
    found = session.hands().do(BOTH)
    assert (found.ok, found.said) == (False, "401 Refused")
    assert session.https_calls == ["GET"]
    said = FakeSession(keys=b"", gets=[500]).hands().do(BOTH).said
    assert said == "GET /host/ssh_root_authorized_keys was answered with 500 Reason"


@pytest.mark.parametrize(("status", "said"), [(200, "the file on the host is torn"), (500, "500")])
def test_a_torn_file_is_put_back(status: int, said: str) -> None:
    session = FakeSession(keys=lines(TWO), puts=[lambda text: (text[:9], status)])
    found = session.hands().do(BOTH)
    assert not found.ok
    assert said in found.said
    assert found.said.endswith("the old file is back")
    assert session.keys == lines(TWO)


def test_a_torn_file_that_can_not_be_put_back_is_said() -> None:
    tear = [lambda text: (text[:9], 500), lambda text: (b"", 500)]
    assert FakeSession(keys=lines(TWO), puts=tear).hands().do(BOTH).said.endswith("could not be put back")


def test_keys_are_removed_only_from_the_file_that_was_looked_at() -> None:
    verb = RewriteKeys(PATH, lines(ONE, TWO), lines(TWO), 1)
    session = FakeSession(keys=lines(ONE, TWO))
    assert session.hands().do(verb) == Answer(True)
    assert session.keys == lines(TWO)
    assert session.hands().do(verb) == Answer(True), "it is so already"
    changed = FakeSession(keys=lines(ONE, TWO) + b"more")
    assert changed.hands().do(verb) == Answer(False, "the file has changed since it was looked at")
    assert "PUT" not in changed.https_calls
    assert not FakeSession().hands().do(verb).ok


def test_a_file_that_kept_its_keys_is_not_rewritten() -> None:
    """The new text is the beginning of the old one, so that both could be taken for it."""
    verb = RewriteKeys(PATH, lines(ONE, TWO), lines(ONE), 1)
    session = FakeSession(keys=lines(ONE, TWO), puts=[lambda text: (lines(ONE, TWO), 200)])
    assert not session.hands().do(verb).ok


@pytest.mark.parametrize("at", ["before", "after"])
def test_a_link_cut_at_the_put_heals_with_the_next_try(at: str) -> None:
    session = FakeSession(keys=lines(TWO))
    cut = Unreachable("cut", next="")
    session.faults = {"PUT": [cut]} if at == "before" else {"GET": [None, cut]}
    with pytest.raises(Unreachable):
        session.hands().do(BOTH)
    assert session.hands().do(BOTH) == Answer(True)
    assert session.keys == lines(TWO, ONE)
    assert session.https_calls.count("PUT") == (2 if at == "before" else 1)
