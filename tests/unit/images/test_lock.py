"""The lock of a volume, on a folder here and by a clock that only moves when it is told to."""

from __future__ import annotations

import os
import threading

import pytest

from reconciler.actuators.ssh.images import owner
from reconciler.actuators.ssh.images.lock import LockLost, LockTaken, Stopped, VolumeLock
from reconciler.actuators.ssh.images.owner import Clock
from reconciler.actuators.ssh.images.runner import Stumbled
from reconciler.transports.shell import quote
from tests.unit.images.locks import Time, Volume, ended_process, of

# -- having it -------------------------------------------------------------------------------------------------


def test_a_lock_that_nobody_has_is_taken_at_once_and_is_gone_afterwards(volume: Volume) -> None:
    with volume.held() as lock:
        assert volume.time.seconds == 1000
        assert volume.owners == [lock.token]
        assert not lock.waited
        lock.check()
        assert volume.ask(f"{lock.guard}echo ours").text == "ours\n"
    assert list(volume.folder.iterdir()) == []


def test_it_beats_every_five_seconds(volume: Volume) -> None:
    waits: list[float] = []

    def wait(event: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 3

    lock = VolumeLock(volume, str(volume.folder), "copy", Clock(wait=wait))
    lock.acquire(lambda: False)
    lock._thread.join()
    assert waits == [5, 5, 5, 5]
    assert [it.name for it in (volume.lock / f"owner-{lock.token}").glob("beat-*")] == ["beat-3"]
    lock.release()
    assert list(volume.folder.iterdir()) == []


def test_a_volume_that_can_not_be_written_is_named(volume: Volume) -> None:
    away = Volume(volume.folder / "away", volume.time)
    with pytest.raises(Stumbled, match="No such file or directory"):
        away.new().acquire(lambda: False)


def test_a_person_can_end_the_waiting(volume: Volume) -> None:
    other = volume.lay()
    volume.time.every(5, other.beat)
    with pytest.raises(Stopped):
        volume.new().acquire(lambda: volume.time.seconds > 1010)
    assert volume.owners == ["other"]


# -- somebody else has it --------------------------------------------------------------------------------------


def test_a_silent_lock_is_dead_after_twenty_seconds_and_not_before(volume: Volume) -> None:
    volume.lay(b"")
    lock = volume.new()
    assert 20 <= volume.waited(lock) <= 22
    assert lock.waited
    assert volume.owners == [lock.token]


def test_a_live_lock_is_waited_for_and_then_held_with_its_owners_name(volume: Volume) -> None:
    other = volume.lay(of(1, machine="of somebody else"))
    volume.time.every(5, other.beat)
    with pytest.raises(LockTaken) as taken:
        volume.waited()
    said = "jane@there has the volume's lock since 2026-03-01 08:00:00 UTC for: copy linux"
    assert str(taken.value) == said
    assert 60 <= volume.time.seconds - 1000 <= 66
    assert volume.owners == ["other"]


def test_a_live_lock_that_is_let_go_is_taken(volume: Volume) -> None:
    with volume.held() as first:
        volume.time.every(5, first.beat)
        volume.time.every(1e6, first.release, first=31)
        volume.time.every(1e6, volume.time.quiet, first=31.5)
        second = volume.new()
        assert 31 <= volume.waited(second) <= 34
    assert volume.owners == [second.token]


@pytest.mark.parametrize("seconds", [11.0, 17.0, 19.5])
def test_a_beat_that_comes_late_is_a_beat(volume: Volume, seconds: float) -> None:
    other = volume.lay()
    volume.time.every(seconds, other.beat)
    with pytest.raises(LockTaken):
        volume.waited()
    assert volume.owners == ["other"]


@pytest.mark.parametrize("last", [30.0, 45.0, 52.0, 55.0, 59.0])
def test_only_a_live_one_makes_it_hold(volume: Volume, last: float) -> None:
    """One that died a moment before our patience ended is waited for until it is known."""
    other = volume.lay()
    volume.time.every(5, other.beat)
    volume.time.every(1e6, volume.time.quiet, first=last - 0.5)
    assert last - 5 + 20 - 1 <= volume.waited() <= last + 20 + 2


def test_one_that_never_moved_before_our_eyes_is_not_held(volume: Volume) -> None:
    """Two seconds is what a look takes here: it is found dead however slow the host is."""
    volume.lay()
    volume.before = {"dd if=": lambda: volume.time.pause(70)}
    assert volume.waited() <= 70 + 22


@pytest.mark.parametrize("days", [-4000, 0, 4000])
def test_no_time_of_another_machine_counts(volume: Volume, days: int) -> None:
    """Its clock is years off: what it wrote and when its folders say that they were made tells nothing."""
    stamp = 1_700_000_000 + days * 86400
    other = volume.lay(b"since 1999-01-01 00:00:00 UTC\ndoing copy\n")

    def beat() -> None:
        other.beat()
        for path in (volume.lock, *volume.lock.rglob("*")):
            os.utime(path, (stamp, stamp))

    volume.time.every(5, beat)
    with pytest.raises(LockTaken):
        volume.waited()
    volume.time.quiet()
    assert 20 <= volume.waited() <= 22


# -- a lock without an owner -----------------------------------------------------------------------------------


def test_a_lock_without_an_owner_is_dead_after_twenty_seconds(volume: Volume) -> None:
    volume.lock.mkdir()
    lock = volume.new()
    assert 20 <= volume.waited(lock) <= 22
    lock.release()
    assert list(volume.folder.iterdir()) == []


def test_what_is_not_ours_in_a_lock_is_no_obstacle_and_stays(volume: Volume) -> None:
    (volume.lock / "a folder").mkdir(parents=True)
    with volume.held():
        assert len(volume.owners) == 1
    assert [it.name for it in volume.lock.iterdir()] == ["a folder"]


def test_something_that_is_no_folder_is_named_and_stays(volume: Volume) -> None:
    volume.lock.write_text("somebody's")
    with pytest.raises(Stumbled, match="File exists"):
        volume.waited()
    assert volume.lock.read_text() == "somebody's"


def test_who_comes_back_late_to_a_lock_that_was_empty_too_long_goes_again(volume: Volume) -> None:
    """It slept after it had made the lock: another one has moved in, and there are never two."""
    with volume.held() as second:
        late = f"owner-{'0' * 16}"
        third = volume.new()
        third.token = "0" * 16
        command = f"{{ mkdir {third._owner} && {third._settle}; }} || {third._undo}"
        assert volume.ask(command).status != 0
        assert not (volume.lock / late).exists()
        second.check()
        assert volume.owners == [second.token]


# -- two who find it dead --------------------------------------------------------------------------------------


def test_of_two_who_find_it_dead_one_takes_it(volume: Volume) -> None:
    pid, start = ended_process()
    volume.lay(of(pid, start))
    _second_comes_first(volume, "mv ")


def test_of_two_who_find_it_without_an_owner_one_takes_it(volume: Volume) -> None:
    volume.lock.mkdir()
    _second_comes_first(volume, "^{ mkdir ")


def _second_comes_first(volume: Volume, taking: str) -> None:
    """As the first one goes to take it, the second one has just done so."""
    first, second = volume.new(), volume.new()
    owner.OURS.update({first.token, second.token})

    def meanwhile() -> None:
        Volume(volume.folder, Time()).waited(second)
        volume.time.every(5, second.beat)

    volume.before = {taking: meanwhile}
    with pytest.raises(LockTaken):
        volume.waited(first)
    assert volume.owners == [second.token]
    second.check()
    assert volume.ask(f"{second.guard}true").status == 0
    owner.OURS.difference_update({first.token, second.token})


def test_a_holder_that_wakes_at_the_last_moment_keeps_it(volume: Volume) -> None:
    """Its beat comes after it was found dead, and before it is taken: only a beat as it was seen can be taken."""
    other = volume.lay()

    def wakes() -> None:
        other.beat()
        volume.time.every(5, other.beat)

    volume.before = {"mv ": wakes}
    with pytest.raises(LockTaken):
        volume.waited()
    assert volume.owners == ["other"]


# -- on a full disk --------------------------------------------------------------------------------------------


def test_a_full_disk_neither_stops_nor_hides_the_beats(volume: Volume) -> None:
    """And when there is room again they go on."""
    with volume.held() as lock:
        for volume.full in (False, True, True, False, True):
            volume.time.pause(5)
            before = sorted(it.name for it in volume.lock.rglob("beat-*"))
            assert lock.beat()
            assert sorted(it.name for it in volume.lock.rglob("beat-*")) != before
            lock.check()
        volume.full = False
    assert list(volume.folder.iterdir()) == []


def test_a_full_disk_is_named_and_nothing_is_left(volume: Volume) -> None:
    volume.full = True
    with pytest.raises(Stumbled, match="No space left on device"):
        volume.waited()
    assert list(volume.folder.iterdir()) == []


@pytest.mark.parametrize("foreign", [False, True])
def test_a_lock_without_an_owner_on_a_full_disk_is_no_endless_wait(volume: Volume, foreign: bool) -> None:
    volume.full = True
    (volume.lock / "a folder" if foreign else volume.lock).mkdir(parents=True)
    with pytest.raises(Stumbled, match="No space left on device"):
        volume.waited()


def test_a_dead_lock_on_a_volume_that_can_not_be_written_is_no_endless_wait(volume: Volume) -> None:
    volume.lay()
    volume.read_only = True
    with pytest.raises(Stumbled, match="Read-only file system"):
        volume.waited()
    assert volume.owners == ["other"]


def test_a_dead_lock_on_a_full_disk_is_cleared(volume: Volume) -> None:
    pid, start = ended_process()
    volume.lay(of(pid, start))
    volume.full = True
    with pytest.raises(Stumbled, match="No space left on device"):
        volume.waited()
    assert list(volume.folder.iterdir()) == []


# -- losing it -------------------------------------------------------------------------------------------------


def test_who_slept_and_lost_it_writes_nothing_more(volume: Volume) -> None:
    with volume.held() as first:
        second = volume.new()
        volume.waited(second)
        piece = volume.ask(f"{first.guard}echo damage > {quote(str(volume.folder / 'disk'))}")
        assert (piece.status, piece.said) == (97, "the lock on the volume was taken away by another run")
        with pytest.raises(LockLost, match="another run may have taken it"):
            first.check()
        assert not first.beat()
        assert second.beat()
    assert volume.owners == [second.token]
    assert [it.name for it in volume.folder.iterdir()] == [".reconciler-lock"]
    second.check()


def test_who_finds_its_beat_gone_does_not_beat_on(volume: Volume) -> None:
    with volume.held() as first:
        volume.waited(volume.new())
        first._beaten = volume.time.seconds
        first.check()
        assert not first.beat()
        with pytest.raises(LockLost, match="taken away by another run"):
            first.check()


def test_who_has_not_beaten_for_long_stops_before_it_can_be_taken_for_dead(volume: Volume) -> None:
    with volume.held() as lock:
        volume.time.pause(15)
        lock.check()
        volume.time.pause(0.5)
        with pytest.raises(LockLost):
            lock.check()
        assert lock.beat()
        lock.check()


def test_a_beat_counts_from_when_it_was_sent(volume: Volume) -> None:
    """Its answer took long to come: others have seen it when it was made."""
    with volume.held() as lock:
        volume.before = {"mv ": lambda: volume.time.pause(16)}
        assert lock.beat()
        with pytest.raises(LockLost):
            lock.check()
