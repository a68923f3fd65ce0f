"""What goes wrong with copies by CopyVirtualDisk, and what then stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reconciler.actuators.answer import Answer
from reconciler.actuators.ssh.images import owner
from reconciler.actuators.ssh.images.jobs import Job
from reconciler.faults import Unreachable
from reconciler.transports.sdk.answers import Passing
from tests.unit.actuators.fake_sdk import fault
from tests.unit.actuators.test_sdk_clone import JOB, ROOM, WHOLE, do, on, volumes


def refusing(method: str, problem: Exception, times: int = 1) -> Callable[[str, Mapping[str, Any]], None]:
    left = [times]

    def before(called: str, arguments: Mapping[str, Any]) -> None:
        if called == method and left[0]:
            left[0] -= 1
            raise problem

    return before


def test_a_volume_that_fills_up_keeps_no_remains() -> None:
    fake = volumes()

    def full() -> None:
        raise fault("NoDiskSpace", "Insufficient disk space on datastore 'ds'.")

    fake.after_copy = full
    answer = do(fake)
    assert (answer.filled, answer.said) == ("/vmfs/volumes/ds", "Insufficient disk space on datastore 'ds'.")
    assert on(fake) == set()


def test_a_refused_copy_keeps_no_remains() -> None:
    fake = volumes()
    fake.before = refusing("CopyVirtualDisk_Task", fault("FileFault", "no"))
    assert do(fake) == Answer(False, "no")
    assert on(fake) == set()


def test_a_person_ends_it_and_nothing_stays() -> None:
    fake = volumes()
    fake.polls = 5
    answer = do(fake, stopping=lambda: "CopyVirtualDisk_Task" in fake.calls)
    assert answer == Answer(False, "the copy was ended; the next run begins anew", cut=True)
    assert "CancelTask" in fake.calls
    assert on(fake) == set()
    assert do(volumes(), stopping=lambda: True).said == "it was not begun"


def test_a_cut_link_heals_with_the_next_run() -> None:
    fake = volumes()
    fake.polls = 1
    fake.before = refusing("poll", Unreachable("cut", next=""))
    with pytest.raises(Unreachable):
        do(fake)
    assert do(fake).ok
    assert on(fake) == WHOLE


def test_hostd_that_is_away_for_a_moment_is_no_end() -> None:
    fake = volumes()
    fake.polls = 1
    fake.before = refusing("poll", Passing("HTTP 503", "away"))
    assert do(fake).ok


@pytest.mark.parametrize(("kind", "held"), [("clone", True), ("send", True), ("sdkclone", False)])
def test_half_a_copy_of_ssh_is_left_to_it(kind: str, *, held: bool) -> None:
    fake = volumes()
    text = Job(ROOM, "img").text(kind, "source").encode()
    fake.tree |= {("ds", JOB): None, ("ds", f"{JOB}/job"): text, ("ds", f"{JOB}/x"): b""}
    answer = do(fake)
    assert (answer.held, answer.ok) == (held, not held)
    assert (("ds", f"{JOB}/x") in fake.tree) is held


def test_a_job_that_somebody_makes_at_the_same_time_is_not_ours() -> None:
    fake = volumes()

    def before(called: str, arguments: Mapping[str, Any]) -> None:
        if called == "MakeDirectory" and arguments["name"].endswith(JOB):
            fake.tree[("ds", JOB)] = None

    fake.before = before
    assert "something is there" in do(fake).said


def test_a_copy_that_vanishes_at_the_end_is_said() -> None:
    fake = volumes()

    def before(called: str, arguments: Mapping[str, Any]) -> None:
        if called == "MoveDatastoreFile_Task" and arguments["destinationName"].endswith("/img"):
            raise fault("FileNotFound")

    fake.before = before
    assert do(fake).said == "the copy is gone before it got its name"


def test_somebody_else_who_has_the_volume_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "PACE", owner.Pace(patience=0.0))
    fake, beats = volumes(), iter(range(100))

    def before(called: str, arguments: Mapping[str, Any]) -> None:
        at = ".reconciler-lock/owner-1234"
        for place in [it for it in fake.tree if "/beat-" in it[1]]:
            del fake.tree[place]
        fake.tree |= {
            ("ds", ".reconciler-lock"): None,
            ("ds", at): None,
            ("ds", f"{at}/beat-{next(beats)}"): None,
        }

    fake.before = before
    answer = do(fake)
    assert answer.held
    assert "has the volume's lock" in answer.said


def test_a_copy_that_is_still_written_is_waited_for() -> None:
    fake = volumes()
    text = Job(ROOM, "img").text("sdkclone", "source").encode()
    fake.tree |= {("ds", JOB): None, ("ds", f"{JOB}/job"): text}
    fake.before = refusing("DeleteDatastoreFile_Task", fault("FileLocked", "locked"))
    answer = do(fake)
    assert answer.held
    assert answer.said.endswith("locked")


def test_remains_that_can_not_be_removed_hide_no_reason() -> None:
    fake = volumes()

    def before(called: str, arguments: Mapping[str, Any]) -> None:
        if called == "CopyVirtualDisk_Task":
            raise fault("FileFault", "the reason")
        if called == "DeleteDatastoreFile_Task" and arguments["name"].endswith(JOB):
            raise fault("FileLocked")

    fake.before = before
    assert do(fake).said == "the reason"


def test_what_stands_there_meanwhile_is_not_written_over() -> None:
    fake = volumes()
    fake.after_copy = lambda: fake.tree.update({("ds", "vms"): None, ("ds", "vms/img"): None})
    assert do(fake).said == "something stands there now"
    assert do(fake).passing, "somebody made it: a look tells what it is worth"


def test_a_lock_that_was_taken_away_ends_it() -> None:
    fake = volumes()

    def taken() -> None:
        for place in [it for it in fake.tree if "owner-" in it[1]]:
            del fake.tree[place]

    fake.after_copy = taken
    answer = do(fake)
    assert (answer.ok, answer.lost) == (False, True)
    assert ("ds", "vms/img") not in fake.tree


def test_a_failure_without_the_lock_is_the_loss_of_the_lock() -> None:
    fake = volumes()

    def taken() -> None:
        for place in [it for it in fake.tree if "owner-" in it[1]]:
            del fake.tree[place]
        raise fault("FileFault")

    fake.after_copy = taken
    assert do(fake).lost


def test_places_that_are_not_there() -> None:
    fake = volumes()
    fake.names = ("ds",)
    assert do(fake) == Answer(False, "the host has no datastore 'id-repo'")
    fake = volumes()
    del fake.tree[("repo", "lib/img/img-flat.vmdk")]
    assert do(fake).said == "[repo] lib/img/img-flat.vmdk is not there any more"
