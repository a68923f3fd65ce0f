"""Whether the owner of a lock is still there, as far as it can be told from what it says of itself."""

from __future__ import annotations

import os

import pytest

from reconciler.actuators.ssh.images import owner
from reconciler.actuators.ssh.images.lock import LockTaken
from reconciler.actuators.ssh.images.owner import LIST, Owner, introduction, owner_in
from reconciler.transports.shell import quote
from tests.unit.images.locks import Volume, ended_process, of, running, zombie

# -- dead at once ----------------------------------------------------------------------------------------------


def test_one_of_a_process_of_this_machine_that_is_gone_is_dead_at_once(volume: Volume) -> None:
    pid, start = ended_process()
    volume.lay(of(pid, start))
    assert volume.waited() == 0


def test_one_whose_process_only_waits_to_be_collected_is_dead_at_once(volume: Volume) -> None:
    with zombie() as (pid, start):
        volume.lay(of(pid, start))
        assert volume.waited() == 0


def test_one_whose_process_number_was_given_to_another_is_dead_at_once(volume: Volume) -> None:
    with running() as pid:
        volume.lay(of(pid, "123"))
        assert volume.waited() == 0


def test_one_that_this_process_left_is_dead_at_once(volume: Volume) -> None:
    """A link was lost before it could let go."""
    volume.lay(of(os.getpid()))
    assert volume.waited() == 0


def test_one_that_this_process_holds_for_another_host_is_not(volume: Volume) -> None:
    with volume.held() as first:
        volume.time.every(5, first.beat)
        with pytest.raises(LockTaken):
            volume.waited()
        first.check()
        volume.time.quiet()


def test_a_process_of_this_machine_that_runs_is_watched_like_any_other(volume: Volume) -> None:
    with running() as pid:
        volume.lay(of(pid))
        assert 20 <= volume.waited() <= 22


def test_another_machine_s_process_number_says_nothing_here(volume: Volume) -> None:
    pid, start = ended_process()
    volume.lay(of(pid, start, machine="another/boot/pid:[1]"))
    assert 20 <= volume.waited() <= 22


def test_a_process_that_is_hidden_from_us_counts_as_running(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/proc can be mounted so that other people's processes are not seen there (hidepid)."""
    with running() as pid:
        volume.lay(of(pid))
        monkeypatch.setattr(owner, "process_start", lambda pid: None)
        assert 20 <= volume.waited() <= 22


def test_a_process_of_somebody_else_counts_as_running(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(pid: int, number: int) -> None:
        raise PermissionError

    with running() as pid:
        volume.lay(of(pid))
        monkeypatch.setattr(os, "kill", kill)
        assert 20 <= volume.waited() <= 22


# -- a name that is garbled ------------------------------------------------------------------------------------

GARBLED = {
    "none": None,
    "empty": b"",
    "zeros": bytes(512),
    "no text": bytes(range(256)) * 4,
    "marks": b"\x1eowner-x\nbeat-9\n\x1f\x1e",
    "beats": b"beat-1\nbeat-2\nwho beat-3\n",
    "long": b"who " + b"x" * 100_000,
    "half": b"who jane@there\nmachine",
    "no number": b"machine %b\npid -\xff\nstart 9\n",
}


@pytest.mark.parametrize("who", GARBLED.values(), ids=GARBLED)
def test_a_garbled_name_neither_kills_a_live_lock_nor_saves_a_dead_one(
    volume: Volume, who: bytes | None
) -> None:
    if who:
        who = who.replace(b"%b", owner.machine().encode())
    other = volume.lay(who)
    volume.time.every(5, other.beat)
    with pytest.raises(LockTaken) as taken:
        volume.waited()
    assert str(taken.value).isprintable()
    assert len(str(taken.value)) < 1000
    volume.time.quiet()
    assert 20 <= volume.waited() <= 22
    assert len(volume.owners) == 1


def listing(volume: Volume) -> Owner:
    return owner_in(volume.ask(LIST.format(lock=quote(str(volume.lock)))).text)


def test_a_name_that_is_half_written_never_makes_a_live_process_look_gone(volume: Volume) -> None:
    """Torn at any byte: a process number cut short is another process's, or nobody's."""
    with running() as pid:
        whole = "".join(f"{key} {value}\n" for key, value in of(pid).items())
        for end in range(len(whole) + 1):
            seen = owner_in(f"\x1eowner-other\nbeat-7\nwho\n\x1f{whole[:end]}")
            assert not seen.is_gone(), whole[:end]
            assert seen.beats == ("beat-7",), whole[:end]
    assert owner_in(f"\x1eowner-other\nbeat-7\nwho\n\x1f{whole}").is_gone()


def test_an_owner_without_a_name_is_seen_beating(volume: Volume) -> None:
    volume.lay(b"pid 12")
    assert listing(volume) == Owner("other", ("beat-7",), {})


def test_what_an_owner_does_is_told_in_one_line(volume: Volume) -> None:
    with volume.held("copy a\nb\x1b[31m") as lock:
        seen = listing(volume)
        assert seen.token == lock.token
        assert seen.who["doing"].startswith("copy a b")
        assert seen.described.isprintable()
    assert len(introduction("x\ny\x1ez").splitlines()) == 6


def test_a_user_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 1234)
    assert introduction("copy").startswith("who 1234@")
