"""Figures into medians, straight lines and tables in Markdown. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, fields

MIB = 1 << 20


@dataclass(frozen=True)
class Cost:
    """What one run cost: seconds of wall time and of CPU (its own and its children's), seconds of CPU of the simulated
    hosts meanwhile, bytes of memory of its largest process at its peak."""

    wall: float
    cpu: float
    hosts: float = 0.0
    peak: float = 0.0


def median(costs: Sequence[Cost]) -> Cost:
    """The median of some runs, of each figure for itself."""
    return Cost(*(statistics.median(getattr(cost, it.name) for cost in costs) for it in fields(Cost)))


@dataclass(frozen=True)
class Fit:
    """The straight line `base + slope * x` by least squares. `r2` is the share of the variance that it explains, and
    `exponent` the slope of log y over log x: 1 is linear, 2 quadratic; what is there without any work pulls it to 0."""

    base: float
    slope: float
    r2: float
    exponent: float


def fit(xs: Sequence[float], ys: Sequence[float]) -> Fit:
    """Fit points, all of them above 0. Raises statistics.StatisticsError for fewer than two different `xs`."""
    line = statistics.linear_regression(xs, ys)
    mean = statistics.fmean(ys)
    total = sum((y - mean) ** 2 for y in ys)
    left = sum((y - line.intercept - line.slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    logs = statistics.linear_regression([math.log(x) for x in xs], [math.log(y) for y in ys])
    return Fit(line.intercept, line.slope, 1 - left / total if total else 1.0, logs.slope)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, aligned to be read as text too: the first column to the left, the others to the right."""
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "".join(_line(cells, widths) for cells in (head, rule, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if at else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "| " + " | ".join([first, *others]) + " |\n"


COLUMNS = ("wall", "CPU", "CPU a host", "hosts' CPU", "peak memory")


def cells(cost: Cost, hosts: int) -> tuple[str, ...]:
    """A cost under `COLUMNS`, for a run over so many hosts."""
    return (
        seconds(cost.wall),
        seconds(cost.cpu),
        milliseconds(cost.cpu / hosts),
        seconds(cost.hosts),
        mebibytes(cost.peak),
    )


def seconds(value: float) -> str:
    return f"{value:.2f} s"


def milliseconds(value: float) -> str:
    """`value` is in seconds."""
    return f"{1000 * value:.2f} ms"


def mebibytes(value: float) -> str:
    """`value` is in bytes."""
    return f"{value / MIB:.0f} MiB"


def ratio(value: float, base: float) -> str:
    """How many times `base`; a dash where that can't be told."""
    return f"{value / base:.2f}" if base else "-"
