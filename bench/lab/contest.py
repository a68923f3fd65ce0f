"""Contestants that do the same work, run in turn: A B C A B C, so that a busy machine strikes all alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.lab import processes
from bench.lab.figures import COLUMNS, Cost, cells, mebibytes, median, ratio, table
from bench.lab.hosts import Hosts
from bench.lab.progress import note


@dataclass(frozen=True)
class Contestant:
    """A program and its environment."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The median of all runs, and the most memory in bytes that all processes had together in the run before them."""

    cost: Cost
    together: int


def contest(contestants: Mapping[str, Contestant], hosts: Hosts, rounds: int) -> dict[str, Result]:
    """Each once to warm up, while its memory is looked at, then in turn. Of one round only, it is the warming up.

    Raises processes.RunFailed.
    """
    together, costs = {}, {name: list[Cost]() for name in contestants}
    for name, it in contestants.items():
        with processes.whole_peak() as peak:
            first = processes.run(it.command, hosts.cpu, it.environment)
        note(f"{name}, to warm up: {first.wall:.2f} s")
        together[name] = peak()
        costs[name] += [first] if rounds == 1 else []
    for number in range(1, rounds + 1 if rounds > 1 else 1):
        for name, it in contestants.items():
            costs[name].append(processes.run(it.command, hosts.cpu, it.environment))
            note(f"{name}, round {number} of {rounds}: {costs[name][-1].wall:.2f} s")
    return {name: Result(median(costs[name]), together[name]) for name in contestants}


def compared(results: Mapping[str, Result], hosts: int, base: str) -> str:
    """A table of the contestants, with their wall time and CPU against those of `base`."""
    head = ("", *COLUMNS, "of all processes", f"wall / {base}", f"CPU / {base}")
    against = results[base].cost
    rows = [
        (
            name,
            *cells(it.cost, hosts),
            mebibytes(it.together),
            ratio(it.cost.wall, against.wall),
            ratio(it.cost.cpu, against.cpu),
        )
        for name, it in results.items()
    ]
    return table(head, rows)
