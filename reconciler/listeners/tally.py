"""What the report of a pass comes to in numbers. Pure."""

from __future__ import annotations

from collections import Counter

from reconciler.report import HostReport, Outcome, Status

_SUCCESSES = (Status.IN_SYNC, Status.CONVERGED, Status.HELD)


def kind_of(resource: str) -> str:
    """The part of a resource's name before its `/`."""
    return resource.partition("/")[0]


def seen(report: HostReport) -> bool:
    """Whether the pass has seen its host: else what was seen before still stands."""
    return report.product is not None or report.fault is None


def succeeded(report: HostReport) -> bool:
    """Whether it counts as success: as wished as far as it may be, or a look at a host that is only observed."""
    return report.status in _SUCCESSES or (report.observe_only and report.status is Status.DRIFTED)


def drift(report: HostReport) -> dict[str, int]:
    """Of each kind that the host has, how many steps were not done when the pass ended."""
    open_steps = Counter(kind_of(step.resource) for step in report.steps if step.outcome is not Outcome.DONE)
    names = [
        *(step.resource for step in report.steps),
        *(held.resource for held in report.held),
        *(note.resource for note in report.unknown),
        *report.in_sync,
    ]
    # `host` is what is said of the host as such, and no kind
    return {kind: open_steps[kind] for kind in sorted({kind_of(name) for name in names} - {"host"})}
