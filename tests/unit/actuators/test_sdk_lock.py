"""The volume's lock over the SDK: the same folders as over SSH, one owner, and a beat that shows that it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.actuators.sdk.images.files import VolumeFiles
from reconciler.actuators.sdk.images.lock import VolumeLock, volume_lock
from reconciler.actuators.sdk.session import Stumbled
from reconciler.actuators.sdk.volumes import Volume
from reconciler.actuators.ssh.images.lock import LockLost, LockTaken, Stopped
from reconciler.actuators.ssh.images.owner import OURS, Clock, introduction
from reconciler.faults import Unreachable
from reconciler.transports.sdk.answers import Passing
from tests.unit.actuators.fake_sdk import datastore, fault
from tests.unit.actuators.fake_volume import Volumes

FOLDER = ".reconciler-lock"


@dataclass
class Time:
    """Each pause takes its time, and then somebody else may do something."""

    now: float = 100.0
    others: list[Any] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        self.now += seconds
        if self.others:
            self.others.pop(0)()

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.pause)


def lock_on(fake: Volumes, time: Time) -> VolumeLock:
    return VolumeLock(VolumeFiles(fake, Volume(datastore("ds"), "ds", "", None)), "a copy", time.clock)


def paths(fake: Volumes) -> set[str]:
    return {path for _, path in fake.tree}


def other(fake: Volumes, beat: int = 0, who: bytes = b"who somebody\nsince noon\ndoing a copy\n") -> None:
    for path in [it for it in fake.tree if "/beat-" in it[1]]:
        del fake.tree[path]
    owner = f"{FOLDER}/owner-1234"
    fake.tree |= {("ds", FOLDER): None, ("ds", owner): None, ("ds", f"{owner}/beat-{beat}"): None}
    fake.tree[("ds", f"{owner}/who")] = who


def test_it_is_taken_and_let_go() -> None:
    fake, time = Volumes(), Time()
    lock = lock_on(fake, time)
    lock.acquire(lambda: False)
    owner = f"{FOLDER}/owner-{lock.token}"
    assert paths(fake) == {FOLDER, owner, f"{owner}/who", f"{owner}/beat-0"}
    assert lock.holds()
    lock.release()
    assert fake.tree == {}
    assert not lock.waited


def test_it_beats_when_it_is_time() -> None:
    fake, time = Volumes(), Time()
    lock = lock_on(fake, time)
    lock.acquire(lambda: False)
    lock.keep()
    assert any(path.endswith("/beat-0") for path in paths(fake))
    time.now += 5
    lock.keep()
    assert any(path.endswith("/beat-1") for path in paths(fake))


def test_a_beat_that_is_gone_is_the_loss_of_the_lock() -> None:
    fake, time = Volumes(), Time()
    lock = lock_on(fake, time)
    lock.acquire(lambda: False)
    fake.tree.clear()
    time.now += 5
    with pytest.raises(LockLost):
        lock.keep()
    with pytest.raises(LockLost):
        lock.keep()
    assert not lock.holds()


def test_a_host_that_is_away_too_long_is_the_loss_of_the_lock() -> None:
    fake, time = Volumes(), Time()
    lock = lock_on(fake, time)
    lock.acquire(lambda: False)

    def away(method: str, arguments: Mapping[str, Any]) -> None:
        raise Passing("HTTP 503", "away")

    fake.before = away
    time.now += 14
    lock.keep()
    time.now += 2
    with pytest.raises(LockLost):
        lock.keep()
    assert lock.holds(), "what can't be seen counts as ours"
    lock.release()


def test_who_is_alive_keeps_it() -> None:
    fake = Volumes()
    other(fake)
    time = Time(others=[lambda at=at: other(fake, at) for at in range(1, 40)])
    with pytest.raises(LockTaken, match="somebody has the volume's lock since noon for: a copy"):
        lock_on(fake, time).acquire(lambda: False)


def test_who_is_dead_is_taken_over() -> None:
    fake, time = Volumes(), Time()
    other(fake, 7)
    lock = lock_on(fake, time)
    lock.acquire(lambda: False)
    assert lock.waited
    assert time.now >= 120
    owner = f"{FOLDER}/owner-{lock.token}"
    assert paths(fake) == {FOLDER, owner, f"{owner}/who", f"{owner}/beat-0"}


def test_an_own_lock_that_a_cut_link_left_is_taken_over_at_once() -> None:
    fake, time = Volumes(), Time()
    other(fake, 7, introduction("before").encode())
    lock_on(fake, time).acquire(lambda: False)
    assert time.now < 110


def test_a_lock_without_an_owner_is_taken_over() -> None:
    fake, time = Volumes(), Time()
    fake.tree[("ds", FOLDER)] = None
    lock_on(fake, time).acquire(lambda: False)
    assert time.now >= 120


def test_who_wakes_up_while_it_is_taken_over_keeps_it() -> None:
    """It beats between the look that found it dead and the removal of that beat, and from then on."""
    fake, time, beats = Volumes(), Time(), iter(range(1, 100))
    other(fake)

    def before(method: str, arguments: Mapping[str, Any]) -> None:
        if method == "DeleteDatastoreFile_Task":
            other(fake, next(beats))
            time.others = [lambda: other(fake, next(beats))] * 90

    fake.before = before
    with pytest.raises(LockTaken):
        lock_on(fake, time).acquire(lambda: False)
    assert "MoveDatastoreFile_Task" not in fake.calls


def test_a_dead_owner_that_can_not_be_removed_is_said() -> None:
    fake, time = Volumes(), Time()
    other(fake)

    def before(method: str, arguments: Mapping[str, Any]) -> None:
        if method == "MoveDatastoreFile_Task":
            other(fake)
            raise fault("FileNotFound")

    fake.before = before
    with pytest.raises(Stumbled, match="can't be taken over"):
        lock_on(fake, time).acquire(lambda: False)


def test_two_that_come_in_together_both_go() -> None:
    fake, time = Volumes(), Time()

    def second(method: str, arguments: Mapping[str, Any]) -> None:
        if method == "SearchDatastore_Task":
            fake.tree[("ds", f"{FOLDER}/owner-0000")] = None

    fake.before = second
    lock = lock_on(fake, time)
    with pytest.raises(Stopped):
        lock.acquire(lambda: "DeleteDatastoreFile_Task" in fake.calls)
    assert paths(fake) == {FOLDER, f"{FOLDER}/owner-0000"}


def test_a_full_disk_takes_no_name_but_the_lock() -> None:
    fake, time = Volumes(), Time()

    def full(method: str, arguments: Mapping[str, Any]) -> None:
        if method == "PUT":
            raise Passing("HTTP 503", "full")

    fake.before = full
    lock = lock_on(fake, time)
    lock.acquire(lambda: False)
    assert lock.holds()


def test_a_beat_that_can_not_be_made_leaves_no_owner() -> None:
    fake, time = Volumes(), Time()

    def before(method: str, arguments: Mapping[str, Any]) -> None:
        if method == "MakeDirectory" and arguments["name"].endswith("beat-0"):
            raise fault("NoDiskSpace")

    fake.before = before
    with pytest.raises(Exception, match="NoDiskSpace"):
        lock_on(fake, time).acquire(lambda: False)
    assert paths(fake) == {FOLDER}


def test_a_beat_that_stands_there_already_is_no_lock() -> None:
    fake, time = Volumes(), Time()

    def before(method: str, arguments: Mapping[str, Any]) -> None:
        if method == "PUT":
            owner = next(path for path in paths(fake) if "owner-" in path)
            fake.tree[("ds", f"{owner}/beat-0")] = None

    fake.before = before
    with pytest.raises(Stopped):
        lock_on(fake, time).acquire(lambda: "DeleteDatastoreFile_Task" in fake.calls)


def test_who_comes_in_while_it_is_let_go_is_not_removed() -> None:
    fake, time = Volumes(), Time()
    lock = lock_on(fake, time)
    lock.acquire(lambda: False)

    def before(method: str, arguments: Mapping[str, Any]) -> None:
        if method == "MoveDatastoreFile_Task" and arguments["sourceName"] == f"[ds] {FOLDER}":
            fake.tree[("ds", f"{FOLDER}/owner-1234")] = None

    fake.before = before
    lock.release()
    assert paths(fake) == {FOLDER, f"{FOLDER}/owner-1234"}


def test_somebody_else_in_the_lock_keeps_its_folder() -> None:
    fake, time = Volumes(), Time()
    lock = lock_on(fake, time)
    lock.acquire(lambda: False)
    fake.tree[("ds", f"{FOLDER}/owner-1234")] = None
    lock.release()
    assert paths(fake) == {FOLDER, f"{FOLDER}/owner-1234"}


def test_letting_go_never_fails() -> None:
    fake, time = Volumes(), Time()
    files = VolumeFiles(fake, Volume(datastore("ds"), "ds", "", None))

    def cut(method: str, arguments: Mapping[str, Any]) -> None:
        raise Unreachable("cut", next="")

    with volume_lock(files, "a copy", lambda: False, time.clock) as lock:
        assert lock.token in OURS
        fake.before = cut
    assert lock.token not in OURS
