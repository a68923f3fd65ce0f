"""Metrics as Prometheus reads them."""

from __future__ import annotations

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from reconciler.listeners.metrics import Metrics


def families(metrics: Metrics) -> list[Metric]:
    """All of the page."""
    return list(text_string_to_metric_families(metrics.page()[1].decode()))


def samples(metrics: Metrics) -> list[Sample]:
    """All of ours."""
    every = (it for family in families(metrics) for it in family.samples)
    return [it for it in every if it.name.startswith("reconciler_")]


def series(metrics: Metrics, name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """The series of that name with these labels, by the values of their other labels in alphabetical order."""
    found = (it for it in samples(metrics) if it.name == f"reconciler_{name}")
    return {
        tuple(value for label, value in sorted(it.labels.items()) if label not in labels): it.value
        for it in found
        if labels.items() <= it.labels.items()
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """The one series of that name with just these labels; None: there is none."""
    return series(metrics, name, **labels).get(())
