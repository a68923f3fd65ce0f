"""Prometheus' own checker, and what stands in PromQL by its reading of names and labels."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from reconciler import events
from reconciler.listeners.metrics import Metrics
from reconciler.report import Status
from tests.unit.listeners.pages import families
from tests.unit.listeners.reports import held, passed, step

ROOT = Path(__file__).parents[3]
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds to all that it scrapes."""
_SELECTOR = re.compile(r"\b((?:reconciler|process|python)_\w+|up)\b(?:\{([^}]*)\})?")
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


def promtool(*arguments: str, text: bytes = b"", folder: Path = ROOT) -> str:
    """What it says when all is well; else the test fails with what it says."""
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, cwd=folder, check=False)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def full() -> Metrics:
    """With at least one series of each metric."""
    metrics = Metrics()
    metrics.hosts(["a"])
    metrics.passed(passed("a", Status.HELD, steps=[step("image/x")], items=[held("image/y")]), 1)
    metrics(events.StepEnded("a", "image/x", "create", "done", 1))
    metrics.revision("0123abcd")
    return metrics


def labels() -> dict[str, set[str]]:
    """The labels of each name that a query may use, with those that Prometheus adds."""
    found: dict[str, set[str]] = {"up": set(SCRAPED)}
    for family in families(full()):
        for sample in family.samples:
            found.setdefault(sample.name, set(SCRAPED)).update(sample.labels)
    return found


def strangers(expression: str) -> Iterator[str]:
    """Names and labels in it that no metric has."""
    known = labels()
    used: set[str] = set()
    for name, matchers in _SELECTOR.findall(expression):
        if name not in known:
            yield name
            continue
        used |= known[name]
        yield from (f"{name}{{{label}}}" for label in _MATCHER.findall(matchers) if label not in known[name])
    grouped = {label.strip() for group in _GROUPING.findall(expression) for label in group.split(",")}
    yield from sorted(grouped - used)
