"""The loop is killed again and again: nothing is done twice, and what it told is in the history."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Tally
from tests.faults.program import at_command
from tests.live.loop.running import Lab, Loop, group, history, lab, watching

HOSTS = ("h1", "h2")
LOUD = ("--log-level", "debug", "--log-format", "json")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "rounds" in metafunc.fixturenames:
        long = metafunc.config.getoption("--hypothesis-profile") == "soak"
        metafunc.parametrize("rounds", [50 if long else 5])


def test_killed_at_random_moments_it_does_nothing_twice_and_forgets_nothing_it_told(
    tmp_path: Path, rounds: int, tally: Tally
) -> None:
    dice = random.Random(rounds)
    with lab(tmp_path, ["4.1", "6.7"]) as there:
        for name in HOSTS:
            there.wish(name, **group())
        gone, told = Counter(HOSTS), Counter[Any]()
        for number in range(rounds):
            gone[spoil(there, dice, number)] += 1
            told += killed(there, dice)
            tally("kills of the loop")
        with watching(there, *LOUD) as loop:
            loop.until_settled(*HOSTS)
            loop.stop()
            told += steps_told(loop)
        assert {name: groups_made(there, name) for name in HOSTS} == {name: gone[name] for name in HOSTS}
        kept = Counter(
            (it["host"], it["resource"], it["verb"])
            for it in history(there)
            if it["event"] == "step" and it["outcome"] == "done"
        )
        assert told <= kept, "a step that was told as done is in the history"


def spoil(there: Lab, dice: random.Random, number: int) -> str:
    """A hand edit on one host, and a change of the specs of both; whose port group had to go."""
    name = dice.choice(HOSTS)
    for host in HOSTS:
        there.wish(host, **group(vlan=100 + number))
    if there.vlan(name) is None:
        # the last round was killed before it had made it
        return "nobody"
    there.host(name).remove_port_group("Lab")
    return name


def killed(there: Lab, dice: random.Random) -> Counter[Any]:
    """Start the loop and kill it: as a host runs a changing command, or after a moment; the steps that it told."""
    loop = Loop(there, *LOUD)
    if dice.random() < 0.7:
        dead = threading.Event()

        def strike() -> None:
            loop.program.kill()
            dead.set()

        at_command(there.host(dice.choice(HOSTS)), dice.randint(1, 4), strike)
        loop.start()
        dead.wait(dice.uniform(0.5, 2.0))
    else:
        loop.start()
        threading.Event().wait(dice.uniform(0.0, 0.5))
    loop.kill()
    return steps_told(loop)


def steps_told(loop: Loop) -> Counter[Any]:
    """The steps that the log tells as done; its last line may be torn."""
    lines = [line for line in loop.said.splitlines() if line.endswith("}")]
    events = [it for it in map(json.loads, lines) if it.get("event") == "stepEnded"]
    return Counter((it["host"], it["resource"], it["verb"]) for it in events if it["outcome"] == "done")


def groups_made(there: Lab, name: str) -> int:
    """How often the port group was made by a command that succeeded."""
    made = (it.argv for it in there.host(name).executed if it.status == 0 and it.changing)
    return sum("Lab" in argv and ("add" in argv or "-A" in argv) for argv in made)
