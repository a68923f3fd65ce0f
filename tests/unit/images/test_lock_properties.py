"""Over any order of what two or three runs do to a lock, and wherever they are cut off: there is one holder at most,
and afterwards whoever comes gets it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.actuators.ssh.images.lock import FOLDER
from tests.unit.images.stage import VOLUME, Move, Stage

BEFORE = {
    "nothing": "",
    "a lock without an owner": f"mkdir {FOLDER}",
    "a dead owner": f"mkdir -p {FOLDER}/owner-dead/beat-3",
    "a dead owner whose beat was taken": f"mkdir -p {FOLDER}/owner-dead",
    "two dead owners": f"mkdir -p {FOLDER}/owner-dead/beat-3 {FOLDER}/owner-zz/beat-1",
    "a torn name": f"mkdir -p {FOLDER}/owner-dead/beat-3; printf 'who jane\\npid 4' > {FOLDER}/owner-dead/who",
}

moves = st.builds(
    Move,
    st.sampled_from(["go", "go", "go", "go", "sleep", "cut", "kill"]),
    st.integers(0, 2),
    st.sampled_from([1, 1, 2, 3, 5, 8, 13, 21, 40]),
)


def played(runs: int, before: str, some: list[Move]) -> Stage:
    stage = Stage(runs, BEFORE[before])
    try:
        for move in some:
            stage.play(move)
        stage.end()
        assert stage.fresh() <= 80
    finally:
        stage.close()
    assert [name for name in stage.host.files.names(VOLUME) if name != "work"] == []
    return stage


def go(who: int, count: int = 40) -> Move:
    return Move("go", who, count)


SLEEP = Move("sleep", 0, 21)
LATE = [go(0, 2), go(1, 9), SLEEP, go(1), go(0)]
"""The first one has made the lock's folder and sleeps; the second one finds it without an owner, and moves in."""


@example(2, "nothing", LATE)
@given(st.integers(2, 3), st.sampled_from(list(BEFORE)), st.lists(moves, max_size=25))
def test_never_two_and_a_fresh_one_always_gets_it(runs: int, before: str, some: list[Move]) -> None:
    played(runs, before, some)


def test_of_two_who_move_into_an_empty_lock_the_later_one_goes() -> None:
    """The pinned example above, told: the second one has it when the first one comes back, which waits for its turn."""
    stage = Stage(2, "")
    try:
        for move in LATE[:-1]:
            stage.play(move)
        assert [run.had for run in stage.runs] == [False, True]
        stage.play(LATE[-1])
        assert stage.owners == [stage.runs[1].lock.token]
        stage.end()
        assert [run.worked for run in stage.runs] == [3, 3]
    finally:
        stage.close()
